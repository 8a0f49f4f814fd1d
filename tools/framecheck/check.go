package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/wire"
)

// An engine renders frames. Its methods may be called concurrently, but for Close.
type engine interface {
	// Name is what reports call it.
	Name() string
	// Render returns count frames from first on, packed one after the other.
	Render(ctx context.Context, first uint64, count int) (packed []byte, err error)
	// Close ends it. No other call may be under way or follow.
	Close()
}

// A span is a stretch of consecutive frames.
type span struct {
	first uint64
	count int
	// claimed holds the frames packed, as somebody claims that they are; nil where the engines are only compared with
	// each other. Nobody writes to it any more.
	claimed []byte
}

// A source calls yield with the spans to check, in any order of their numbers, and stops at yield's first error, which
// it returns.
type source func(ctx context.Context, yield func(span) error) error

// A checker has engines render the spans of a source and compares every frame.
type checker struct {
	engines  []engine // the first one is right by definition
	claimant string   // what reports call who claims frames
	parallel int      // spans in the making at once

	// sink takes the first engine's frames, span after span in the order of the source; nil for nobody. It must not keep
	// them.
	sink func(packed []byte) error
	// progress is told how many frames have been checked; nil for nobody.
	progress func(frames uint64)
}

// maxEvidence is how many disagreements a report holds.
const maxEvidence = 10

// A report is what a checker found.
type report struct {
	frames   uint64  // checked
	differ   uint64  // of these: frames that were not the same everywhere
	evidence []error // for the first of them, who differs from the first engine and how
}

// err is nil if frames were checked and all agree.
func (r report) err() error {
	switch {
	case r.frames == 0:
		return errors.New("got no frame to check, want at least 1")
	case r.differ > 0:
		return fmt.Errorf("%d of %d frames differ:\n%w", r.differ, r.frames, errors.Join(r.evidence...))
	}
	return nil
}

// run checks all that the source yields. The error says why it could not go on; disagreements are no error. It returns
// when everything that it has started has ended.
func (c *checker) run(ctx context.Context, from source) (r report, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	defer running.Wait()

	jobs := make(chan *job, c.parallel)
	var sourceErr error
	running.Go(func() {
		defer close(jobs)
		sourceErr = from(ctx, func(s span) error {
			j := &job{span: s, done: make(chan struct{})}
			select {
			case jobs <- j:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			running.Go(func() { j.render(ctx, c.engines) })
			return nil
		})
	})
	for j := range jobs {
		<-j.done
		if err == nil {
			if err = c.take(j, &r); err != nil {
				cancel(err)
			}
		}
	}
	if err == nil {
		err = sourceErr
	}
	return r, err
}

// take adds a job that is done to the report.
func (c *checker) take(j *job, r *report) error {
	if j.err != nil {
		return j.err
	}
	want := j.rendered[0]
	for i := range j.count {
		frame := func(packed []byte) []byte { return packed[i*wire.PackedSize : (i+1)*wire.PackedSize] }
		compare := func(name string, got []byte) error {
			if err := verify.Compare(j.first+uint64(i), frame(got), frame(want)); err != nil {
				return fmt.Errorf("%s differs from %s: %w", name, c.engines[0].Name(), err)
			}
			return nil
		}
		var differences []error
		if j.claimed != nil {
			differences = append(differences, compare(c.claimant, j.claimed))
		}
		for k, e := range c.engines[1:] {
			differences = append(differences, compare(e.Name(), j.rendered[k+1]))
		}
		r.frames++
		if err := errors.Join(differences...); err != nil {
			r.differ++
			if len(r.evidence) < maxEvidence {
				r.evidence = append(r.evidence, err)
			}
		}
	}
	if c.progress != nil {
		c.progress(r.frames)
	}
	if c.sink != nil {
		return c.sink(want)
	}
	return nil
}

// A job is a span being rendered.
type job struct {
	span
	done chan struct{} // closed when what follows is set

	rendered [][]byte // by each engine
	err      error
}

func (j *job) render(ctx context.Context, engines []engine) {
	defer close(j.done)
	for _, e := range engines {
		packed, err := e.Render(ctx, j.first, j.count)
		if err == nil && len(packed) != j.count*wire.PackedSize {
			err = fmt.Errorf("got %d bytes for frames %d..%d, want %d",
				len(packed), j.first, j.first+uint64(j.count)-1, j.count*wire.PackedSize)
		}
		if err != nil {
			j.err = fmt.Errorf("%s: %w", e.Name(), err)
			return
		}
		j.rendered = append(j.rendered, packed)
	}
}
