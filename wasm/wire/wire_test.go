package wire

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func TestEveryKindHasALayout(t *testing.T) {
	for kind, name := range kindNames {
		if name != "" {
			layoutOf(t, Kind(kind))
		}
	}
	for kind, want := range map[Kind]string{
		KindHello: "hello", KindGoodbye: "goodbye", 0: "kind 0x0", KindGoodbye + 1: "kind 0x87",
	} {
		if got := kind.String(); got != want {
			t.Errorf("the name of kind %d is %q, want %q", uint8(kind), got, want)
		}
	}
}

func TestGoldenLayouts(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.kind.String(), func(t *testing.T) {
			want := decodeHex(t, l.hex)
			if got := l.message.Append(nil); !bytes.Equal(got, want) {
				t.Errorf("%+v prints\n%x, want\n%x", l.message, got, want)
			}
			if got := KindOf(want); got != l.kind {
				t.Errorf("KindOf is %v, want %v", got, l.kind)
			}
			if got, err := l.parse(want); err != nil || !reflect.DeepEqual(got, l.message) {
				t.Errorf("parsed as %+v, %v, want %+v", got, err, l.message)
			}
		})
	}
}

func TestRoundTrip(t *testing.T) {
	for _, l := range layouts {
		t.Run(l.kind.String(), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(l.kind)))
			for range 50 {
				want := l.random(rng)
				prefix := []byte{1, 2, 3}
				b := want.Append(prefix)
				if !bytes.Equal(b[:3], prefix) {
					t.Fatalf("Append changed what was there to %x", b[:3])
				}
				got, err := l.parse(b[3:])
				if err != nil || !reflect.DeepEqual(got, want) {
					t.Fatalf("%+v came back as %+v, %v", want, got, err)
				}
			}
		})
	}
}

func TestLongestMessages(t *testing.T) {
	longest := Result{Frames: make([]byte, MaxChunk*PackedSize)}
	for _, c := range []struct {
		message message
		limit   int
	}{{Hello{}, MaxHello}, {Probe{}, MaxProbe}, {longest, MaxResult}} {
		if n := len(c.message.Append(nil)); n > c.limit {
			t.Errorf("%T takes %d bytes, want at most %d", c.message, n, c.limit)
		}
	}
}

func TestProbeOfALongRoundTrip(t *testing.T) {
	if _, err := ParseProbe(Probe{Took: MaxRoundTrip}.Append(nil)); err != nil {
		t.Error(err)
	}
	_, err := ParseProbe(Probe{Took: MaxRoundTrip + 1}.Append(nil))
	if want := "wire: probe: took: got 60000001, want 0..60000000"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

// TestABoardIsSmall holds what a board costs everybody once a second, while fewer than two million have connected and
// none has rendered all of the stream for fifty days.
func TestABoardIsSmall(t *testing.T) {
	m := layoutOf(t, KindBroadcast).message.(Broadcast)
	m.Board = nil
	without := len(m.Append(nil))
	for i := range uint32(MaxBoard) {
		m.Board = append(m.Board, Contributor{Owner: 1<<21 - 1 - i, Verified: 1<<28 - 1})
	}
	if size := len(m.Append(nil)) - without; size >= 60 {
		t.Errorf("a full board takes %d bytes, want fewer than 60", size)
	}
}

func TestResultHeaderAndFramesApart(t *testing.T) {
	m := layoutOf(t, KindResult).message.(Result)
	got := append(Result{Lease: m.Lease, First: m.First, Spent: m.Spent}.AppendHeader(nil, m.Count()), m.Frames...)
	if want := m.Append(nil); !bytes.Equal(got, want) {
		t.Errorf("header and frames print\n%x, want\n%x", got, want)
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{KindBroadcast.String(), "broadcast"},
		{KindOf(nil).String(), "kind 0x0"},
		{Kind(0xab).String(), "kind 0xab"},
		{ReasonDraining.String(), "draining"},
		{ReasonFull.String(), "full"},
		{Reason(0).String(), "reason 0"},
		{reasonEnd.String(), "reason 10"},
	} {
		if c.got != c.want {
			t.Errorf("name is %q, want %q", c.got, c.want)
		}
	}
	for r := Reason(1); r < reasonEnd; r++ {
		if r.String() == "" {
			t.Errorf("reason %d has no name", r)
		}
	}
}

func TestStatsAll(t *testing.T) {
	stats := layoutOf(t, KindBroadcast).message.(Broadcast).Stats
	v, seen := reflect.ValueOf(stats), 0
	for name, value := range stats.All {
		field := v.Type().Field(seen)
		if want := strings.ToLower(field.Name[:1]) + field.Name[1:]; name != want || value != v.Field(seen).Uint() {
			t.Errorf("statistic %d is %s = %d, want %s = %d", seen, name, value, want, v.Field(seen).Uint())
		}
		seen++
	}
	if seen != v.NumField() {
		t.Errorf("All yields %d statistics, want %d", seen, v.NumField())
	}
	for range stats.All {
		break
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	for _, kind := range []Kind{KindProbe, KindResult, KindLease} {
		l := layoutOf(t, kind)
		b := l.message.Append(nil)
		parse := map[Kind]func() error{
			KindProbe:  func() error { _, err := ParseProbe(b); return err },
			KindResult: func() error { _, err := ParseResult(b); return err },
			KindLease:  func() error { _, err := ParseLease(b); return err },
		}[kind]
		if n := testing.AllocsPerRun(100, func() {
			if err := parse(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("parsing a %v allocates %v times, want 0", kind, n)
		}
		if n := testing.AllocsPerRun(100, func() { l.message.Append(b[:0]) }); n != 0 {
			t.Errorf("appending a %v allocates %v times, want 0", kind, n)
		}
	}
}
