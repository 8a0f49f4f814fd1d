//go:build trial

package main

import (
	"flag"
	"log/slog"
	"time"

	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A rig is what only trials need of a server: to be wrong in ways that others have to bear, and to show what it can do.
type rig struct {
	clockOff   time.Duration // how far the wall clock is ahead of the machine's
	forgeEvery int           // of the chunks that are published, one of so many is forged; 0 for none
	race       bool          // nothing paces the stream, and nothing airs
}

// define defines the flags, which no other build knows.
func (r *rig) define(all *flags) {
	all.group("Trials", func(f *flag.FlagSet) {
		f.DurationVar(&r.clockOff, "rig-clock-off", 0, "have a wall clock that is wrong by this `time`")
		f.IntVar(&r.forgeEvery, "rig-forge-every", 0, "forge every `N`th chunk that other servers are sent; 0 for none")
		f.BoolVar(&r.race, "rig-race", false, "render as fast as can be, show nobody anything, and log how much that is")
	})
}

// clocks returns a function that reads the clocks as the rig has them.
func (r *rig) clocks(read func() timeline.Reading) func() timeline.Reading {
	return func() timeline.Reading {
		now := read()
		now.Wall = now.Wall.Add(r.clockOff)
		return now
	}
}

// fleet returns the configuration of a fleet as the rig has it.
func (r *rig) fleet(cfg orchestrator.Config) orchestrator.Config {
	if cfg.Cluster != nil && r.forgeEvery > 0 {
		cfg.Cluster = &liar{Cluster: cfg.Cluster, every: r.forgeEvery}
	}
	if r.race {
		cfg.Audience, cfg.Race = nil, (&racing{log: cfg.Log}).count
	}
	return cfg
}

// racePeriod is how often a race logs how far it has come.
const racePeriod = time.Second

// racing counts the frames of a race. The fleet's loop owns it.
type racing struct {
	log    *slog.Logger
	frames int
	logged time.Time
}

func (r *racing) count(frames int) {
	r.frames += frames
	if now := time.Now(); now.Sub(r.logged) >= racePeriod {
		r.logged = now
		r.log.Info("racing", "frames", r.frames)
	}
}

// A liar publishes forged frames among the true ones.
type liar struct {
	orchestrator.Cluster
	every     int
	published int
}

// Publish implements orchestrator.Cluster. One cell of a forged chunk is another one.
func (l *liar) Publish(first uint64, packed []byte) {
	if l.published++; l.published%l.every == 0 {
		forged := append([]byte(nil), packed...)
		cell := &forged[len(forged)/2]
		*cell = *cell&0xf0 | (*cell&0xf+1)%byte(donut.Levels)
		packed = forged
	}
	l.Cluster.Publish(first, packed)
}
