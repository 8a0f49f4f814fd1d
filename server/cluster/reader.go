package cluster

import (
	"math"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/distributed-donut/donut/wasm/fields"
)

// A SyntaxError says which field of which message was malformed, what was got and what was wanted. Message is the
// kind's name.
type SyntaxError fields.Fault

func (e *SyntaxError) Error() string { return "cluster: " + (*fields.Fault)(e).String() }

// A reader reads a message whose faults are SyntaxErrors.
type reader struct {
	fields.Reader
	from uint64 // the sender's identity
}

// read takes a message's header. It returns a value so that the reader stays on its parser's stack.
func read(b []byte, want kind) reader {
	r := reader{Reader: fields.New(kindNames[want], b)}
	if got := r.Uint8("kind"); kind(got) != want {
		r.Fail("kind", strconv.Itoa(int(got)), strconv.Itoa(int(want)))
	}
	if got := r.Uint8("version"); got != Version {
		r.Fail("version", strconv.Itoa(int(got)), strconv.Itoa(Version))
	}
	if r.from = r.Uint64("from"); r.from == 0 {
		r.Fail("from", "0", "an identity")
	}
	return r
}

// amount reads a float64 that is finite and not negative; its 0 has no sign.
func (r *reader) amount(field string) float64 {
	v := math.Float64frombits(r.Uint64(field))
	if math.Signbit(v) || math.IsNaN(v) || math.IsInf(v, 0) {
		r.Fail(field, strconv.FormatFloat(v, 'g', -1, 64), "a finite number from 0 on")
	}
	return v
}

// name reads all that is left as a server's name.
func (r *reader) name(field string) string {
	s := string(r.Rest())
	if !validName(s) {
		r.Fail(field, strconv.QuoteToASCII(s), "1.."+strconv.Itoa(maxName)+" bytes of printable UTF-8")
	}
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

// ordered checks that b is not before a.
func (r *reader) ordered(field string, a, b int64) {
	if b < a {
		r.Fail(field, strconv.FormatInt(b, 10), "at least "+strconv.FormatInt(a, 10))
	}
}

// err returns the first thing that was wrong so far.
func (r *reader) err() error { return syntaxError(r.Fault()) }

// end checks that nothing is left over, and returns the first thing that was wrong.
func (r *reader) end() error { return syntaxError(r.End()) }

func syntaxError(fault *fields.Fault) error {
	if fault == nil {
		return nil
	}
	return (*SyntaxError)(fault)
}
