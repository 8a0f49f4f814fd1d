package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// together is three servers whose clocks are set wrong, and who share one timeline all the same.
var together = trial{
	name:     "together",
	about:    "three servers whose clocks disagree by up to 700 ms: their viewers see the same frame at the same moment",
	duration: 150 * time.Second, size: size{Viewers: 300, Workers: 9},
	setting: setting{servers: 3, rigged: true, flags: func(i int, d time.Duration) []string {
		return []string{"-rig-clock-off", clockOff(i, d).String()}
	}},
	play: playTogether,
}

const (
	// agreeing is the part of the trial in which the servers agree about the time, before anybody comes: they slew by
	// slewing of the time that passes, and nine tenths of that is how far the one that is wrong by most has to go.
	agreeing = 0.6
	slewing  = 0.005
	// frameTime is how long a frame is on screen, in milliseconds.
	frameTime = 17
	// maxTwice is the share of frames that may be rendered twice.
	maxTwice = 0.03
)

// clockOff is by how much server i's clock is wrong in a trial that lasts so long: -300, 0 and 400 ms in one of 150 s.
func clockOff(i int, d time.Duration) time.Duration {
	most := 0.9 * slewing * agreeing * float64(d)
	return time.Duration([]float64{-0.75, 0, 1}[i] * most)
}

// playTogether has a crowd come to each server when the clocks agree. A quarter of the time that is left later what is
// rendered is steady.
func playTogether(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	if err := wait(ctx, time.Duration(agreeing*float64(d))); err != nil {
		return err
	}
	rest := d - time.Duration(agreeing*float64(d))
	crowds := s.crowds(ctx, rest)
	err := wait(ctx, rest/4)
	before, beforeErr := s.look(ctx)
	err = errors.Join(err, beforeErr, wait(ctx, rest*5/8))
	after, afterErr := s.look(ctx)
	reports, crowdErr := reportsOf(crowds)
	if err := errors.Join(err, afterErr, crowdErr); err != nil {
		return err
	}
	sum := sumOf(reports)
	grown := after.since(before)
	f.unharmed(sum, after)
	f.safe("frames of others that servers found forged", after.sum("forged_frames"), 0)
	first, last := math.Inf(1), math.Inf(-1)
	for i, report := range reports {
		first, last = min(first, known(report, "ahead_ms_p1")), max(last, known(report, "ahead_ms_p99"))
		f.tell(fmt.Sprintf("server %d's clock is set wrong by, ms", i), clockOff(i, d).Seconds()*1e3)
		f.tell("its viewers play ahead of the machine's clock by, ms, median", report["ahead_ms_p50"])
	}
	f.atMost("from the first of all viewers to the last, ms, but for 1% at each end", last-first, frameTime)
	rendered := 0.
	for i := range s.servers {
		rendered += grown.share(i, "fleet_frames") + grown.share(i, "server_frames") + grown.share(i, "wasted_frames")
	}
	f.atMost("frames rendered more than once, by one server or several / frames", rendered-1, maxTwice)
	f.tell("share of what aired that came from other servers", grown.sum("peer_frames")/grown.sum("aired_frames"))
	f.tell("messages a second to NATS", grown.nats.In/grown.seconds)
	f.tell("messages a second from it", grown.nats.Out/grown.seconds)
	f.tell("bytes a second from it", grown.nats.OutBytes/grown.seconds)
	for i := range s.servers {
		f.tell(fmt.Sprintf("server %d's cores", i), grown.cores[i])
	}
	f.tell("nats-server's cores", grown.natsCores)
	return nil
}

// known returns a number of a report, or none where it is not in there.
func known(report map[string]float64, name string) float64 {
	if value, ok := report[name]; ok {
		return value
	}
	return math.NaN()
}

// crowds has the crowd of the trial's size come, the same part of it to each server.
func (s *stage) crowds(ctx context.Context, d time.Duration, flags ...string) (all []*crowd) {
	for i := range s.servers {
		all = append(all, s.crowdAt(ctx, i, d, flags...))
	}
	return all
}

// crowdAt has server i's part of the crowd come.
func (s *stage) crowdAt(ctx context.Context, i int, d time.Duration, flags ...string) *crowd {
	return s.servers[i].begin(ctx, d, s.part(i, flags...)...)
}

// part is the flags of a swarm that is server i's part of the crowd.
func (s *stage) part(i int, flags ...string) []string {
	n := max(1, len(s.servers))
	return append([]string{"-workers", strconv.Itoa(s.size.Workers / n), "-viewers", strconv.Itoa(s.size.Viewers / n),
		"-seed", strconv.Itoa(i + 1)}, flags...)
}
