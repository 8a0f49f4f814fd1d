package cluster

import (
	"encoding/binary"
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError says which field of which message was malformed, what was got and what was wanted.
type SyntaxError struct {
	Message   string // the kind's name
	Field     string
	Got, Want string
}

func (e *SyntaxError) Error() string {
	return "cluster: " + e.Message + ": " + e.Field + ": got " + e.Got + ", want " + e.Want
}

// A reader takes fields off the front of a message and remembers the first thing that was wrong. After that every field
// reads as zero, so that parsers check once, at the end.
type reader struct {
	message string
	from    uint64
	rest    []byte
	err     error
}

// read takes a message's header.
func read(b []byte, want kind) *reader {
	r := &reader{message: kindNames[want], rest: b}
	if got := r.uint8("kind"); r.err == nil && kind(got) != want {
		r.fail("kind", strconv.Itoa(int(got)), strconv.Itoa(int(want)))
	}
	if got := r.uint8("version"); r.err == nil && got != Version {
		r.fail("version", strconv.Itoa(int(got)), strconv.Itoa(Version))
	}
	if r.from = r.uint64("from"); r.err == nil && r.from == 0 {
		r.fail("from", "0", "an identity")
	}
	return r
}

func (r *reader) fail(field, got, want string) {
	if r.err == nil {
		r.err = &SyntaxError{r.message, field, got, want}
	}
	r.rest = nil
}

var zeros [32]byte

// take returns the next n bytes, aliasing the message, or zeros after a failure; n is at most len(zeros).
func (r *reader) take(field string, n int) []byte {
	if r.err == nil && len(r.rest) < n {
		r.fail(field, strconv.Itoa(len(r.rest))+" bytes", strconv.Itoa(n))
	}
	if r.err != nil {
		return zeros[:n]
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) uint8(field string) uint8   { return r.take(field, 1)[0] }
func (r *reader) uint64(field string) uint64 { return binary.LittleEndian.Uint64(r.take(field, 8)) }

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
	r.between(field, v, 0, limit)
	return v
}

// amount reads a float64 that is finite and not negative; its 0 has no sign.
func (r *reader) amount(field string) float64 {
	v := math.Float64frombits(r.uint64(field))
	if r.err == nil && (math.Signbit(v) || math.IsNaN(v) || math.IsInf(v, 0)) {
		r.fail(field, strconv.FormatFloat(v, 'g', -1, 64), "a finite number from 0 on")
	}
	return v
}

// name reads all that is left as a server's name.
func (r *reader) name(field string) string {
	s := string(r.rest)
	if r.err == nil && !validName(s) {
		r.fail(field, strconv.QuoteToASCII(s), "1.."+strconv.Itoa(maxName)+" bytes of printable UTF-8")
	}
	r.rest = nil
	return s
}

func validName(s string) bool {
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= maxName && utf8.ValidString(s)
}

func (r *reader) between(field string, v, low, high uint64) {
	if r.err == nil && (v < low || v > high) {
		r.fail(field, strconv.FormatUint(v, 10), strconv.FormatUint(low, 10)+".."+strconv.FormatUint(high, 10))
	}
}

// ordered checks that b is not before a.
func (r *reader) ordered(field string, a, b int64) {
	if r.err == nil && b < a {
		r.fail(field, strconv.FormatInt(b, 10), "at least "+strconv.FormatInt(a, 10))
	}
}

// span checks that count frames from first on have numbers that a uint64 holds.
func (r *reader) span(first uint64, count int) {
	if r.err == nil && first > math.MaxUint64-uint64(count) {
		r.fail("first", strconv.FormatUint(first, 10), "room for "+strconv.Itoa(count)+" frames")
	}
}

// end checks that nothing is left over.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) != 0 {
		r.fail("length", strconv.Itoa(len(r.rest))+" bytes too many", "the end")
	}
	return r.err
}
