// Command sim plays fleets against the server's scheduler and ring in virtual time, and holds what comes out against bars.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/progress"
)

const usage = `Usage: sim [flags]

Sim plays a fleet of workers against the server's own scheduler, ring and rules
for newcomers, in virtual time and without a socket or a picture. The same flags
give the same figures on every machine, but for what a decision costs. It says
nothing of how a stream starts: half of the lead has aired when it begins.

Columns: capacity is what the fleet could render at its lowest, in multiples of
the stream's pace; server is what the server rendered of what aired; wasted is
what was rendered, in part or whole, and not used; hedged is frames that were
lent twice; p50 and p95 are the time from lend to answer; decision is what a
call of the scheduler takes this machine. Capacity, server and wasted leave out
the first 15 s.

Bars: nothing stalls; the server renders at most 1% where the capacity is 3 or
more, 10% where workers live less than 10 s; at most 5% is wasted where nobody
leaves, freezes or loses results, 10% where they only leave, after 30 s or more.

Exit status: 0, 1 where a bar was missed, 2 on bad usage.

Flags:
`

// A config is what the flags say.
type config struct {
	scenarios []scenario
	json      bool
}

// errMissed is the error where a bar was missed.
var errMissed = errors.New("a bar was missed")

func main() {
	exit.Run("sim", func(ctx context.Context) error { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// run plays the scenarios until ctx ends, and reports on all of them, or on those that it came to.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parse(args, stdout)
	if err != nil {
		return err
	}
	line := progress.New(stderr)
	var outcomes []outcome
	missed := false
	for i, s := range cfg.scenarios {
		if ctx.Err() != nil {
			break
		}
		line.Show("%d of %d scenarios: %s", i, len(cfg.scenarios), s.name)
		o := play(ctx, s)
		missed = missed || len(o.missed()) > 0
		outcomes = append(outcomes, o)
	}
	line.Clear()
	if err := ctx.Err(); err != nil {
		return err
	}
	write := writeTable
	if cfg.json {
		write = writeJSON
	}
	if err := write(stdout, outcomes); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if missed {
		return errMissed
	}
	return nil
}

func parse(args []string, stdout io.Writer) (config, error) {
	var cfg config
	s := plain
	all, seeds := false, 1
	seconds := int(s.duration / time.Second)
	flags := exit.Flags("sim")
	flags.IntVar(&s.workers, "workers", s.workers, fmt.Sprintf("tabs that render, with a thread each, 0 to %d", maxWorkers))
	flags.DurationVar(&s.speed, "speed", s.speed, "the median `time` that a worker takes for a frame of detail 1")
	flags.Var(&s.mix, "mix", fmt.Sprintf("how workers differ: same, log:S for a log-normal distribution with sigma S up to %d,\nor R:1 where every other one is R times slower", maxSigma))
	flags.DurationVar(&s.rtt, "rtt", s.rtt, "mean round-trip `time`; a worker's own is half of it to one and a half, and a tenth is jitter")
	flags.Float64Var(&s.loss, "loss", 0, "`share` of the results that get lost, 0 to 1")
	flags.Float64Var(&s.freeze, "freeze", 0, fmt.Sprintf("`share` of the workers that freeze for good within %v of coming, while their sockets live, 0 to 1", freezeWithin))
	flags.DurationVar(&s.life, "life", 0, "mean `time` that a worker stays, exponentially distributed; another one takes its place at once; 0 for to the end")
	flags.DurationVar(&s.kill, "kill", 0, "the `moment` at which all workers vanish; 0 for never")
	flags.DurationVar(&s.back, "back", 0, "how long after -kill as many workers come; 0 for never")
	flags.BoolVar(&s.strange, "newcomers", false, "workers are newcomers at first, and not trusted at once")
	flags.IntVar(&s.detail, "detail", s.detail, "detail of the frames, 1 to 32; a frame costs workers and server its square")
	flags.DurationVar(&s.lead, "lead", s.lead, fmt.Sprintf("length of the ring, %v to %v", minLead, maxLead))
	flags.DurationVar(&s.cost, "cost", s.cost, "`time` that the server takes for a frame of detail 1")
	flags.IntVar(&s.auditors, "auditors", s.auditors, fmt.Sprintf("the server's processors that audit and render, 1 to %d", maxAuditors))
	flags.Float64Var(&s.floor, "floor", s.floor, "`share` of the frames that must be audited of those who are trusted, above 0 and up to 1")
	flags.IntVar(&seconds, "seconds", seconds, fmt.Sprintf("how many `seconds` are played, %d to %d", minDuration/time.Second, maxDuration/time.Second))
	flags.Uint64Var(&s.seed, "seed", s.seed, "decides all that is random")
	flags.IntVar(&seeds, "seeds", seeds, fmt.Sprintf("play each scenario with so many seeds, from -seed on, 1 to %d", maxSeeds))
	flags.BoolVar(&all, "sweep", false, "play the built-in scenarios: each is the one that the other flags say, but for what its name says")
	flags.BoolVar(&cfg.json, "json", false, "print a JSON object a line for each scenario")
	switch err := exit.Parse(flags, args, usage, stdout); {
	case err != nil:
		return cfg, err
	case seeds < 1 || seeds > maxSeeds:
		return cfg, fmt.Errorf("%w: -seeds: got %d, want 1 to %d", exit.ErrUsage, seeds, maxSeeds)
	case seconds > int(maxDuration/time.Second): // more might not fit
		return cfg, fmt.Errorf("%w: -seconds: got %d, want at most %d", exit.ErrUsage, seconds, maxDuration/time.Second)
	}
	s.duration = time.Duration(seconds) * time.Second
	if !all {
		s.name = "as flagged"
	}
	rows := []scenario{s}
	if all {
		rows = sweep(s)
	}
	for _, row := range rows {
		if err := row.check(); err != nil {
			return cfg, fmt.Errorf("%w: %s: %w", exit.ErrUsage, row.name, err)
		}
		for range seeds {
			cfg.scenarios = append(cfg.scenarios, row)
			row.seed++
		}
	}
	return cfg, nil
}

// maxSeeds is how many seeds a scenario may be played with.
const maxSeeds = 10_000
