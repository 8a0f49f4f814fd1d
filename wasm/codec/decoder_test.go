package codec

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

// encoded is a stream of six messages of two frames, keys at the first and the fourth.
func encoded() (messages [][]byte, want [][]*donut.Picture) {
	var e Encoder
	c := donutFrames()
	for i := range 6 {
		fs := frames(c, uint64(2*i), 2, nil)
		messages, want = append(messages, e.Append(nil, uint64(2*i), fs, i%3 == 0)), append(want, fs)
	}
	return messages, want
}

// wantRefused decodes a message that must be refused with an error that wraps kind and says what was got and wanted.
func wantRefused(t *testing.T, d *Decoder, message []byte, kind error, field string) {
	t.Helper()
	h, err := d.Decode(message, nil)
	var typed *Error
	if !errors.Is(err, kind) || !errors.As(err, &typed) || h != (Header{}) {
		t.Fatalf("Decode gives %+v, %v, want an *Error that wraps %q", h, err, kind)
	}
	if field != "" && typed.Field != field {
		t.Errorf("error %q is about %s, want %s", err, typed.Field, field)
	}
	if typed.Got == "" || typed.Want == "" ||
		!strings.Contains(err.Error(), "got "+typed.Got) || !strings.Contains(err.Error(), "want "+typed.Want) {
		t.Errorf("error %q does not say what was got and wanted", err)
	}
}

func TestContinuity(t *testing.T) {
	messages, want := encoded()
	for _, c := range []struct {
		name    string
		before  []int // messages that are taken
		refused int
		field   string
		next    int // the message that is taken after that
	}{
		{"no key first", nil, 1, "number", 0},
		{"skip", []int{0}, 2, "number", 1},
		{"reorder", []int{3, 4}, 2, "number", 5},
		{"duplicate", []int{0, 1}, 1, "number", 2},
		{"duplicate key", []int{0}, 0, "number", 1},
		{"stale key", []int{3}, 0, "number", 4},
		{"key recovers from a skip", []int{0}, 5, "number", 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d Decoder
			for _, i := range c.before {
				wantDecoded(t, &d, messages[i], uint64(2*i), want[i])
			}
			number := d.Number()
			wantRefused(t, &d, messages[c.refused], ErrDiscontinuous, c.field)
			if d.Number() != number {
				t.Errorf("decoder is at %d after the refusal, want %d", d.Number(), number)
			}
			wantDecoded(t, &d, messages[c.next], uint64(2*c.next), want[c.next])
		})
	}
}

// TestFrameNumbersGoOn has message numbers that follow each other while frame numbers do not.
func TestFrameNumbersGoOn(t *testing.T) {
	for _, c := range []struct {
		name    string
		first   uint64 // of the second message; the first one covers 100 and 101
		key, ok bool
	}{
		{"next", 102, false, true},
		{"gap", 103, false, false},
		{"back", 101, false, false},
		{"key after a gap", 200, true, true},
		{"key that overlaps", 101, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e Encoder
			var d Decoder
			fs := []*donut.Picture{blank(0), brightest(0)}
			wantDecoded(t, &d, e.Append(nil, 100, fs, true), 100, fs)
			message := e.Append(nil, c.first, fs, c.key)
			if c.ok {
				wantDecoded(t, &d, message, c.first, fs)
				return
			}
			wantRefused(t, &d, message, ErrDiscontinuous, "first")
		})
	}
}

// TestDamaged cuts a message at each byte, and changes each byte: a decoder refuses every one of them. It goes on with
// the right message where it was told that this is not the next, and needs a key else.
func TestDamaged(t *testing.T) {
	for _, c := range []struct {
		name    string
		content content
		hole    func(n uint64) bool
	}{
		{"donut", donutFrames(), nil},
		{"donut with a hole", donutFrames(), func(n uint64) bool { return n == 2 }},
		{"noise with a hole", noise, func(n uint64) bool { return n == 2 }},
		{"blank", blank, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var e Encoder
			key := e.Append(nil, 0, frames(c.content, 0, 1, nil), true)
			want := frames(c.content, 1, 2, c.hole)
			message := e.Append(nil, 1, want, false)
			refuses := func(what string, damaged []byte) {
				t.Helper()
				var d Decoder
				if _, err := d.Decode(key, nil); err != nil {
					t.Fatal(err)
				}
				_, err := d.Decode(damaged, func(_ uint64, p *donut.Picture) {
					if p != nil {
						p.AppendText(nil) // panics on what is no level
					}
				})
				switch {
				case errors.Is(err, ErrDiscontinuous):
					wantDecoded(t, &d, message, 1, want)
				case !errors.Is(err, ErrMalformed):
					t.Fatalf("%s gives %v, want an error that wraps a sentinel", what, err)
				case d.Number() != 0:
					t.Fatalf("%s leaves the decoder at message %d, want it to need a key", what, d.Number())
				}
			}
			for i := range message {
				refuses(fmt.Sprintf("the first %d of %d bytes", i, len(message)), message[:i:i])
				for _, change := range []byte{1 << (i % 8), byte(1 + i%255)} {
					damaged := bytes.Clone(message)
					damaged[i] ^= change
					refuses(fmt.Sprintf("byte %d of %d changed by %#x", i, len(message), change), damaged)
				}
			}
			for _, more := range []byte{0x00, 0x5a} {
				refuses("a byte too many", append(bytes.Clone(message), more))
			}
		})
	}
}

// TestForeign gives a decoder the right message of another stream: the same header, but what came before was different.
func TestForeign(t *testing.T) {
	c := donutFrames()
	var here, there Encoder
	var d Decoder
	wantDecoded(t, &d, here.Append(nil, 0, frames(c, 0, 2, nil), true), 0, frames(c, 0, 2, nil))
	there.Append(nil, 0, frames(c, 10, 2, nil), true)
	wantRefused(t, &d, there.Append(nil, 2, frames(c, 12, 2, nil), false), ErrMalformed, "")
}

func TestMalformed(t *testing.T) {
	const (
		key   = "\x01\x01\x00\x01" // message 1, of frame 0 alone
		holed = "\x03\x01\x00"     // the same with holes, before its count
		tens  = "\xff\xff\xff\xff\xff\xff\xff\xff\xff"
	)
	for _, c := range []struct{ name, message, field string }{
		{"empty", "", "flags"},
		{"unknown flag", "\x05\x01\x00\x01", "flags"},
		{"number 0", "\x01\x00\x00\x01", "number"},
		{"number unfinished", "\x01\x80", "number"},
		{"number not minimal", "\x01\x81\x00\x00\x01", "number"},
		{"number over 64 bits", "\x01" + tens + "\x02\x00\x01", "number"},
		{"first unfinished", "\x01\x01", "first"},
		{"first not minimal", "\x01\x01\x80\x00\x01", "first"},
		{"first past the last frame", "\x01\x01" + tens + "\x01\x01", "first"},
		{"no count", "\x01\x01\x00", "count"},
		{"count 0", "\x01\x01\x00\x00", "count"},
		{"count too large", "\x01\x01\x00\x79", "count"},
		{"holes cut short", holed + "\x09\x01", "holes"},
		{"holes without one", holed + "\x09\x00\x00", "holes"},
		{"hole past the last frame", holed + "\x07\x80", "holes"},
		{"no frame", key, "frame"},
		{"the greatest number", key + strings.Repeat("\xff", 900), "frame"}, // plain, of levels that are none
		{"nothing but its end", key + strings.Repeat("\x00", 900), "end"},
		{"holes alone, without an end", holed + "\x01\x01", "end"},
		{"holes alone, and too much", holed + "\x01\x01" + strings.Repeat("\x00", 5), "end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			messages, want := encoded()
			var d Decoder
			wantRefused(t, &d, []byte(c.message), ErrMalformed, c.field)
			if _, err := ParseHeader([]byte(c.message)); err != nil && !errors.Is(err, ErrMalformed) {
				t.Errorf("ParseHeader gives %v, want an error that wraps ErrMalformed", err)
			}

			// In the middle of a stream it costs the rest of the group.
			wantDecoded(t, &d, messages[0], 0, want[0])
			message := []byte(c.message)
			if len(message) > 3 && message[1] == 1 && message[2] == 0 {
				message[1], message[2] = 2, 2 // the stream's next
			}
			wantRefused(t, &d, message, ErrMalformed, "")
			if d.Number() != 0 {
				t.Errorf("decoder is at %d after a malformed message, want 0", d.Number())
			}
			wantRefused(t, &d, messages[1], ErrDiscontinuous, "number")
			wantDecoded(t, &d, messages[3], 6, want[3])
		})
	}
}

func TestLastNumbers(t *testing.T) {
	e := Encoder{number: math.MaxUint64 - 1}
	fs := make([]*donut.Picture, MaxFrames)
	message := e.Append(nil, math.MaxUint64-MaxFrames, fs, true)
	var d Decoder
	if h := wantDecoded(t, &d, message, math.MaxUint64-MaxFrames, fs); h.Number != math.MaxUint64 {
		t.Errorf("number is %d, want %d", h.Number, uint64(math.MaxUint64))
	}
}
