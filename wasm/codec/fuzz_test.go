package codec

import (
	"bytes"
	"errors"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

// FuzzDecode takes any bytes as the first and as the second message of a stream: no panic, every frame a picture, and
// what is accepted is what an encoder makes of these frames.
func FuzzDecode(f *testing.F) {
	messages, _ := encoded()
	for _, message := range messages[:2] {
		f.Add(message)
	}
	f.Add(new(Encoder).Append(nil, 1_000_000, frames(oneCell, 0, 9, func(n uint64) bool { return n%2 == 1 }), true))
	f.Add(new(Encoder).Append(nil, 9, frames(noise, 0, 1, nil), true))
	f.Add([]byte("\x03\x01\x00\x01\x01"))
	var e Encoder
	var d Decoder
	if _, err := d.Decode(messages[0], nil); err != nil {
		f.Fatal(err)
	}
	after := d

	f.Fuzz(func(t *testing.T, message []byte) {
		for _, first := range []bool{true, false} {
			d.number, d.next = 0, 0
			if !first {
				d = after
			}
			e.number, e.coder = d.number, d.coder
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
			case !errors.Is(err, ErrMalformed) && !errors.Is(err, ErrDiscontinuous):
				t.Errorf("error %v wraps neither sentinel", err)
			}
		}
	})
}

// FuzzPayload takes any bytes as a range coder's, so that the fuzzer need not find a check to get anywhere: what they
// decode to is some picture, and comes back from an encoder's bytes.
func FuzzPayload(f *testing.F) {
	f.Add([]byte{}, uint8(2))
	f.Add([]byte("donut donut donut donut donut donut"), uint8(7))
	f.Add(bytes.Repeat([]byte{0xff, 0xfe, 0}, 300), uint8(1))
	var read, write, again coder
	f.Fuzz(func(t *testing.T, payload []byte, count uint8) {
		read.forget()
		read.startReading(payload)
		write.forget()
		write.startWriting(write.bytes[:0])
		var pictures []donut.Picture
		for range count % 8 {
			if !read.readPicture() {
				break
			}
			pictures = append(pictures, read.picture)
			write.picture = read.picture
			write.writePicture()
		}
		write.end(write.sum.check())
		again.forget()
		again.startReading(write.bytes)
		for i, want := range pictures {
			if !again.readPicture() || again.picture != want {
				t.Fatalf("picture %d of %d comes back as\n%s, want\n%s", i, len(pictures),
					again.picture.AppendText(nil), want.AppendText(nil))
			}
		}
		if !again.end(write.sum.check()) {
			t.Error("reading does not end where writing did")
		}
	})
}

// FuzzRoundTrip makes pictures of the fuzzer's bytes.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte{0}, uint64(0), uint8(3), uint64(0), uint8(1))
	f.Add([]byte("donut"), uint64(1_000_000), uint8(12), uint64(0x5a5a), uint8(7))
	var e Encoder
	var d Decoder
	f.Fuzz(func(t *testing.T, cells []byte, first uint64, count uint8, holes uint64, stride uint8) {
		if len(cells) == 0 || count == 0 || count > 12 || first > 1<<63 {
			t.Skip()
		}
		picture := func(n uint64) *donut.Picture {
			p := new(donut.Picture)
			for i := range p {
				p[i] = cells[(i+int(n%256)*int(stride))%len(cells)] % uint8(donut.Levels)
			}
			return p
		}
		e.number, d.number, d.next = 0, 0, 0
		for i := range 3 {
			want := frames(picture, first, int(count), func(n uint64) bool { return holes>>(n%64)&1 != 0 })
			wantDecoded(t, &d, e.Append(nil, first, want, i%2 == 0), first, want)
			first += uint64(count)
		}
	})
}
