package main

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	streamFrames  = 3600 // a minute
	messageFrames = 60
)

// A stream is the first so many frames of detail 1, and the messages that carry them.
type stream struct {
	frames   []*donut.Picture
	messages [][]byte // of package codec
}

// newStream renders frames, a multiple of messageFrames.
func newStream(frames int) *stream {
	s := new(stream)
	r := donut.NewRenderer(1)
	for n := range uint64(frames) {
		p := new(donut.Picture)
		r.Render(p, n)
		s.frames = append(s.frames, p)
	}
	s.encode(func(m []byte) []byte {
		s.messages = append(s.messages, m)
		return nil
	})
	return s
}

// encode makes the messages and calls emit with each, which returns the buffer for the next one.
func (s *stream) encode(emit func(message []byte) []byte) {
	var e codec.Encoder
	var buffer []byte
	for first := 0; first < len(s.frames); first += messageFrames {
		key := first%codec.KeyInterval == 0
		buffer = emit(e.Append(buffer[:0], uint64(first), s.frames[first:first+messageFrames], key))
	}
}

func (s *stream) bytesPerFrame() float64 {
	total := 0
	for _, m := range s.messages {
		total += len(m)
	}
	return float64(total) / float64(len(s.frames))
}

func (s *stream) encoder() *contender {
	return &contender{name: "encode", frames: len(s.frames), turn: func(ctx context.Context, _ int) (time.Duration, error) {
		start := time.Now()
		s.encode(func(m []byte) []byte { return m })
		return time.Since(start), ctx.Err()
	}}
}

func (s *stream) decoder() *contender {
	return &contender{name: "decode", frames: len(s.frames), turn: func(ctx context.Context, _ int) (time.Duration, error) {
		var d codec.Decoder
		start := time.Now()
		for _, m := range s.messages {
			if _, err := d.Decode(m, nil); err != nil {
				return 0, err
			}
		}
		return time.Since(start), ctx.Err()
	}}
}

// broadcasts returns the messages as they go to tabs, each after its length in four bytes.
func (s *stream) broadcasts() []byte {
	var b []byte
	for _, m := range s.messages {
		broadcast := wire.Broadcast{Stream: m}.Append(nil)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(broadcast)))
		b = append(b, broadcast...)
	}
	return b
}
