// Package fields reads binary messages field by field, for whoever gives the bytes a meaning: messages between server
// and tabs, the stream within them, messages between servers.
//
// Integers are little-endian. A uvarint is a LEB128 of at most 64 bits in as few bytes as its value takes, so that each
// value has one spelling.
package fields

import (
	"encoding/binary"
	"math"
	"strconv"
)

// MaxTake is the most bytes that Take takes at once: a SHA-256.
const MaxTake = 32

// A Fault says what was wrong with a message: which of its fields, what was got and what was wanted. It is no error by
// itself, since only a protocol can say whose message it is: each makes an error type of its own of it.
type Fault struct {
	Message   string // what was being read, as in "lease"
	Field     string
	Got, Want string
}

// String returns the fault in one line: "lease: count: got 0, want 1..120".
func (f *Fault) String() string {
	return f.Message + ": " + f.Field + ": got " + f.Got + ", want " + f.Want
}

// A Reader takes fields off the front of a message and remembers the first thing that was wrong. After that every field
// reads as zero and every check passes, so that parsers look once, at the end, and only sooner where they would
// allocate or loop by what they have read.
//
// It never writes to the message and never panics over it, and is not safe for concurrent use. As a variable of its
// parser it stays on the stack.
type Reader struct {
	message string
	rest    []byte
	fault   *Fault
}

// New returns a reader of b, which faults call by the name of message.
func New(message string, b []byte) Reader { return Reader{message: message, rest: b} }

// Fault returns the first thing that was wrong, nil so far if nothing was.
func (r *Reader) Fault() *Fault { return r.fault }

// OK reports whether nothing was wrong so far.
func (r *Reader) OK() bool { return r.fault == nil }

// Fail notes that a field is wrong, unless something before it was.
func (r *Reader) Fail(field, got, want string) {
	if r.fault == nil {
		r.fault = &Fault{r.message, field, got, want}
	}
	r.rest = nil
}

var zeros [MaxTake]byte

// Take returns the next n bytes, at most MaxTake. They alias the message, or are n zeros after a fault, and are not to
// be written to either way.
func (r *Reader) Take(field string, n int) []byte {
	if r.fault == nil && len(r.rest) < n {
		r.Fail(field, strconv.Itoa(len(r.rest))+" bytes", strconv.Itoa(n))
	}
	if r.fault != nil {
		return zeros[:n:n]
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// Uint8 reads a byte.
func (r *Reader) Uint8(field string) uint8 { return r.Take(field, 1)[0] }

// Uint16 reads two bytes.
func (r *Reader) Uint16(field string) uint16 { return binary.LittleEndian.Uint16(r.Take(field, 2)) }

// Uint32 reads four bytes.
func (r *Reader) Uint32(field string) uint32 { return binary.LittleEndian.Uint32(r.Take(field, 4)) }

// Uint64 reads eight bytes.
func (r *Reader) Uint64(field string) uint64 { return binary.LittleEndian.Uint64(r.Take(field, 8)) }

// Int64 reads eight bytes in two's complement.
func (r *Reader) Int64(field string) int64 { return int64(r.Uint64(field)) }

// Uvarint reads a uvarint of at most limit; what is beyond that is a fault, and still returned.
func (r *Reader) Uvarint(field string, limit uint64) uint64 {
	if r.fault != nil {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	switch {
	case n <= 0:
		r.Fail(field, "an unfinished or oversized uvarint", "at most 10 bytes")
		return 0
	case n > 1 && r.rest[n-1] == 0:
		r.Fail(field, "a uvarint of "+strconv.Itoa(n)+" bytes", "as few as the value takes")
		return 0
	}
	r.rest = r.rest[n:]
	r.Between(field, v, 0, limit)
	return v
}

// Between checks that a field's value is low to high, both included.
func (r *Reader) Between(field string, v, low, high uint64) {
	if r.fault == nil && (v < low || v > high) {
		r.Fail(field, strconv.FormatUint(v, 10), strconv.FormatUint(low, 10)+".."+strconv.FormatUint(high, 10))
	}
}

// Span checks that count frames from the field "first" on, at least 0, have numbers that a uint64 holds, and so has the
// one after them.
func (r *Reader) Span(first uint64, count int) {
	if r.fault == nil && first > math.MaxUint64-uint64(count) {
		r.Fail("first", strconv.FormatUint(first, 10), "room for "+strconv.Itoa(count)+" frames")
	}
}

// Rest takes all that is left, which aliases the message. It is empty after a fault.
func (r *Reader) Rest() []byte {
	b := r.rest
	r.rest = nil
	return b
}

// End checks that nothing is left, and returns the first thing that was wrong with the message, nil if nothing was.
func (r *Reader) End() *Fault {
	if r.fault == nil && len(r.rest) != 0 {
		r.Fail("length", strconv.Itoa(len(r.rest))+" bytes too many", "the end")
	}
	return r.fault
}
