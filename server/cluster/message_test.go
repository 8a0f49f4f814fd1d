package cluster

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// message is what all kinds but frames are.
type message interface{ append(dst []byte) []byte }

// parse reads a message of a kind, frames excepted.
func parse(k kind, b []byte) (m message, err error) {
	switch k {
	case kindAnnouncement:
		return parseAnnouncement(b)
	case kindFetch:
		return parseFetch(b)
	case kindProbe:
		return parseProbe(b)
	default:
		return parseReply(b)
	}
}

// examples are one message of each kind, with every field set.
func examples() map[kind]message {
	a := announcement{from: 7, out: true, leaving: true, weight: maxWeight, name: "næst/1"}
	a.fleet = fleet{digest: wire.Digest{31: 9}, detail: donut.MaxDetail, epoch: -5}
	a.report = Report{Capacity: 12.5, Playhead: math.MaxUint64}
	for i, count := range a.report.counts() {
		*count = maxCount - uint64(i)
	}
	return map[kind]message{
		kindAnnouncement: a,
		kindFetch:        fetch{from: 7, first: 61, count: timeline.ChunkFrames - 1},
		kindProbe:        probe{from: 7, name: -1},
		kindReply:        reply{from: 7, name: 3, received: -2, answered: timeline.Forever},
	}
}

func TestMessagesComeBack(t *testing.T) {
	for k, m := range examples() {
		b := m.append([]byte("before"))
		got, err := parse(k, b[len("before"):])
		if err != nil || got != m || !strings.HasPrefix(string(b), "before") {
			t.Errorf("%+v came back as %+v, %v", m, got, err)
		}
		b = b[len("before"):]
		end := len(b)
		if k == kindAnnouncement {
			end -= len("næst/1") - 1 // of which a part is a name, too
		}
		for end := range end {
			if _, err := parse(k, b[:end]); err == nil {
				t.Errorf("%s: %d of %d bytes are taken for a message", kindNames[k], end, len(b))
			}
		}
		if _, err := parse(k, append(b, 0)); err == nil {
			t.Errorf("%s: a byte too many is taken", kindNames[k])
		}
	}
}

// TestMalformedMessages changes one field at a time: each is refused, by name.
func TestMalformedMessages(t *testing.T) {
	const body = headerSize
	const flags = body + wire.DigestSize + 1 + 8
	set := func(at int, bytes ...byte) func([]byte) []byte {
		return func(b []byte) []byte { copy(b[at:], bytes); return b }
	}
	tail := func(name string) func([]byte) []byte {
		return func(b []byte) []byte { return append(b[:len(b)-len("næst/1")], name...) }
	}
	for _, c := range []struct {
		kind   kind
		field  string
		change func([]byte) []byte
	}{
		{kindProbe, "kind", set(0, byte(kindReply))},
		{kindProbe, "version", set(1, Version+1)},
		{kindProbe, "from", set(2, 0)},
		{kindProbe, "length", func(b []byte) []byte { return append(b, 0) }},
		{kindAnnouncement, "detail", set(body+wire.DigestSize, 0)},
		{kindAnnouncement, "detail", set(body+wire.DigestSize, donut.MaxDetail+1)},
		{kindAnnouncement, "flags", set(flags, 4)},
		{kindAnnouncement, "weight", set(flags+1, byte(maxWeight)+1)},
		{kindAnnouncement, "capacity", set(flags+2, 0, 0, 0, 0, 0, 0, 0, 0x80)},    // -0
		{kindAnnouncement, "capacity", set(flags+2, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f)}, // +Inf
		{kindAnnouncement, "capacity", set(flags+2, 1, 0, 0, 0, 0, 0, 0xf8, 0x7f)}, // NaN
		{kindAnnouncement, "playhead", set(flags+2+8+9, 2)},                        // more than 64 bits
		{kindAnnouncement, "count", set(flags+2+8+10, 0x80, 0)},                    // two bytes for 0
		{kindAnnouncement, "count", set(flags+2+8+10+7, 0x1f)},                     // more than 53 bits
		{kindAnnouncement, "name", tail("")},
		{kindAnnouncement, "name", tail("a\nb")},
		{kindAnnouncement, "name", tail("a\xffb")},
		{kindAnnouncement, "name", tail(strings.Repeat("n", maxName+1))},
		{kindFetch, "count", set(body+8, 0)},
		{kindFetch, "count", set(body+8, timeline.ChunkFrames)}, // beyond the chunk's end
		{kindFetch, "first", set(body, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)},
		{kindReply, "answered", set(body+16, 0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)},
	} {
		_, err := parse(c.kind, c.change(examples()[c.kind].append(nil)))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || syntax.Field != c.field || syntax.Message != kindNames[c.kind] {
			t.Errorf("%s with a wrong %s: got error %v", kindNames[c.kind], c.field, err)
		} else if syntax.Got == "" || syntax.Want == "" {
			t.Errorf("the error does not say what was got and wanted: %v", err)
		}
	}
}

// FuzzParse checks that what a parser accepts prints back to the same bytes.
func FuzzParse(f *testing.F) {
	for k, m := range examples() {
		f.Add(byte(k), m.append(nil))
	}
	f.Fuzz(func(t *testing.T, k byte, b []byte) {
		m, err := parse(kind(k), b)
		if err != nil {
			return
		}
		if again := m.append(nil); !bytes.Equal(again, b) {
			t.Errorf("%x parses as %+v, which prints %x", b, m, again)
		}
	})
}

func TestFramesComeBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var p packer
	var u unpacker
	noise := make([]byte, timeline.ChunkFrames*wire.PackedSize)
	for i := range noise {
		noise[i] = byte(rng.IntN(donut.Levels) | rng.IntN(donut.Levels)<<4)
	}
	for _, c := range []struct {
		first  uint64
		packed []byte
	}{
		{0, moduletest.Native(1, 0, timeline.ChunkFrames)}, {1 << 40, moduletest.Native(1, 1<<40, 1)}, {math.MaxUint64 - 31, noise}, {77, moduletest.Native(1, 77, 5)},
	} {
		b, err := p.append(nil, 9, c.first, c.packed)
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.parse(b)
		if err != nil || got.from != 9 || got.first != c.first || !bytes.Equal(got.packed, c.packed) {
			t.Errorf("%d frames from %d on came back as %d from %d on, %v",
				len(c.packed)/wire.PackedSize, c.first, got.count(), got.first, err)
		}
		if from, err := sender(b); from != 9 || err != nil {
			t.Errorf("the sender is %d, %v", from, err)
		}
		for end := 0; end < len(b); end += 1 + len(b)/50 {
			if _, err := u.parse(b[:end]); err == nil {
				t.Fatalf("%d of %d bytes are taken for frames", end, len(b))
			}
		}
	}
}

func TestMalformedFrames(t *testing.T) {
	var p packer
	for _, packed := range [][]byte{nil, make([]byte, wire.PackedSize+1), make([]byte, (timeline.ChunkFrames+1)*wire.PackedSize),
		bytes.Repeat([]byte{0xff}, wire.PackedSize)} {
		if b, err := p.append([]byte{1}, 9, 0, packed); err == nil || len(b) != 1 {
			t.Errorf("%d bytes of packed frames make a message of %d", len(packed), len(b))
		}
	}
	header := appendHeader(nil, kindFrames, 9)
	picture := new(donut.Picture)
	stream := func(frames []*donut.Picture, before int) []byte {
		var e codec.Encoder
		for range before {
			e.Append(nil, 0, []*donut.Picture{picture}, true)
		}
		return append(bytes.Clone(header), e.Append(nil, 1, frames, true)...)
	}
	many := make([]*donut.Picture, timeline.ChunkFrames+1)
	for i := range many {
		many[i] = picture
	}
	good := stream(many[1:], 0)
	flip := bytes.Clone(good)
	flip[len(flip)-1] ^= 1
	var u unpacker
	if _, err := u.parse(good); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"a message of another kind":    examples()[kindProbe].append(nil),
		"nothing but a header":         header,
		"a chunk and a frame":          stream(many, 0),
		"the second of a stream":       stream(many[1:], 1),
		"a hole":                       stream([]*donut.Picture{picture, nil}, 0),
		"a bit that is another":        flip,
		"a byte too many":              append(bytes.Clone(good), 0),
		"a message of nobody's frames": append(appendHeader(nil, kindFrames, 0), good[headerSize:]...),
	} {
		if _, err := u.parse(b); err == nil {
			t.Errorf("%s is taken for frames", name)
		}
	}
	if _, err := u.parse(good); err != nil {
		t.Errorf("after all that a good message is refused: %v", err)
	}
}

// FuzzFrames checks that whatever is accepted is well-formed, and can be sent on.
func FuzzFrames(f *testing.F) {
	var p packer
	var u unpacker
	for _, count := range []int{1, 2} {
		b, err := p.append(nil, 9, 5, make([]byte, count*wire.PackedSize))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := u.parse(b)
		if err != nil {
			return
		}
		if err := wire.CheckPacked(got.packed, got.count()); err != nil || got.count() < 1 || got.count() > timeline.ChunkFrames {
			t.Fatalf("%d frames were accepted: %v", got.count(), err)
		}
		if _, err := p.append(nil, got.from, got.first, got.packed); err != nil {
			t.Errorf("what was accepted cannot be sent on: %v", err)
		}
	})
}

func TestChunksAreCut(t *testing.T) {
	for _, c := range []struct {
		first uint64
		count int
		want  []span
	}{
		{0, 0, nil},
		{0, 30, []span{{0, 30}}},
		{29, 2, []span{{29, 1}, {30, 1}}},
		{31, 60, []span{{31, 29}, {60, 30}, {90, 1}}},
		{math.MaxUint64, 5, nil},
	} {
		var got []span
		for s := range chunks(c.first, c.count) {
			got = append(got, s)
		}
		if len(got) != len(c.want) {
			t.Errorf("%d frames from %d on: %v, want %v", c.count, c.first, got, c.want)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%d frames from %d on: %v, want %v", c.count, c.first, got, c.want)
			}
		}
	}
}
