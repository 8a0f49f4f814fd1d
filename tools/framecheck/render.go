package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"

	"github.com/distributed-donut/donut/tools/progress"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// spanFrames is how many frames of detail 1 make a span.
const spanFrames = 60

// render compares the engines of this program over a range of frames.
func (c command) render(ctx context.Context, cfg config, module []byte) error {
	reference, err := c.openWazero(ctx, module, cfg, cfg.detail)
	if err != nil {
		return err
	}
	defer reference.Close(context.Background())

	line := progress.New(c.stderr)
	defer line.Clear()
	hash := sha256.New()
	check := checker{
		engines:  []engine{reference, newNative(cfg.detail)},
		parallel: runtime.GOMAXPROCS(0),
		progress: func(frames uint64) { line.Show("%d of %d frames", frames, cfg.count) },
	}
	switch {
	case cfg.digest:
		check.sink = writeText(hash)
	case cfg.print:
		check.sink = writeText(c.stdout)
	}
	found, err := check.run(ctx, rangeOf(cfg))
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
		_, err = fmt.Fprintf(c.stdout, "%d frames from %d on at detail %d: native and wazero agree\n",
			found.frames, cfg.first, cfg.detail)
	}
	return err
}

// rangeOf is the source of the frames that the flags name.
func rangeOf(cfg config) source {
	size := max(1, spanFrames/(cfg.detail*cfg.detail))
	return func(_ context.Context, yield func(span) error) error {
		for done := 0; done < cfg.count; done += size {
			if err := yield(span{first: cfg.first + uint64(done), count: min(size, cfg.count-done)}); err != nil {
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
