// Command trials puts a real server and real crowds through what strangers do, and holds what comes out against bars.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/distributed-donut/donut/tools/exit"
)

const usage = `Usage: trials [-duration D] [-viewers N] [-parallel N] [-results file] [-json] [trial ...]

Each trial starts a server of its own on a free loopback port, plays crowds
against it from processes of their own, and compares what was seen and counted
with a bar. Without arguments all of them are made; -list says which there are,
chaos stands for those that lose workers, and fleet for those of several servers,
which need nats-server.

Exit status: 0, 1 when a bar was missed or a trial could not be made, 2 on bad
usage.

Flags:
`

// A config is what the flags say.
type config struct {
	bin      string
	duration time.Duration // of each trial; 0 for its own
	size     size          // likewise
	parallel int
	results  string // a file; empty for none
	json     bool
	list     bool
	trials   []trial
}

// errMissed is the error where a bar was missed.
var errMissed = errors.New("a bar was missed")

func main() {
	exit.Run("trials", func(ctx context.Context) error {
		if len(os.Args) > 1 && os.Args[1] == readersCommand {
			return runReaders(os.Args[2:], os.Stdin)
		}
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	cfg, err := parse(args, stdout)
	if err != nil {
		return err
	}
	if cfg.list {
		for _, t := range trials() {
			fmt.Fprintf(stdout, "%-14s %s\n", t.name, t.about)
		}
		return nil
	}
	kept, err := openResults(cfg.results)
	if err != nil {
		return err
	}
	defer kept.close()
	all, err := cfg.makeAll(ctx, kept, stderr)
	missed := false
	for _, f := range all {
		write := f.writeTable
		if cfg.json {
			write = f.writeJSON
		}
		if err := write(stdout); err != nil {
			return err
		}
		missed = missed || f.missed()
	}
	switch {
	case err != nil:
		return err
	case missed:
		return errMissed
	}
	return nil
}

// makeAll makes the trials of which there are no results yet, some of them side by side, and returns the findings of
// all in their order. With an error they are those that there are.
func (cfg config) makeAll(ctx context.Context, kept *results, stderr io.Writer) ([]findings, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	line := newWaiting(stderr, len(cfg.trials))
	defer line.end()

	found := make([]*findings, len(cfg.trials))
	told := &shared{w: stderr}
	var running sync.WaitGroup
	room := make(chan struct{}, cfg.parallel)
	for i, t := range cfg.trials {
		if cfg.duration > 0 {
			t.duration = cfg.duration
		}
		t.size = t.size.or(cfg.size)
		if f, ok := kept.find(t); ok {
			found[i] = &f
			line.done()
			continue
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		running.Go(func() {
			defer func() { <-room }()
			f, err := t.make(ctx, cfg.bin, told)
			if err == nil {
				err = kept.add(f)
			}
			if err != nil {
				cancel(fmt.Errorf("%s: %w", t.name, err))
				return
			}
			found[i] = &f
			line.done()
		})
	}
	running.Wait()
	var all []findings
	for _, f := range found {
		if f != nil {
			all = append(all, *f)
		}
	}
	return all, context.Cause(ctx)
}

func parse(args []string, stdout io.Writer) (config, error) {
	var cfg config
	self, err := os.Executable()
	if err != nil {
		return cfg, err
	}
	flags := exit.Flags("trials")
	flags.StringVar(&cfg.bin, "bin", filepath.Dir(self), "the `folder` that donut-server and swarm are in")
	flags.DurationVar(&cfg.duration, "duration", 0, "how long each trial lasts, instead of its own time")
	flags.IntVar(&cfg.size.Viewers, "viewers", 0, "how many watch, instead of a trial's own number, where it has one")
	flags.IntVar(&cfg.size.Workers, "workers", 0, "how many render, likewise")
	flags.IntVar(&cfg.size.Hostile, "hostile", 0, "how many of soak's tabs, or of flood's sockets, are hostile, likewise")
	flags.Float64Var(&cfg.size.Rate, "rate", 0, "how many messages a second each of flood's sockets sends, likewise")
	flags.IntVar(&cfg.parallel, "parallel", 1, "how many trials are made side by side, 1 to 16")
	flags.StringVar(&cfg.results, "results", "", "keep results in this `file`, and do not make again what is in there")
	flags.BoolVar(&cfg.json, "json", false, "print a JSON object a line for each trial")
	flags.BoolVar(&cfg.list, "list", false, "say which trials there are")
	switch err := exit.ParseSome(flags, args, usage, stdout); {
	case err != nil:
		return cfg, err
	case cfg.duration != 0 && (cfg.duration < minDuration || cfg.duration > time.Hour):
		return cfg, fmt.Errorf("%w: -duration: got %v, want %v to 1h", exit.ErrUsage, cfg.duration, minDuration)
	case !cfg.size.valid():
		return cfg, fmt.Errorf("%w: -viewers, -workers, -hostile and -rate: got %+v, want 0 or more", exit.ErrUsage, cfg.size)
	case cfg.parallel < 1 || cfg.parallel > 16:
		return cfg, fmt.Errorf("%w: -parallel: got %d, want 1 to 16", exit.ErrUsage, cfg.parallel)
	}
	if cfg.trials, err = find(flags.Args()); err != nil {
		return cfg, fmt.Errorf("%w: %w", exit.ErrUsage, err)
	}
	return cfg, nil
}

// A shared writer may be written to concurrently.
type shared struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
