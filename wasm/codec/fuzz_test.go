package codec

import (
	"errors"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

// FuzzDecode takes any bytes as the first and as the second message of a stream: no panic, every frame a picture, and
// what an encoder makes of them again is no longer.
func FuzzDecode(f *testing.F) {
	messages, _ := encoded()
	for _, message := range messages[:2] {
		f.Add(message)
	}
	f.Add(new(Encoder).Append(nil, 1_000_000, frames(oneCell, 0, 9, func(n uint64) bool { return n%2 == 1 }), true))
	f.Add([]byte("\x01\x01\x00\x01\x00"))

	f.Fuzz(func(t *testing.T, message []byte) {
		var first, second Decoder
		if _, err := second.Decode(messages[0], nil); err != nil {
			t.Fatal(err)
		}
		for _, d := range []*Decoder{&first, &second} {
			e := Encoder{number: d.number, previous: d.previous}
			var got []*donut.Picture
			h, err := d.Decode(message, func(_ uint64, p *donut.Picture) {
				if p != nil {
					p.AppendText(nil) // panics on what is no level
					p = new(*p)
				}
				got = append(got, p)
			})
			switch {
			case err == nil:
				e.number = h.Number - 1
				again := e.Append(nil, h.First, got, h.Key)
				if len(again) > len(message) {
					t.Errorf("%x encodes again as %x, which is longer", message, again)
				}
				if e.previous != d.previous {
					t.Error("encoder and decoder disagree on the last picture")
				}
			case !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrDiscontinuous):
				t.Errorf("error %v wraps neither sentinel", err)
			}
		}
	})
}

// FuzzRoundTrip makes pictures of the fuzzer's bytes.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{0}, uint64(0), uint8(3), uint64(0), uint8(1))
	f.Add([]byte("donut"), uint64(1_000_000), uint8(20), uint64(0x5a5a), uint8(7))
	f.Fuzz(func(t *testing.T, cells []byte, first uint64, count uint8, holes uint64, stride uint8) {
		if len(cells) == 0 || count == 0 || int(count) > MaxFrames || first > 1<<63 {
			t.Skip()
		}
		picture := func(n uint64) *donut.Picture {
			p := new(donut.Picture)
			for i := range p {
				p[i] = cells[(i+int(n%256)*int(stride))%len(cells)] % uint8(donut.Levels)
			}
			return p
		}
		var e Encoder
		var d Decoder
		for i := range 3 {
			want := frames(picture, first, int(count), func(n uint64) bool { return holes>>(n%64)&1 != 0 })
			wantDecoded(t, &d, e.Append(nil, first, want, i%2 == 0), first, want)
			first += uint64(count)
		}
	})
}
