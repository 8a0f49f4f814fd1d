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
	streamFrames  = 3600 // a minute, of each stretch
	messageFrames = 60
)

// stretches are where the stream's frames begin.
var stretches = [...]uint64{0, 1_000_000}

// A stream is so many frames of detail 1 from each stretch, and the messages that carry them.
type stream struct {
	each     int // frames of a stretch
	frames   []*donut.Picture
	messages [][]byte // of package codec
}

// newStream renders so many frames of each stretch, a multiple of messageFrames.
func newStream(each int) *stream {
	s := &stream{each: each}
	r := donut.NewRenderer(1)
	for _, first := range stretches {
		for n := range uint64(each) {
			p := new(donut.Picture)
			r.Render(p, first+n)
			s.frames = append(s.frames, p)
		}
	}
	s.encode(func(m []byte) []byte {
		s.messages = append(s.messages, m)
		return nil
	})
	return s
}

// encode makes the messages, with a key at the start of each stretch and from then on as the server does, and calls emit
// with each, which returns the buffer for the next one.
func (s *stream) encode(emit func(message []byte) []byte) {
	var e codec.Encoder
	var buffer []byte
	for i, first := range stretches {
		frames := s.frames[i*s.each : (i+1)*s.each]
		for at := 0; at < s.each; at += messageFrames {
			key := at%codec.KeyInterval == 0
			buffer = emit(e.Append(buffer[:0], first+uint64(at), frames[at:at+messageFrames], key))
		}
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
