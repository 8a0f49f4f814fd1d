package wire

import (
	"encoding/binary"
	"strconv"
)

// A reader takes fields off the front of a message and remembers the first thing that was wrong. After that every
// field reads as zero, so that parsers check once, at the end.
type reader struct {
	message string
	rest    []byte
	err     error
}

// read starts a message and takes its kind. It returns a value so that the reader stays on its parser's stack.
func read(b []byte, want Kind) reader {
	r := reader{message: want.String(), rest: b}
	if got := Kind(r.uint8("kind")); r.err == nil && got != want {
		r.fail("kind", got.String(), want.String())
	}
	return r
}

func (r *reader) fail(field, got, want string) {
	if r.err == nil {
		r.err = &SyntaxError{r.message, field, got, want}
	}
	r.rest = nil
}

// take returns the next n bytes, aliasing the message, or n zeros after a failure (up to the widest integer).
func (r *reader) take(field string, n int) []byte {
	if r.err == nil && len(r.rest) < n {
		r.fail(field, strconv.Itoa(len(r.rest))+" bytes", strconv.Itoa(n))
	}
	if r.err != nil {
		return zeros[:min(n, len(zeros))]
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

var zeros [32]byte

func (r *reader) uint8(field string) uint8   { return r.take(field, 1)[0] }
func (r *reader) uint16(field string) uint16 { return binary.LittleEndian.Uint16(r.take(field, 2)) }
func (r *reader) uint32(field string) uint32 { return binary.LittleEndian.Uint32(r.take(field, 4)) }
func (r *reader) uint64(field string) uint64 { return binary.LittleEndian.Uint64(r.take(field, 8)) }
func (r *reader) int64(field string) int64   { return int64(r.uint64(field)) }

// uvarint reads a number of at most limit, in as few bytes as it can be written in.
func (r *reader) uvarint(field string, limit uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	switch {
	case n <= 0:
		r.fail(field, "an unfinished or oversized uvarint", "at most 10 bytes")
		return 0
	case n > 1 && r.rest[n-1] == 0:
		r.fail(field, "a uvarint of "+strconv.Itoa(n)+" bytes", "as few as the value takes")
		return 0
	}
	r.rest = r.rest[n:]
	r.atMost(field, v, limit)
	return v
}

func (r *reader) atMost(field string, v, limit uint64) {
	if r.err == nil && v > limit {
		r.fail(field, strconv.FormatUint(v, 10), "at most "+strconv.FormatUint(limit, 10))
	}
}

func (r *reader) between(field string, v, low, high uint64) {
	if r.err == nil && (v < low || v > high) {
		r.fail(field, strconv.FormatUint(v, 10), strconv.FormatUint(low, 10)+".."+strconv.FormatUint(high, 10))
	}
}

// span checks that count frames from first on have numbers that a uint64 holds.
func (r *reader) span(first uint64, count int) {
	if r.err == nil && first+uint64(count) < first {
		r.fail("first", strconv.FormatUint(first, 10), "room for "+strconv.Itoa(count)+" frames")
	}
}

// remaining takes all that is left, aliasing the message.
func (r *reader) remaining() []byte {
	b := r.rest
	r.rest = nil
	return b
}

// end checks that nothing is left over.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) != 0 {
		r.fail("length", strconv.Itoa(len(r.rest))+" bytes too many", "the end")
	}
	return r.err
}
