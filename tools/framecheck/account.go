package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/distributed-donut/donut/tools/progress"
)

// shardFrames is how many frames of detail 1 make a shard: some seconds of an engine's time, which is what a run that is
// ended loses.
const shardFrames = 10_000

// shardsOf cuts a range of frames at the multiples of a shard's length, so that ranges that overlap have shards in common.
func shardsOf(module checksum, detail int, first uint64, count int) []shard {
	size := max(1, shardFrames/(detail*detail))
	var shards []shard
	for count > 0 {
		n := min(count, size-int(first%uint64(size)))
		shards = append(shards, shard{module, detail, first, n})
		first += uint64(n)
		count -= n
	}
	return shards
}

// An accountant compares engines by what a ledger says of them.
type accountant struct {
	book   *ledger
	shards []shard
	makers []maker // whose entries are made where they are missing

	// reference renders again where entries differ and makers has nobody else.
	reference maker
	line      *progress.Line

	started map[string]engine // by what makers call them
}

// account compares engines by the ledger that the flags name.
func (c command) account(ctx context.Context, cfg config, module []byte, makers []maker, line *progress.Line) error {
	reference, err := c.findEngine(ctx, "wazero", cfg, module)
	if err != nil {
		return err
	}
	book, err := openLedger(cfg.ledger)
	if err != nil {
		return err
	}
	defer book.close()
	a := accountant{
		book: book, shards: shardsOf(sha256.Sum256(module), cfg.detail, cfg.first, cfg.count),
		makers: makers, reference: reference, line: line,
	}
	return a.run(ctx, c.stdout)
}

// run renders what is missing and compares shard by shard. It writes the summary if all agree.
func (a *accountant) run(ctx context.Context, summary io.Writer) error {
	a.started = make(map[string]engine)
	defer func() {
		for _, e := range a.started {
			e.Close()
		}
	}()
	for i, s := range a.shards {
		for _, m := range a.makers {
			if a.book.has(s, m) {
				continue
			}
			rendered, err := a.render(ctx, m, s, func(frames uint64) {
				a.line.Show("shard %d of %d: %s, %d of %d frames", i+1, len(a.shards), m.name, frames, s.Count)
			})
			if err != nil {
				return err
			}
			if err := a.book.append(entry{m.name, m.version, s, rendered}); err != nil {
				return err
			}
		}
		if err := a.compare(ctx, s); err != nil {
			return err
		}
	}
	a.line.Clear()
	return a.summarize(summary)
}

// start starts an engine, unless it has been.
func (a *accountant) start(ctx context.Context, m maker) (engine, error) {
	if e, ok := a.started[m.String()]; ok {
		return e, nil
	}
	a.line.Show("starting %s", m.name)
	e, err := m.start(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	a.started[m.String()] = e
	return e, nil
}

// render has one engine render a shard.
func (a *accountant) render(ctx context.Context, m maker, s shard, tell func(frames uint64)) (checksum, error) {
	e, err := a.start(ctx, m)
	if err != nil {
		return checksum{}, err
	}
	hash := sha256.New()
	c := checker{
		engines: []engine{e}, parallel: runtime.GOMAXPROCS(0), progress: tell,
		sink: func(packed []byte) error {
			hash.Write(packed)
			return nil
		},
	}
	if _, err := c.run(ctx, rangeOf(s.Detail, s.First, s.Count)); err != nil {
		return checksum{}, err
	}
	return checksum(hash.Sum(nil)), nil
}

// compare returns an error unless all entries for the shard are the same, and of two engines at least.
func (a *accountant) compare(ctx context.Context, s shard) error {
	entries := a.book.entries[s]
	different, alone := false, true
	for _, e := range entries[1:] {
		different = different || e.SHA256 != entries[0].SHA256
		alone = alone && e.name() == entries[0].name()
	}
	switch {
	case different:
		return a.investigate(ctx, s)
	case alone:
		return fmt.Errorf("%v: got them of %s alone, want another engine's in the ledger to compare with", s, entries[0].name())
	}
	return nil
}

// investigate has a shard on which entries differ rendered again, and returns what differs.
func (a *accountant) investigate(ctx context.Context, s shard) error {
	var text strings.Builder
	fmt.Fprintf(&text, "%v differ, the first that do. SHA-256 by the ledger:", s)
	for _, e := range a.book.entries[s] {
		fmt.Fprintf(&text, "\n%x %s", e.SHA256, e.name())
	}
	makers := a.makers
	if len(makers) == 1 && makers[0].String() != a.reference.String() {
		makers = []maker{a.reference, makers[0]}
	}
	c := checker{parallel: runtime.GOMAXPROCS(0)}
	var names []string
	for _, m := range makers {
		e, err := a.start(ctx, m)
		if err != nil {
			return fmt.Errorf("%s\nrender them again: %w", &text, err)
		}
		c.engines = append(c.engines, e)
		names = append(names, m.name)
	}
	c.progress = func(frames uint64) { a.line.Show("again, since they differ: %d of %d frames", frames, s.Count) }
	again, err := c.run(ctx, rangeOf(s.Detail, s.First, s.Count))
	if err == nil {
		err = again.err()
	}
	if err == nil {
		err = errors.New(strings.Join(names, ", ") + ": no difference; what differs is in the ledger alone")
	}
	return fmt.Errorf("%s\nrendered again, %w", &text, err)
}
