package wire

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

// wantSyntaxError checks that err names the message and the field, and says what was got and wanted.
func wantSyntaxError(t *testing.T, err error, message, field string) {
	t.Helper()
	var syntax *SyntaxError
	if !errors.As(err, &syntax) {
		t.Fatalf("error is %v (%T), want a *SyntaxError", err, err)
	}
	if syntax.Message != message || field != "" && syntax.Field != field {
		t.Errorf("error is about %s: %s, want %s: %s: %v", syntax.Message, syntax.Field, message, field, err)
	}
	text := err.Error()
	if syntax.Got == "" || syntax.Want == "" ||
		!strings.Contains(text, "got "+syntax.Got) || !strings.Contains(text, "want "+syntax.Want) {
		t.Errorf("error %q does not say what was got and wanted", text)
	}
}

func TestTruncated(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.kind.String(), func(t *testing.T) {
			b := l.message.Append(nil)
			for n := range b {
				_, err := l.parse(b[:n:n])
				wantSyntaxError(t, err, l.kind.String(), "")
			}
		})
	}
}

func TestWrongKind(t *testing.T) {
	for _, l := range layouts {
		for _, other := range layouts {
			if l.kind != other.kind {
				_, err := l.parse(other.message.Append(nil))
				wantSyntaxError(t, err, l.kind.String(), "kind")
			}
		}
	}
}

func TestTrailingByte(t *testing.T) {
	for _, l := range layouts {
		field := "length"
		switch l.kind {
		case KindBroadcast:
			continue // its stream takes the rest
		case KindResult:
			field = "frames"
		}
		_, err := l.parse(append(l.message.Append(nil), 0))
		wantSyntaxError(t, err, l.kind.String(), field)
	}
}

// edited returns m with an edit.
func edited[M message](m M, edit func(*M)) M {
	edit(&m)
	return m
}

// TestOutOfRange prints messages that Append lets through and parsers must not.
func TestOutOfRange(t *testing.T) {
	lease := layoutOf(t, KindLease).message.(Lease)
	welcome := layoutOf(t, KindWelcome).message.(Welcome)
	result := layoutOf(t, KindResult).message.(Result)
	broadcast := layoutOf(t, KindBroadcast).message.(Broadcast)

	ringOf := func(first uint64, runs ...RingRun) Broadcast {
		return edited(broadcast, func(m *Broadcast) { m.Ring = Ring{first, runs} })
	}
	one := RingRun{State: RingReady, Count: 1}
	boardOf := func(board ...Contributor) Broadcast {
		return edited(broadcast, func(m *Broadcast) { m.Board = board })
	}
	crowd := func(size uint32) (board []Contributor) {
		for i := range size {
			board = append(board, Contributor{Owner: 1 + i, Verified: 1})
		}
		return board
	}

	for _, c := range []struct {
		name    string
		message message
		field   string
	}{
		{"hello with a thread too many", Hello{Threads: MaxThreads + 1}, "threads"},
		{"result of no frames", edited(result, func(m *Result) { m.Frames = nil }), "count"},
		{"result of too many frames", edited(result, func(m *Result) { m.Frames = make([]byte, (MaxChunk+1)*PackedSize) }), "count"},
		{"result past the last frame", edited(result, func(m *Result) { m.First = math.MaxUint64 }), "first"},
		{"result with a bad low nibble", edited(result, func(m *Result) { m.Frames = badNibble(0, 0x0d) }), "frames"},
		{"result with a bad high nibble", edited(result, func(m *Result) { m.Frames = badNibble(PackedSize-1, 0xd0) }), "frames"},
		{"welcome at detail 0", edited(welcome, func(m *Welcome) { m.Detail = 0 }), "detail"},
		{"welcome past the finest detail", edited(welcome, func(m *Welcome) { m.Detail = donut.MaxDetail + 1 }), "detail"},
		{"welcome with a thread too many", edited(welcome, func(m *Welcome) { m.Threads = MaxThreads + 1 }), "threads"},
		{"welcome to nobody", edited(welcome, func(m *Welcome) { m.You = 0 }), "you"},
		{"lease to a thread too many", edited(lease, func(m *Lease) { m.Thread = MaxThreads }), "thread"},
		{"lease at detail 0", edited(lease, func(m *Lease) { m.Detail = 0 }), "detail"},
		{"lease past the finest detail", edited(lease, func(m *Lease) { m.Detail = donut.MaxDetail + 1 }), "detail"},
		{"lease of no frames", edited(lease, func(m *Lease) { m.Count = 0 }), "count"},
		{"lease of too many frames", edited(lease, func(m *Lease) { m.Count = MaxChunk + 1 }), "count"},
		{"lease past the last frame", edited(lease, func(m *Lease) { m.First, m.Count = math.MaxUint64-119, 120 }), "first"},
		{"goodbye for no reason", Goodbye{}, "reason"},
		{"goodbye for an unknown reason", Goodbye{Reason: reasonEnd}, "reason"},
		{"ring of an unknown state", ringOf(0, RingRun{State: ringStates, Count: 1}), "ring's state"},
		{"ring with an empty run", ringOf(0, one, RingRun{State: RingReady}), "ring's count"},
		{"ring past the last frame", ringOf(math.MaxUint64-1, one, one), "ring's count"},
		{"ring whose run wraps", ringOf(2, one, RingRun{State: RingReady, Count: math.MaxUint64 - 1}), "ring's count"},
		{"ring of too many runs", ringOf(0, make([]RingRun, MaxRingRuns+1)...), "ring's runs"},
		{"board with a contributor too many", boardOf(crowd(MaxBoard + 1)...), "board's length"},
		{"board with the server", boardOf(Contributor{0, 1}), "board's owner"},
		{"board with somebody twice", boardOf(Contributor{7, 9}, Contributor{8, 9}, Contributor{7, 8}), "board's owner"},
		{"board with somebody who did nothing", boardOf(Contributor{7, 9}, Contributor{8, 0}), "board's verified"},
		{"board that starts with the least", boardOf(Contributor{7, 9}, Contributor{8, 10}), "board's verified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.message.Append(nil)
			l := layoutOf(t, KindOf(b))
			_, err := l.parse(b)
			wantSyntaxError(t, err, l.kind.String(), c.field)
		})
	}
}

// TestInRange holds the edges from the inside.
func TestInRange(t *testing.T) {
	lease := layoutOf(t, KindLease).message.(Lease)
	lease.First, lease.Count = math.MaxUint64-MaxChunk, MaxChunk
	if _, err := ParseLease(lease.Append(nil)); err != nil {
		t.Errorf("a lease of the last frames is refused: %v", err)
	}
	broadcast := layoutOf(t, KindBroadcast).message.(Broadcast)
	broadcast.Ring = Ring{First: 3, Runs: []RingRun{{Count: math.MaxUint64 - 3}}}
	if _, err := ParseBroadcast(broadcast.Append(nil)); err != nil {
		t.Errorf("a ring up to the last frame is refused: %v", err)
	}
	broadcast.Ring.Runs = make([]RingRun, MaxRingRuns)
	for i := range broadcast.Ring.Runs {
		broadcast.Ring.Runs[i].Count = 1
	}
	if _, err := ParseBroadcast(broadcast.Append(nil)); err != nil {
		t.Errorf("a ring of %d runs is refused: %v", MaxRingRuns, err)
	}
	broadcast.Board = nil
	for i := range uint32(MaxBoard) {
		broadcast.Board = append(broadcast.Board, Contributor{Owner: math.MaxUint32 - i, Verified: math.MaxUint64})
	}
	if _, err := ParseBroadcast(broadcast.Append(nil)); err != nil {
		t.Errorf("a board of %d is refused: %v", MaxBoard, err)
	}
}

func TestUvarint(t *testing.T) {
	const head, tail = "85 04030201", "02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 00 00 00 aa"
	for _, c := range []struct {
		name, viewers string
		ok            bool
	}{
		{"one byte", "00", true},
		{"two bytes", "8001", true},
		{"the greatest", "ffffffffffffffffff01", true},
		{"zero in two bytes", "8000", false},
		{"one in three bytes", "818000", false},
		{"zero in ten bytes", "80808080808080808000", false},
		{"over 64 bits", "ffffffffffffffffff02", false},
		{"eleven bytes", "8080808080808080808001", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseBroadcast(decodeHex(t, head+c.viewers+tail))
			if c.ok {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			wantSyntaxError(t, err, "broadcast", "viewers")
		})
	}

	oneRun := func(owner string) []byte {
		return decodeHex(t, head+"01"+strings.Replace(tail, "00 00 00 aa", "00 01 03 "+owner+" 01 00 aa", 1))
	}
	if _, err := ParseBroadcast(oneRun("ffffffff0f")); err != nil {
		t.Errorf("the greatest owner is refused: %v", err)
	}
	_, err := ParseBroadcast(oneRun("8080808010"))
	wantSyntaxError(t, err, "broadcast", "ring's owner")

	oneContributor := func(owner string) []byte {
		return decodeHex(t, head+"01"+strings.Replace(tail, "00 00 00 aa", "00 00 01 "+owner+" 01 aa", 1))
	}
	if _, err := ParseBroadcast(oneContributor("ffffffff0f")); err != nil {
		t.Errorf("the greatest owner on a board is refused: %v", err)
	}
	_, err = ParseBroadcast(oneContributor("8180808010"))
	wantSyntaxError(t, err, "broadcast", "board's owner")
}

func TestHelloOfAnotherVersion(t *testing.T) {
	for _, rest := range []string{"", "00", "ffffffff", strings.Repeat("00", 200)} {
		b := decodeHex(t, fmt.Sprintf("01 %02x", Version+1)+rest)
		_, err := ParseHello(b)
		var version *VersionError
		if !errors.As(err, &version) || version.Got != Version+1 {
			t.Errorf("ParseHello(%x) fails with %v, want a *VersionError of %d", b, err, Version+1)
			continue
		}
		if want := fmt.Sprintf("got %d, want %d", Version+1, Version); !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestWelcomeOfAnotherVersion(t *testing.T) {
	b := layoutOf(t, KindWelcome).message.Append(nil)
	b[1] = Version + 1
	_, err := ParseWelcome(b)
	wantSyntaxError(t, err, "welcome", "version")
}
