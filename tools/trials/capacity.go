package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// capacity is three servers that fill rings which nothing paces.
var capacity = trial{
	name:     "capacity",
	about:    "three servers with 10 tabs each, whose frames take 50 ms, fill an unpaced ring almost three times as fast as one",
	duration: 90 * time.Second, size: size{Workers: 30},
	setting: setting{servers: 3, rigged: true, flags: func(int, time.Duration) []string { return raceFlags }},
	play:    playCapacity,
}

// raceFlags are those of a server that races. Audits are to bound nothing: what is published must have been audited.
var raceFlags = []string{"-rig-race", "-lead", "1m", "-audit-budget", "2"}

const (
	// minGain is how many times as fast as one three servers are to be.
	minGain = 2.7
	// tabTime is what a frame takes a tab.
	tabTime = 50 * time.Millisecond
)

// playCapacity has the tabs of a server alone race for a third of the time, and then those of the three. The first half of
// each does not count: tabs that are new are lent little.
func playCapacity(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	lone := newServer(s.bin, riggedProgram, s.stderr, raceFlags)
	if err := lone.launch(ctx, anyPort); err != nil {
		return err
	}
	alone, _, err := s.race(ctx, d/3, lone)
	if err = errors.Join(err, lone.close()); err != nil {
		return err
	}
	three, rendered, err := s.race(ctx, d*2/3, s.servers...)
	if err != nil {
		return err
	}
	after, err := s.look(ctx)
	if err != nil {
		return err
	}
	f.safe("frames that servers found forged", after.sum("forged_frames"), 0)
	f.tell("frames a second that a server's tabs could render", float64(s.size.Workers/len(s.servers))/tabTime.Seconds())
	f.tell("frames a second that a server alone came to", alone[0])
	for i, pace := range three {
		f.tell(fmt.Sprintf("frames a second that server %d of three came to", i), pace)
	}
	f.atLeast("the slowest of three / the one alone", slices.Min(three)/alone[0], minGain)
	f.tell("frames that the tabs of three rendered", rendered)
	return nil
}

// race has each server's part of the tabs render, and returns how many frames a second each server came to, and how many
// the tabs rendered.
func (s *stage) race(ctx context.Context, d time.Duration, servers ...*server) (paces []float64, rendered float64, err error) {
	var crowds []*crowd
	for i, one := range servers {
		c := one.begin(ctx, d, "-workers", strconv.Itoa(s.size.Workers/len(s.servers)), "-viewers", "0", "-decoders", "0",
			"-frame-time", tabTime.String(), "-seed", strconv.Itoa(i+1))
		c.stderr = io.Discard // nobody is shown a picture, and says so
		crowds = append(crowds, c)
	}
	err = wait(ctx, d/2)
	from := time.Now()
	err = errors.Join(err, wait(ctx, d/2-time.Second))
	for _, one := range servers {
		paces = append(paces, one.log.pace(from))
	}
	reports, crowdErr := reportsOf(crowds)
	return paces, sumOf(reports)["frames_rendered"], errors.Join(err, crowdErr)
}
