package main

import (
	"context"
	"errors"
	"time"
)

// settling is how long after the crowd's start the server's share does not count: the fleet has to be known first.
const settling = 15 * time.Second

// A chaos is a fleet that something happens to. Its people render natively, and what a frame takes beyond that passes on
// a timer.
type chaos struct {
	name, about string
	server      []string // flags
	workers     []string // flags of the swarm; nil for no workers
	killed      bool     // the workers' process is killed halfway through, and another comes 10 s later
	share       float64  // of what airs, the most that the server may render; 1 where nothing is said
	wasted      float64  // likewise, of what airs, rendered in vain
}

// matrix is every way to lose workers that there is a bar for. The lead is 10 s throughout, which is the default.
var matrix = []chaos{
	{"calm", "20 workers to whom nothing happens", nil, fleetOf("20"), false, 0.01, 0.05},
	{"freeze50", "20 workers, of whom half freeze", nil, fleetOf("20", "-freeze", "0.5"), false, 0.01, 1},
	{"freeze80", "20 workers, of whom four fifths freeze", nil, fleetOf("20", "-freeze", "0.8"), false, 0.01, 1},
	{"life30", "20 workers who stay for 30 s on average", nil, fleetOf("20", "-life", "30s"), false, 0.01, 0.10},
	{"life5", "20 workers who stay for 5 s on average", nil, fleetOf("20", "-life", "5s"), false, 0.10, 1},
	{"drop25", "20 workers, a quarter of whose results get lost", nil, fleetOf("20", "-drop", "0.25"), false, 0.01, 1},
	{"drop50", "20 workers, half of whose results get lost", nil, fleetOf("20", "-drop", "0.5"), false, 0.01, 1},
	{"killed", "20 workers who are killed at once, and others 10 s later", nil, fleetOf("20"), true, 1, 1},
	{"nobody", "no workers at all", nil, nil, false, 1, 1},
	{"slow", "20 workers, of whom half take 50 times as long", nil, fleetOf("20", "-slow", "0.5"), false, 0.01, 0.05},
	{"all", "60 workers, of whom half freeze and half are slow, who stay for 30 s, and a quarter of whose results get lost", nil,
		fleetOf("60", "-freeze", "0.5", "-slow", "0.5", "-life", "30s", "-drop", "0.25"), false, 0.01, 1},
	{"detail8", "9 workers at detail 8, three times the need, who stay for 30 s", []string{"-detail", "8"},
		fleetOf("9", "-frame-time", "50ms", "-life", "30s"), false, 0.01, 0.10},
}

// fleetOf is the flags of a swarm of so many workers, and one viewer: a swarm without checks nothing.
func fleetOf(workers string, flags ...string) []string {
	return append([]string{"-workers", workers, "-viewers", "1"}, flags...)
}

func (c chaos) trial() trial {
	return trial{name: c.name, about: c.about, duration: 2 * time.Minute, server: c.server, play: c.play}
}

// play has ten viewers watch from a process of their own, whatever happens to the workers.
func (c chaos) play(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	viewers := s.begin(ctx, d, "-workers", "0", "-viewers", "10", "-seed", "2")
	fleet := c.fleet(ctx, s, d)
	settled := min(settling, d/2)
	before, err := s.statsAfter(ctx, settled)
	if c.killed && err == nil {
		fleet, err = c.kill(ctx, s, d, settled, fleet)
	}
	crowd, crowdErr := viewers.end()
	rendered, fleetErr := fleet.end()
	after, statsErr := s.statsAfter(ctx, 0)
	if err := errors.Join(err, crowdErr, fleetErr, statsErr); err != nil {
		return err
	}

	grown := func(name string) float64 { return after[name] - before[name] }
	f.safe("forged frames seen", crowd["frames_forged_seen"]+rendered["frames_forged_seen"], 0)
	f.safe("honest workers evicted", rendered["honest_evicted"], 0)
	f.tell("frames aired", after["aired_frames"])
	f.exactly("frames stalled", after["stalled_frames"], 0)
	f.exactly("frames missed by viewers", crowd["frames_missed"], 0)
	f.exactly("other faults that they found", crowd["faults"], 0)
	if c.server == nil {
		f.exactly("frames aired unaudited", after["aired_unaudited_frames"], 0)
	}
	f.atMost("server's share of what aired, after 15 s", grown("server_frames")/grown("aired_frames"), c.share)
	f.atMost("frames rendered in vain / frames aired, after 15 s", grown("wasted_frames")/grown("aired_frames"), c.wasted)
	f.tell("frames hedged", after["hedged_frames"])
	return nil
}

// fleet starts the workers, where there are any.
func (c chaos) fleet(ctx context.Context, s *stage, d time.Duration) *crowd {
	if c.workers == nil {
		return nil
	}
	return s.begin(ctx, d, c.workers...)
}

// kill ends the workers halfway through without a word, and starts others later.
func (c chaos) kill(ctx context.Context, s *stage, d, played time.Duration, fleet *crowd) (*crowd, error) {
	err := wait(ctx, d/2-played)
	fleet.kill()
	if err == nil {
		err = wait(ctx, min(10*time.Second, d/8))
	}
	return c.fleet(ctx, s, d/4), err
}
