package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"strings"

	"github.com/distributed-donut/donut/tools/progress"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// spanFrames is how many frames of detail 1 make a span.
const spanFrames = 60

// render compares engines over a range of frames.
func (c command) render(ctx context.Context, cfg config, module []byte) error {
	makers, err := c.findEngines(ctx, cfg, module)
	if err != nil {
		return err
	}
	line := progress.New(c.stderr)
	defer line.Clear()
	if cfg.ledger != "" {
		return c.account(ctx, cfg, module, makers, line)
	}
	engines, err := startAll(ctx, makers)
	defer closeAll(engines)
	if err != nil {
		return err
	}

	hash := sha256.New()
	check := checker{
		engines:  engines,
		parallel: runtime.GOMAXPROCS(0),
		progress: func(frames uint64) { line.Show("%d of %d frames", frames, cfg.count) },
	}
	switch {
	case cfg.digest:
		check.sink = writeText(hash)
	case cfg.print:
		check.sink = writeText(c.stdout)
	}
	found, err := check.run(ctx, rangeOf(cfg.detail, cfg.first, cfg.count))
	line.Clear()
	if err == nil {
		err = found.err()
	}
	if err != nil {
		return err
	}
	switch {
	case cfg.digest:
		_, err = fmt.Fprintf(c.stdout, "%x\n", hash.Sum(nil))
	case !cfg.print:
		_, err = fmt.Fprintf(c.stdout, "%d frames from %d on at detail %d: %s agree\n",
			found.frames, cfg.first, cfg.detail, enumerate(cfg.engines))
	}
	return err
}

// enumerate writes a list of at least two as English has it.
func enumerate(names []string) string {
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " and " + names[last]
}

// rangeOf is the source of a range of frames.
func rangeOf(detail int, first uint64, count int) source {
	size := max(1, spanFrames/(detail*detail))
	return func(_ context.Context, yield func(span) error) error {
		for done := 0; done < count; done += size {
			if err := yield(span{first: first + uint64(done), count: min(size, count-done)}); err != nil {
				return err
			}
		}
		return nil
	}
}

// writeText is the sink that writes frames as text.
func writeText(w io.Writer) func(packed []byte) error {
	var text []byte
	return func(packed []byte) error {
		text = text[:0]
		for ; len(packed) > 0; packed = packed[wire.PackedSize:] {
			var picture donut.Picture
			if err := wire.Unpack(&picture, packed[:wire.PackedSize]); err != nil {
				return err
			}
			text = picture.AppendText(text)
		}
		_, err := w.Write(text)
		return err
	}
}
