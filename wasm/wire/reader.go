package wire

import "github.com/distributed-donut/donut/wasm/fields"

// A SyntaxError says which field of which message was malformed, what was got and what was wanted. Message is the
// kind's name.
type SyntaxError fields.Fault

func (e *SyntaxError) Error() string { return "wire: " + (*fields.Fault)(e).String() }

// A reader reads a message whose faults are SyntaxErrors.
type reader struct{ fields.Reader }

// read starts a message and takes its kind. It returns a value so that the reader stays on its parser's stack.
func read(b []byte, want Kind) reader {
	r := reader{fields.New(want.String(), b)}
	if got := Kind(r.Uint8("kind")); got != want {
		r.Fail("kind", got.String(), want.String())
	}
	return r
}

// end checks that nothing is left over, and returns the first thing that was wrong.
func (r *reader) end() error {
	if fault := r.End(); fault != nil {
		return (*SyntaxError)(fault)
	}
	return nil
}
