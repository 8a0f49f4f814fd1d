package codec

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
)

// ErrMalformed is wrapped by every error that says a message is none of this package's.
var ErrMalformed = errors.New("codec: malformed message")

// ErrDiscontinuous is wrapped by every error that says a well-formed message is not the stream's next: a decoder
// recovers by taking the stream up again at a key.
var ErrDiscontinuous = errors.New("codec: not the next message of the stream")

// An Error is what Decoder.Decode returns: which field was wrong, what was got, and what was wanted.
type Error struct {
	Field     string
	Got, Want string
	kind      error
}

func (e *Error) Error() string {
	return e.kind.Error() + ": " + e.Field + ": got " + e.Got + ", want " + e.Want
}

// Unwrap returns ErrMalformed or ErrDiscontinuous.
func (e *Error) Unwrap() error { return e.kind }

func malformed(field, got, want string) error { return &Error{field, got, want, ErrMalformed} }

// A Header is what a message says before its frames.
type Header struct {
	Key    bool
	Number uint64 // of the message, from 1
	First  uint64 // number of the first frame
	Count  int    // frames covered, holes included
	Size   int    // length of the message in bytes
}

// A Decoder reads a stream. Its zero value takes up any stream at a key, and a copy goes on where it was. It takes 140 KB,
// and is not safe for concurrent use.
type Decoder struct {
	number uint64 // of the last message decoded, 0 before the first
	next   uint64 // the frame number that must follow
	coder  coder
}

// Number returns the number of the last message decoded, 0 before the first.
func (d *Decoder) Number() uint64 { return d.number }

// Decode reads one message and calls emit for each of its frames in order, nil for a hole. The picture is the
// decoder's own and is valid during the call only; emit may be nil.
//
// A message that is not the stream's next is refused with an error that wraps ErrDiscontinuous, and any other with one
// that wraps ErrMalformed. After the first the decoder is as it was; after the second it needs a key to go on. Frames
// emitted before an error are not to be trusted.
func (d *Decoder) Decode(message []byte, emit func(n uint64, p *donut.Picture)) (Header, error) {
	h, holes, rest, err := parseHeader(message)
	if err == nil {
		if err := d.follow(h); err != nil {
			return Header{}, err
		}
		err = d.decode(h, holes, message[:len(message)-len(rest)], rest, emit)
	}
	if err != nil {
		d.number, d.next = 0, 0
		return Header{}, err
	}
	d.number, d.next = h.Number, h.First+uint64(h.Count)
	return h, nil
}

// decode reads the frames of a message, whose header takes the bytes of header.
func (d *Decoder) decode(h Header, holes, header, payload []byte, emit func(n uint64, p *donut.Picture)) error {
	c := &d.coder
	if h.Key {
		c.forget()
	}
	c.sum = 0
	c.sum.fold(header)
	c.startReading(payload)
	defer func() { c.bytes = nil }() // which are the caller's
	for i := range h.Count {
		n, p := h.First+uint64(i), &c.picture
		switch {
		case len(holes) > 0 && holes[i/8]&(1<<(i%8)) != 0:
			p = nil
		case !c.readPicture():
			return malformed("frame", "damage in frame "+strconv.FormatUint(n, 10), "a picture")
		}
		if emit != nil {
			emit(n, p)
		}
	}
	if !c.end(c.sum.check()) {
		return malformed("end", "another check, or not the last byte", "the check of what is decoded")
	}
	return nil
}

// follow checks that a message with header h may come next.
func (d *Decoder) follow(h Header) error {
	discontinuous := func(field string, got uint64, want string) error {
		return &Error{field, strconv.FormatUint(got, 10), want, ErrDiscontinuous}
	}
	switch {
	case d.number == 0 && !h.Key:
		return discontinuous("number", h.Number, "a key first")
	case !h.Key && h.Number != d.number+1:
		return discontinuous("number", h.Number, strconv.FormatUint(d.number+1, 10))
	case !h.Key && h.First != d.next:
		return discontinuous("first", h.First, strconv.FormatUint(d.next, 10))
	case h.Number <= d.number:
		return discontinuous("number", h.Number, "over "+strconv.FormatUint(d.number, 10))
	case h.First < d.next:
		return discontinuous("first", h.First, "at least "+strconv.FormatUint(d.next, 10))
	}
	return nil
}

// ParseHeader returns the header of a message without decoding its frames. Its errors wrap ErrMalformed.
func ParseHeader(message []byte) (Header, error) {
	h, _, _, err := parseHeader(message)
	return h, err
}

func parseHeader(message []byte) (h Header, holes, rest []byte, err error) {
	fail := func(err error) (Header, []byte, []byte, error) { return Header{}, nil, nil, err }
	if len(message) < 1 {
		return fail(malformed("flags", "0 bytes", "1"))
	}
	flags, rest := message[0], message[1:]
	if flags&^(flagKey|flagHoles) != 0 {
		return fail(malformed("flags", "0x"+strconv.FormatUint(uint64(flags), 16), "at most 0x3"))
	}
	number, rest, err := uvarint("number", rest)
	if err != nil {
		return fail(err)
	}
	if number == 0 {
		return fail(malformed("number", "0", "at least 1"))
	}
	first, rest, err := uvarint("first", rest)
	if err != nil {
		return fail(err)
	}
	if len(rest) < 1 {
		return fail(malformed("count", "0 bytes", "1"))
	}
	count := int(rest[0])
	rest = rest[1:]
	if count < 1 || count > MaxFrames {
		return fail(malformed("count", strconv.Itoa(count), "1.."+strconv.Itoa(MaxFrames)))
	}
	if first > math.MaxUint64-uint64(count) {
		return fail(malformed("first", strconv.FormatUint(first, 10), "room for "+strconv.Itoa(count)+" frames"))
	}
	if flags&flagHoles != 0 {
		n := (count + 7) / 8
		if len(rest) < n {
			return fail(malformed("holes", "x"+" bytes", strconv.Itoa(n)))
		}
		holes, rest = rest[:n], rest[n:]
		any := byte(0)
		for _, b := range holes {
			any |= b
		}
		if any == 0 {
			return fail(malformed("holes", "none", "at least one"))
		}
		if count%8 != 0 && holes[n-1]>>(count%8) != 0 {
			return fail(malformed("holes", "one past the last frame", "none"))
		}
	}
	return Header{Key: flags&flagKey != 0, Number: number, First: first, Count: count, Size: len(message)}, holes, rest, nil
}

func uvarint(field string, b []byte) (v uint64, rest []byte, err error) {
	v, n := binary.Uvarint(b)
	switch {
	case n <= 0:
		return 0, nil, malformed(field, "an unfinished or oversized uvarint", "at most 10 bytes")
	case n > 1 && b[n-1] == 0:
		return 0, nil, malformed(field, "a uvarint of "+strconv.Itoa(n)+" bytes", "as few as the value takes")
	}
	return v, b[n:], nil
}
