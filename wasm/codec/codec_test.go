package codec

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// content makes frame n of a stream.
type content func(n uint64) *donut.Picture

func donutFrames() content {
	r := donut.NewRenderer(1)
	return func(n uint64) *donut.Picture {
		p := new(donut.Picture)
		r.Render(p, n)
		return p
	}
}

func noise(n uint64) *donut.Picture {
	rng := rand.New(rand.NewPCG(3, n))
	p := new(donut.Picture)
	for i := range p {
		p[i] = uint8(rng.IntN(donut.Levels))
	}
	return p
}

func blank(uint64) *donut.Picture { return new(donut.Picture) }

func brightest(uint64) *donut.Picture {
	p := new(donut.Picture)
	for i := range p {
		p[i] = uint8(donut.Levels - 1)
	}
	return p
}

// oneCell moves one cell about, so that skips of every length and the last cell are met.
func oneCell(n uint64) *donut.Picture {
	p := new(donut.Picture)
	p[n%donut.Cells] = 1
	return p
}

// sparse changes every k-th cell, where k grows with n: the delta is as long as the packed picture somewhere.
func sparse(n uint64) *donut.Picture {
	p := new(donut.Picture)
	for i := 0; i < donut.Cells; i += 1 + int(n%8) {
		p[i] = uint8(n % uint64(donut.Levels))
	}
	return p
}

// frames makes a message's frames from first on, nil where hole says so.
func frames(c content, first uint64, count int, hole func(n uint64) bool) []*donut.Picture {
	fs := make([]*donut.Picture, count)
	for i := range fs {
		if n := first + uint64(i); hole == nil || !hole(n) {
			fs[i] = c(n)
		}
	}
	return fs
}

// wantDecoded decodes a message and checks that it holds the frames from first on.
func wantDecoded(t *testing.T, d *Decoder, message []byte, first uint64, want []*donut.Picture) Header {
	t.Helper()
	seen := 0
	h, err := d.Decode(message, func(n uint64, p *donut.Picture) {
		switch {
		case seen == len(want) || n != first+uint64(seen):
			t.Fatalf("frame %d emitted after %d of %d from %d on", n, seen, len(want), first)
		case (p == nil) != (want[seen] == nil):
			t.Fatalf("frame %d missing: %v, want %v", n, p == nil, want[seen] == nil)
		case p != nil && *p != *want[seen]:
			t.Fatalf("frame %d is\n%s\nwant\n%s", n, p.AppendText(nil), want[seen].AppendText(nil))
		}
		seen++
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen != len(want) || h.First != first || h.Count != len(want) || h.Size != len(message) {
		t.Fatalf("%d frames and header %+v, want %d frames from %d on in %d bytes", seen, h, len(want), first, len(message))
	}
	if parsed, err := ParseHeader(message); err != nil || parsed != h {
		t.Fatalf("ParseHeader gives %+v, %v, want %+v", parsed, err, h)
	}
	return h
}

func TestRoundTrip(t *testing.T) {
	contents := map[string]content{
		"donut": donutFrames(), "noise": noise, "blank": blank, "brightest": brightest, "one cell": oneCell, "sparse": sparse,
	}
	holes := map[string]func(uint64) bool{
		"whole": nil,
		"some":  func(n uint64) bool { return n%7 == 3 },
		"most":  func(n uint64) bool { return n%60 != 0 },
		"all":   func(uint64) bool { return true },
	}
	for name, c := range contents {
		for holed, hole := range holes {
			t.Run(name+"/"+holed, func(t *testing.T) {
				roundTrip(t, c, hole, 1_000_000-30)
			})
		}
	}
}

// roundTrip sends three groups in messages of several lengths.
func roundTrip(t *testing.T, c content, hole func(uint64) bool, first uint64) {
	var e Encoder
	var d Decoder
	for i, count := range []int{60, 1, 8, 120, 60, 9, 60} {
		key := i%3 == 0
		want := frames(c, first, count, hole)
		message := e.Append(nil, first, want, key)
		if limit := MaxMessage - (MaxFrames-count)*plainSize; len(message) > limit {
			t.Fatalf("message of %d frames takes %d bytes, want at most %d", count, len(message), limit)
		}
		h := wantDecoded(t, &d, message, first, want)
		if h.Key != key || h.Number != uint64(i+1) || d.Number() != h.Number {
			t.Fatalf("header %+v of message %d, decoder at %d, want key %v", h, i+1, d.Number(), key)
		}
		first += uint64(count)
	}
}

// TestFrameSize holds the bound that MaxMessage is made of, on content that no model foresees, and that a packed
// picture takes no less.
func TestFrameSize(t *testing.T) {
	if plainSize > 2+wire.PackedSize {
		t.Errorf("a plain picture takes up to %d bytes, want at most %d", plainSize, 2+wire.PackedSize)
	}
	var e Encoder
	for n := range uint64(100) {
		for _, c := range []content{noise, brightest, blank, sparse} {
			const header, end = 1 + 2 + 2 + 1, 4
			if got := len(e.Append(nil, 200+n, []*donut.Picture{c(n)}, n == 0)) - header; got > plainSize+end {
				t.Fatalf("frame %d takes %d bytes, want at most %d", n, got, plainSize+end)
			}
		}
	}
}

// TestModelForgetsNoise has what misled the model forgotten, which spares the encoder a copy to go back to.
func TestModelForgetsNoise(t *testing.T) {
	var e Encoder
	c := donutFrames()
	e.Append(nil, 0, frames(c, 0, 60, nil), true)
	e.Append(nil, 60, frames(noise, 60, 1, nil), false)
	var fresh model
	fresh.forget()
	if m := &e.coder.model; m.slots != fresh.slots || m.weights != fresh.weights || m.inside != fresh.inside {
		t.Error("the model remembers what was before a plain picture, want it as at a key")
	}
}

// TestGoldenDigest pins the format: it changes together with Version, and not otherwise.
func TestGoldenDigest(t *testing.T) {
	const want = "d93f18dec219edaf77afcbcdf434727a664eeddd5d94ed211336ef283c76f4bc"
	digest := sha256.New()
	var e Encoder
	c := donutFrames()
	for first := uint64(0); first < 600; first += 60 {
		fs := frames(c, first, 60, func(n uint64) bool { return n%100 == 7 })
		if first == 300 {
			fs[9] = noise(first)
		}
		digest.Write(e.Append(nil, first, fs, first%KeyInterval == 0))
	}
	if got := hex.EncodeToString(digest.Sum(nil)); got != want {
		t.Errorf("the digest of the stream is %s, want %s: where the format is another one, so is Version", got, want)
	}
}

func TestAppendKeepsWhatWasThere(t *testing.T) {
	var e Encoder
	got := e.Append([]byte("before"), 0, []*donut.Picture{blank(0)}, true)
	var d Decoder
	if string(got[:6]) != "before" {
		t.Fatalf("Append changed what was there to %q", got[:6])
	}
	wantDecoded(t, &d, got[6:], 0, []*donut.Picture{blank(0)})
}

func TestAppendPanicsOnMistakes(t *testing.T) {
	for _, c := range []struct {
		name  string
		count int
		key   bool
	}{{"no frames", 0, true}, {"too many frames", MaxFrames + 1, true}, {"no key first", 1, false}} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "codec: ") {
					t.Errorf("panic is %q, want one of this package", text)
				}
			}()
			new(Encoder).Append(nil, 0, make([]*donut.Picture, c.count), c.key)
		})
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	for name, c := range map[string]content{"donut": donutFrames(), "noise": noise} {
		fs := frames(c, 0, 60, func(n uint64) bool { return n == 7 })
		buffer := make([]byte, 0, 2*MaxMessage)
		var e Encoder
		var d Decoder
		first := uint64(0)
		cells := 0
		if n := testing.AllocsPerRun(4, func() {
			buffer = e.Append(buffer[:0], first, fs, first == 0)
			first += uint64(len(fs))
			if _, err := d.Decode(buffer, func(_ uint64, p *donut.Picture) { cells += len(p) }); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: a message takes %v allocations, want 0", name, n)
		}
	}
}
