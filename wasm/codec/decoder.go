package codec

import (
	"errors"
	"math"
	"slices"
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/fields"
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
	r := fields.New("header", message)
	flags := r.Uint8("flags")
	r.Between("flags", uint64(flags), 0, flagKey|flagHoles)
	h = Header{Key: flags&flagKey != 0, Size: len(message)}
	h.Number = r.Uvarint("number", math.MaxUint64)
	r.Between("number", h.Number, 1, math.MaxUint64)
	h.First = r.Uvarint("first", math.MaxUint64)
	h.Count = int(r.Uint8("count"))
	r.Between("count", uint64(h.Count), 1, MaxFrames)
	r.Span(h.First, h.Count)
	if flags&flagHoles != 0 {
		holes = r.Take("holes", (h.Count+7)/8)
		if !slices.ContainsFunc(holes, func(b byte) bool { return b != 0 }) {
			r.Fail("holes", "none", "at least one")
		}
		if h.Count%8 != 0 && holes[len(holes)-1]>>(h.Count%8) != 0 {
			r.Fail("holes", "one past the last frame", "none")
		}
	}
	rest = r.Rest()
	if fault := r.Fault(); fault != nil {
		return Header{}, nil, nil, malformed(fault.Field, fault.Got, fault.Want)
	}
	return h, holes, rest, nil
}
