package wire

import (
	"math/rand/v2"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

func TestPack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		var want, got donut.Picture
		for i := range want {
			want[i] = uint8(rng.IntN(donut.Levels))
			got[i] = 0xff // what was there before must not shine through
		}
		packed := make([]byte, PackedSize+1)
		packed[PackedSize] = 0xee
		Pack(packed, &want)
		if packed[PackedSize] != 0xee {
			t.Fatal("Pack wrote past PackedSize")
		}
		if packed[0] != want[0]|want[1]<<4 {
			t.Fatalf("first byte is %#x, want the first cell, %d, in the low nibble and %d above", packed[0], want[0], want[1])
		}
		if err := Unpack(&got, packed[:PackedSize]); err != nil || got != want {
			t.Fatalf("came back with error %v, equal: %v", err, got == want)
		}
	}
}

// badNibble returns a packed blank picture but for byte i.
func badNibble(i int, b byte) []byte {
	packed := make([]byte, PackedSize)
	packed[i] = b
	return packed
}

func TestUnpackRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		packed []byte
		field  string
	}{
		{"nothing", nil, "length"},
		{"a byte short", make([]byte, PackedSize-1), "length"},
		{"a byte long", make([]byte, PackedSize+1), "length"},
		{"low nibble", badNibble(0, 0x0d), "byte 0"},
		{"high nibble", badNibble(PackedSize-1, 0xf0), "byte 868"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p donut.Picture
			wantSyntaxError(t, Unpack(&p, c.packed), "packed picture", c.field)
			wantSyntaxError(t, CheckPacked(c.packed, 1), "packed picture", c.field)
		})
	}
}
