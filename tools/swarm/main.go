// Command swarm plays a crowd against a server: workers that render, and viewers that check every frame they are sent.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/wasm/wire"
)

const usage = `Usage: swarm [flags]

Swarm opens the sockets of a crowd of tabs, natively and in one process, and
reports what the crowd saw. Workers render what they are lent, honestly but for
those that forge (-forge): who is evicted for it comes again from another
address. Viewers and workers alike check what is aired: that the stream has no
gap, that it comes in time, that all get the same bytes, and that each frame is
the one that this program renders by itself.

It generates load, so it connects to this machine only. Each of the crowd has an
address of its own in 127.0.0.0/8 where the system allows it.

Exit status: 0, 1 when a check failed, 2 on bad usage.

Flags:
`

// The bounds of a crowd. A process may open some 20,000 sockets where the system is generous.
const (
	maxWorkers  = 1_000
	maxViewers  = 15_000
	maxDecoders = 1_000
	maxDuration = time.Hour
	minLife     = 100 * time.Millisecond
)

// A config is what the flags say.
type config struct {
	target     target
	workers    int
	viewers    int
	threads    int           // of each worker
	decoders   int           // people who decode for themselves; the others compare bytes
	frameTime  time.Duration // the least that a frame takes
	slow       float64       // share of the workers that are slow
	freeze     float64       // share of them that freeze
	drop       float64       // share of the results that get lost
	life       time.Duration // mean, of a tab; 0 for to the end
	returns    bool          // who loses its connection comes back
	forge      float64       // share of the workers that forge
	storm      int           // hostile joins
	stormRate  float64       // of them a second
	flood      int           // senders of messages that are of no use
	floodRate  float64       // messages a second, of each
	garbage    int           // senders of garbage
	dumpRate   float64       // how often each of them comes a second
	strategies []strategy    // for them
	duration   time.Duration
	seed       uint64
	json       bool
}

func main() {
	exit.Run("swarm", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// run plays the crowd until the duration or ctx ends, and prints the report.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parse(args, stdout)
	if err != nil {
		return err
	}
	c, err := gather(ctx, cfg)
	if err != nil {
		return err
	}
	stop := showProgress(c, stderr)
	c.play(ctx)
	stop()

	r := c.report()
	write := r.writeTable
	if cfg.json {
		write = r.writeJSON
	}
	if err := write(stdout); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return r.verdict()
}

// parse reads the flags. It prints the help that they may ask for, and then the error is flag.ErrHelp; every other one
// wraps exit.ErrUsage.
func parse(args []string, stdout io.Writer) (config, error) {
	var cfg config
	var url, strategies string
	flags := exit.Flags("swarm")
	flags.StringVar(&url, "url", "http://127.0.0.1:8080", "the server's `URL`, on this machine")
	flags.IntVar(&cfg.workers, "workers", 3, fmt.Sprintf("tabs that render, 0 to %d", maxWorkers))
	flags.IntVar(&cfg.viewers, "viewers", 20, fmt.Sprintf("tabs that watch only, 0 to %d", maxViewers))
	flags.IntVar(&cfg.threads, "threads", 1, fmt.Sprintf("threads of each worker, 1 to %d", wire.MaxThreads))
	flags.IntVar(&cfg.decoders, "decoders", 20, fmt.Sprintf(
		"how many decode the stream for themselves, 0 to %d; all others compare its bytes with one who did", maxDecoders))
	flags.DurationVar(&cfg.frameTime, "frame-time", 0, "the least `time` that a worker takes for a frame, by a timer; 0 for as fast as it can, or 1 ms where some are slow")
	flags.Float64Var(&cfg.slow, "slow", 0, fmt.Sprintf("`share` of the workers that take %d times as long for a frame, 0 to 1", slowness))
	flags.Float64Var(&cfg.freeze, "freeze", 0, "`share` of the workers whose threads freeze for good in the first fifth of the play, while their sockets live, 0 to 1")
	flags.Float64Var(&cfg.drop, "drop", 0, "`share` of the results that get lost, 0 to 1")
	flags.DurationVar(&cfg.life, "life", 0,
		"mean `time` that a tab stays; another one takes its place at once; 0 for to the end")
	flags.BoolVar(&cfg.returns, "return", false,
		"have those come back whose connection is lost, or whom the server asks to, as the page does")
	flags.Float64Var(&cfg.forge, "forge", 0, "`share` of the workers that forge, all of them alike, 0 to 1")
	flags.StringVar(&strategies, "strategy", "all", fmt.Sprintf("how they forge: some of %s, one after the other", strategyNames()))
	flags.IntVar(&cfg.storm, "storm", 0, fmt.Sprintf("hostile `joins` beside the crowd, each from another /24 and with one forged chunk, 0 to %d", maxStorm))
	flags.Float64Var(&cfg.stormRate, "storm-rate", 100, fmt.Sprintf("hostile joins a second, up to %d", maxStormRate))
	flags.IntVar(&cfg.flood, "flood", 0, fmt.Sprintf(
		"`senders` beside the crowd of probes and of results that they have sent before, 0 to %d", maxFlood))
	flags.Float64Var(&cfg.floodRate, "flood-rate", 10,
		fmt.Sprintf("messages a second of each of them, up to %d", maxFloodRate))
	flags.IntVar(&cfg.garbage, "garbage", 0, fmt.Sprintf(
		"`senders` of garbage beside the crowd, who come again and again, 0 to %d", maxGarbage))
	flags.Float64Var(&cfg.dumpRate, "garbage-rate", 50,
		fmt.Sprintf("how often each of them comes a second, up to %d", maxDumpRate))
	flags.DurationVar(&cfg.duration, "duration", 20*time.Second, fmt.Sprintf("how long the crowd stays, at most %v", maxDuration))
	flags.Uint64Var(&cfg.seed, "seed", 1, "decides when each tab arrives, and from which address")
	flags.BoolVar(&cfg.json, "json", false, "print the report as JSON")
	if err := exit.Parse(flags, args, usage, stdout); err != nil {
		return config{}, err
	}
	if err := cfg.complete(url, strategies); err != nil {
		return config{}, fmt.Errorf("%w: %w", exit.ErrUsage, err)
	}
	return cfg, nil
}

// complete checks the values and takes in the URL.
func (cfg *config) complete(url, strategies string) (err error) {
	for _, f := range []struct {
		name           string
		got, low, high int
	}{
		{"workers", cfg.workers, 0, maxWorkers},
		{"viewers", cfg.viewers, 0, maxViewers},
		{"threads", cfg.threads, 1, wire.MaxThreads},
		{"decoders", cfg.decoders, 0, maxDecoders},
		{"storm", cfg.storm, 0, maxStorm},
		{"flood", cfg.flood, 0, maxFlood},
		{"garbage", cfg.garbage, 0, maxGarbage},
	} {
		if f.got < f.low || f.got > f.high {
			return fmt.Errorf("-%s: got %d, want %d to %d", f.name, f.got, f.low, f.high)
		}
	}
	if cfg.workers+cfg.viewers == 0 {
		return errors.New("-workers and -viewers: got 0 of both, want a crowd")
	}
	for _, f := range []struct {
		name  string
		share float64
	}{{"slow", cfg.slow}, {"freeze", cfg.freeze}, {"drop", cfg.drop}, {"forge", cfg.forge}} {
		if !(f.share >= 0 && f.share <= 1) {
			return fmt.Errorf("-%s: got %v, want 0 to 1", f.name, f.share)
		}
	}
	if cfg.frameTime < 0 || cfg.frameTime > time.Minute {
		return fmt.Errorf("-frame-time: got %v, want 0s to 1m", cfg.frameTime)
	}
	if cfg.life < 0 || cfg.life > 0 && cfg.life < minLife {
		return fmt.Errorf("-life: got %v, want 0s, or at least %v", cfg.life, minLife)
	}
	if !(cfg.stormRate > 0 && cfg.stormRate <= maxStormRate) {
		return fmt.Errorf("-storm-rate: got %v, want more than 0 and at most %d", cfg.stormRate, maxStormRate)
	}
	if !(cfg.floodRate > 0 && cfg.floodRate <= maxFloodRate) {
		return fmt.Errorf("-flood-rate: got %v, want more than 0 and at most %d", cfg.floodRate, maxFloodRate)
	}
	if !(cfg.dumpRate > 0 && cfg.dumpRate <= maxDumpRate) {
		return fmt.Errorf("-garbage-rate: got %v, want more than 0 and at most %d", cfg.dumpRate, maxDumpRate)
	}
	if cfg.strategies, err = parseStrategies(strategies); err != nil {
		return fmt.Errorf("-strategy: %w", err)
	}
	if cfg.duration <= 0 || cfg.duration > maxDuration {
		return fmt.Errorf("-duration: got %v, want more than 0 and at most %v", cfg.duration, maxDuration)
	}
	if cfg.target, err = parseTarget(url); err != nil {
		return fmt.Errorf("-url: %w", err)
	}
	return nil
}

// hostile reports whether somebody comes beside the crowd, from networks of their own.
func (cfg config) hostile() bool { return cfg.storm+cfg.flood+cfg.garbage > 0 }

// forgers is how many of the workers forge.
func (cfg config) forgers() int { return int(math.Round(cfg.forge * float64(cfg.workers))) }
