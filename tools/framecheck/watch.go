package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/distributed-donut/donut/tools/progress"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// watch renders again what a server airs.
func (c command) watch(ctx context.Context, cfg config, module []byte) error {
	v, err := join(ctx, cfg.url, module)
	if err != nil {
		return err
	}
	defer v.close()
	check := func(keep func(message []byte) error) error {
		var seen stream
		return c.checkAired(ctx, cfg, module, int(v.welcome.Detail), &seen, func(ctx context.Context, yield func(span) error) error {
			return v.receive(ctx, cfg.seconds, &seen, keep, yield)
		})
	}
	if cfg.record == "" {
		return check(func([]byte) error { return nil })
	}
	tape, err := newRecorder(cfg.record, v.header(cfg.url), v.start)
	if err != nil {
		return err
	}
	return tape.finish(check(tape.keep))
}

// checkAired renders again what a stream is sent, which the source yields, and prints the summary.
func (c command) checkAired(ctx context.Context, cfg config, module []byte, detail int, seen *stream, from source) error {
	reference, err := c.openWazero(ctx, module, cfg, detail)
	if err != nil {
		return err
	}
	defer reference.Close()

	line := progress.New(c.stderr)
	defer line.Clear()
	check := checker{
		engines:  []engine{reference},
		claimant: "what the server aired",
		parallel: runtime.GOMAXPROCS(0),
		progress: func(frames uint64) { line.Show("%d frames", frames) },
	}
	found, err := check.run(ctx, from)
	line.Clear()
	_, printErr := fmt.Fprintf(c.stdout, "%d frames checked at detail %d, %d disagreements, %d holes, in %d messages of %d bytes\n",
		found.frames, detail, found.differ, seen.holes, seen.messages, seen.bytes)
	return errors.Join(found.err(), err, printErr)
}

// A stream is what a viewer has been sent.
type stream struct {
	messages, bytes uint64 // broadcasts, whole
	holes           uint64 // frames that were not there to air

	decoder    codec.Decoder
	generation uint32
	number     uint64 // of the last message, 0 before the first
	next       uint64 // the frame that must follow
}

// take decodes a broadcast and yields its frames. The error says how the stream broke.
func (s *stream) take(message []byte, yield func(span) error) error {
	m, err := wire.ParseBroadcast(message)
	if err != nil {
		return err
	}
	var spans []span
	hole := true
	h, err := s.decoder.Decode(m.Stream, func(n uint64, p *donut.Picture) {
		if p == nil {
			s.holes++
			hole = true
			return
		}
		if hole {
			spans = append(spans, span{first: n})
			hole = false
		}
		last := &spans[len(spans)-1]
		last.count++
		last.claimed = append(last.claimed, make([]byte, wire.PackedSize)...)
		wire.Pack(last.claimed[len(last.claimed)-wire.PackedSize:], p)
	})
	if err != nil {
		return err
	}
	if err := s.follow(h, m.Generation); err != nil {
		return err
	}
	s.messages++
	s.bytes += uint64(len(message))
	for _, run := range spans {
		if err := yield(run); err != nil {
			return err
		}
	}
	return nil
}

// follow checks that nothing is missing before a message. A decoder would take up the stream at any key. Only a new
// generation of the server's clock may leave out frames, never messages.
func (s *stream) follow(h codec.Header, generation uint32) error {
	if s.number != 0 {
		if h.Number != s.number+1 {
			return fmt.Errorf("the stream is broken: got message %d after %d", h.Number, s.number)
		}
		if h.First != s.next && generation == s.generation {
			return fmt.Errorf("the stream is broken: message %d: got frame %d first, want %d", h.Number, h.First, s.next)
		}
	}
	s.number, s.next, s.generation = h.Number, h.First+uint64(h.Count), generation
	return nil
}
