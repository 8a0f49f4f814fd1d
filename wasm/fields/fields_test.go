package fields_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/fields"
)

// A step reads one field and returns it as it is to be written.
type step struct {
	name string
	read func(*fields.Reader) []byte
}

var steps = []step{
	{"uint8", func(r *fields.Reader) []byte { return []byte{r.Uint8("uint8")} }},
	{"uint16", func(r *fields.Reader) []byte { return binary.LittleEndian.AppendUint16(nil, r.Uint16("uint16")) }},
	{"uint32", func(r *fields.Reader) []byte { return binary.LittleEndian.AppendUint32(nil, r.Uint32("uint32")) }},
	{"uint64", func(r *fields.Reader) []byte { return binary.LittleEndian.AppendUint64(nil, r.Uint64("uint64")) }},
	{"int64", func(r *fields.Reader) []byte { return binary.LittleEndian.AppendUint64(nil, uint64(r.Int64("int64"))) }},
	{"uvarint", func(r *fields.Reader) []byte { return binary.AppendUvarint(nil, r.Uvarint("uvarint", math.MaxUint64)) }},
	{"take", func(r *fields.Reader) []byte { return bytes.Clone(r.Take("take", fields.MaxTake)) }},
}

func TestFieldsAreReadInTurn(t *testing.T) {
	b := []byte{1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8, 0xfe, 255, 255, 255, 255, 255, 255, 255, 0xac, 2, 21, 22, 23}
	r := fields.New("example", b)
	u8, u16, u32, u64, i64 := r.Uint8("a"), r.Uint16("b"), r.Uint32("c"), r.Uint64("d"), r.Int64("e")
	if u8 != 1 || u16 != 0x0203 || u32 != 0x04050607 || u64 != 0x08090a0b0c0d0e0f || i64 != -2 {
		t.Errorf("got %#x, %#x, %#x, %#x and %d", u8, u16, u32, u64, i64)
	}
	if v := r.Uvarint("f", 300); v != 300 {
		t.Errorf("the uvarint is %d, want 300", v)
	}
	taken, rest := r.Take("g", 1), r.Rest()
	if !bytes.Equal(taken, []byte{21}) || !bytes.Equal(rest, []byte{22, 23}) {
		t.Errorf("took %v and then %v", taken, rest)
	}
	if fault := r.End(); fault != nil || !r.OK() {
		t.Errorf("a message that was read to its end has the fault %v", fault)
	}
	if cap(taken) != 1 || &taken[0] != &b[len(b)-3] {
		t.Error("what was taken is no part of the message, or reaches beyond")
	}
}

// TestFaults has one way of being wrong after the other. Each is told by the field's name, and what follows reads as zero.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name      string
		message   []byte
		read      func(*fields.Reader)
		field     string
		got, want string
	}{
		{"a byte too few", make([]byte, 7), func(r *fields.Reader) { r.Uint64("x") }, "x", "7 bytes", "8"},
		{"a byte too many", make([]byte, 2), func(r *fields.Reader) { r.Uint8("x") }, "length", "1 bytes too many", "the end"},
		{"an unfinished uvarint", []byte{0x80}, func(r *fields.Reader) { r.Uvarint("x", 9) }, "x",
			"an unfinished or oversized uvarint", "at most 10 bytes"},
		{"no uvarint", nil, func(r *fields.Reader) { r.Uvarint("x", 9) }, "x",
			"an unfinished or oversized uvarint", "at most 10 bytes"},
		{"a uvarint of 65 bits", append(bytes.Repeat([]byte{0xff}, 9), 2), func(r *fields.Reader) { r.Uvarint("x", math.MaxUint64) },
			"x", "an unfinished or oversized uvarint", "at most 10 bytes"},
		{"a zero of two bytes", []byte{0x80, 0}, func(r *fields.Reader) { r.Uvarint("x", 9) }, "x",
			"a uvarint of 2 bytes", "as few as the value takes"},
		{"a uvarint past its limit", []byte{10}, func(r *fields.Reader) { r.Uvarint("x", 9) }, "x", "10", "0..9"},
		{"below a range", nil, func(r *fields.Reader) { r.Between("x", 1, 2, 3) }, "x", "1", "2..3"},
		{"above a range", nil, func(r *fields.Reader) { r.Between("x", 4, 2, 3) }, "x", "4", "2..3"},
		{"past the last frame", nil, func(r *fields.Reader) { r.Span(math.MaxUint64-1, 2) }, "first",
			"18446744073709551614", "room for 2 frames"},
		{"the first of two", nil, func(r *fields.Reader) { r.Fail("x", "this", "that"); r.Fail("y", "more", "less") }, "x",
			"this", "that"},
	} {
		r := fields.New("example", c.message)
		c.read(&r)
		fault := r.End()
		if want := (fields.Fault{Message: "example", Field: c.field, Got: c.got, Want: c.want}); fault == nil || *fault != want {
			t.Errorf("%s: the fault is %+v, want %+v", c.name, fault, want)
			continue
		}
		if r.OK() || r.Fault() != fault || fault.String() != "example: "+c.field+": got "+c.got+", want "+c.want {
			t.Errorf("%s: the fault is told as %v, want %v", c.name, r.Fault(), fault)
		}
		for _, s := range steps {
			if after := s.read(&r); len(bytes.Trim(after, "\x00")) != 0 {
				t.Errorf("%s: a later %s reads as %v", c.name, s.name, after)
			}
		}
		if rest := r.Rest(); len(rest) != 0 {
			t.Errorf("%s: %d bytes are left", c.name, len(rest))
		}
		r.Between("later", 5, 1, 2)
		r.Span(math.MaxUint64, 1)
		if r.End() != fault {
			t.Errorf("%s: a later fault takes the first one's place: %v", c.name, r.End())
		}
	}
}

func TestBordersPass(t *testing.T) {
	r := fields.New("example", []byte{9, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	r.Uvarint("at its limit", 9)
	if v := r.Uvarint("the largest", math.MaxUint64); v != math.MaxUint64 {
		t.Errorf("the largest uvarint is read as %d", v)
	}
	r.Between("low", 2, 2, 3)
	r.Between("high", 3, 2, 3)
	r.Span(math.MaxUint64-2, 2)
	if fault := r.End(); fault != nil {
		t.Error(fault)
	}
}

func TestReadingAllocatesNothing(t *testing.T) {
	b := binary.AppendUvarint(make([]byte, 8+fields.MaxTake), math.MaxUint64)
	if n := testing.AllocsPerRun(100, func() {
		r := fields.New("example", b)
		r.Uint64("a")
		r.Take("b", fields.MaxTake)
		r.Uvarint("c", math.MaxUint64)
		if r.End() != nil {
			t.Fatal(r.Fault())
		}
	}); n != 0 {
		t.Errorf("a message without faults allocates %v times", n)
	}
}

// FuzzReader reads a message by a script of steps. What was read before the first fault prints back to the bytes that it
// was read from, which are all of them if there is no fault.
func FuzzReader(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6}, []byte(strings.Repeat("\x81\x01", 40)))
	f.Add([]byte{5, 5, 5}, []byte{0x7f, 0x80, 0x00, 0xff})
	f.Fuzz(func(t *testing.T, script, b []byte) {
		before := bytes.Clone(b)
		r := fields.New("message", b)
		var printed []byte
		for _, s := range script {
			if read := steps[int(s)%len(steps)].read(&r); r.OK() {
				printed = append(printed, read...)
			}
		}
		if !bytes.HasPrefix(b, printed) {
			t.Errorf("% x was read as % x", b, printed)
		}
		if fault := r.End(); fault == nil && len(printed) != len(b) {
			t.Errorf("%d of %d bytes were taken for all", len(printed), len(b))
		} else if fault != nil && (fault.Field == "" || fault.Got == "" || fault.Want == "") {
			t.Errorf("the fault does not say what was wrong: %+v", fault)
		}
		if !bytes.Equal(b, before) {
			t.Errorf("% x was changed to % x", before, b)
		}
	})
}
