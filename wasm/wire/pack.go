package wire

import (
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
)

// PackedSize is the length in bytes of a packed picture: two cells a byte, the earlier one in the low nibble.
const PackedSize = donut.Cells / 2

// Pack writes the packed picture to dst, whose length must be PackedSize at least.
func Pack(dst []byte, p *donut.Picture) {
	dst = dst[:PackedSize]
	for i := range dst {
		dst[i] = p[2*i] | p[2*i+1]<<4
	}
}

// Unpack reads a packed picture into p. It refuses a wrong length, and nibbles that are no level; p is then undefined.
func Unpack(p *donut.Picture, packed []byte) error {
	if err := CheckPacked(packed, 1); err != nil {
		return err
	}
	for i, b := range packed {
		p[2*i], p[2*i+1] = b&15, b>>4
	}
	return nil
}

// CheckPacked reports whether packed has the shape of count packed pictures: their length, and levels alone.
func CheckPacked(packed []byte, count int) error {
	if len(packed) != count*PackedSize {
		return &SyntaxError{"packed picture", "length", strconv.Itoa(len(packed)) + " bytes", strconv.Itoa(count * PackedSize)}
	}
	for i, b := range packed {
		if b&15 >= uint8(donut.Levels) || b>>4 >= uint8(donut.Levels) {
			return &SyntaxError{"packed picture", "byte " + strconv.Itoa(i), "0x" + strconv.FormatUint(uint64(b), 16),
				"two nibbles below " + strconv.Itoa(donut.Levels)}
		}
	}
	return nil
}
