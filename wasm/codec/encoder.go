package codec

import (
	"encoding/binary"
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
)

// An Encoder makes the stream. Its zero value is ready for the first message, which must be a key. It takes 140 KB, and is
// not safe for concurrent use.
type Encoder struct {
	number uint64
	coder  coder
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
	start := len(dst)

	flags := byte(0)
	if key {
		flags |= flagKey
		e.coder.forget()
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
	e.coder.sum = 0
	e.coder.sum.fold(dst[start:])
	e.coder.startWriting(dst)
	for _, frame := range frames {
		if frame != nil {
			e.coder.picture = *frame
			e.coder.writePicture()
		}
	}
	e.coder.end(e.coder.sum.check())
	dst, e.coder.bytes = e.coder.bytes, nil // which are the caller's
	return dst
}
