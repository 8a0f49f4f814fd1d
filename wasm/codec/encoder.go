package codec

import (
	"encoding/binary"
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// An Encoder makes the stream. Its zero value is ready for the first message, which must be a key. It is not safe for
// concurrent use.
type Encoder struct {
	number   uint64
	previous donut.Picture
}

// Number returns the number of the last message made, 0 before the first.
func (e *Encoder) Number() uint64 { return e.number }

// Append appends the stream's next message to dst: the frames from first on, nil where one is missing. A key can be
// asked for at any time. No frames, more than MaxFrames, or a first message that is no key is the caller's mistake, and
// panics.
func (e *Encoder) Append(dst []byte, first uint64, frames []*donut.Picture, key bool) []byte {
	if len(frames) == 0 || len(frames) > MaxFrames {
		panic("codec: " + strconv.Itoa(len(frames)) + " frames in a message, want 1.." + strconv.Itoa(MaxFrames))
	}
	if !key && e.number == 0 {
		panic("codec: the first message of a stream must be a key")
	}
	e.number++

	flags := byte(0)
	if key {
		flags |= flagKey
		e.previous = donut.Picture{}
	}
	var holes [(MaxFrames + 7) / 8]byte
	for i, frame := range frames {
		if frame == nil {
			flags |= flagHoles
			holes[i/8] |= 1 << (i % 8)
		}
	}
	dst = append(dst, flags)
	dst = binary.AppendUvarint(dst, e.number)
	dst = binary.AppendUvarint(dst, first)
	dst = append(dst, byte(len(frames)))
	if flags&flagHoles != 0 {
		dst = append(dst, holes[:(len(frames)+7)/8]...)
	}
	for _, frame := range frames {
		if frame != nil {
			dst = e.appendFrame(dst, frame)
		}
	}
	return dst
}

// appendFrame appends the shorter of the two modes.
func (e *Encoder) appendFrame(dst []byte, frame *donut.Picture) []byte {
	start := len(dst)
	dst = appendDelta(append(dst, modeDelta), &e.previous, frame)
	if len(dst)-start > 1+wire.PackedSize {
		dst = append(dst[:start], modePacked)
		dst = append(dst, make([]byte, wire.PackedSize)...)
		wire.Pack(dst[start+1:], frame)
	}
	e.previous = *frame
	return dst
}

func appendDelta(dst []byte, previous, frame *donut.Picture) []byte {
	high := false
	nibble := func(v byte) {
		if high {
			dst[len(dst)-1] |= v << 4
		} else {
			dst = append(dst, v)
		}
		high = !high
	}
	skipped := byte(0)
	for i, level := range frame {
		switch {
		case level != previous[i]:
			nibble(skipped)
			nibble(level)
			skipped = 0
		case skipped == longSkip-1:
			nibble(longSkip)
			skipped = 0
		default:
			skipped++
		}
	}
	if skipped > 0 {
		nibble(skipped)
	}
	return dst
}
