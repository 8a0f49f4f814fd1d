package verify

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A Mismatch is the error of Check and Compare where a frame is not as it should be: from a tab, a forgery, proven.
type Mismatch struct {
	Frame uint64 // its number

	// Got and Want are the SHA-256 of the packed frame as it came and as it should be.
	Got, Want [sha256.Size]byte

	Cells int // how many of its cells differ, at least 1

	// Cell is the first of them, row by row, and GotLevel and WantLevel what is there.
	Cell                int
	GotLevel, WantLevel uint8
}

func (m *Mismatch) Error() string {
	return fmt.Sprintf("verify: frame %d: %d cells differ, the first at row %d, column %d: got level %d, want %d",
		m.Frame, m.Cells, m.Cell/donut.Width, m.Cell%donut.Width, m.GotLevel, m.WantLevel)
}

// Compare returns a *Mismatch for the first packed frame of got that is not as in want, or nil. Both are of the same
// length and begin with frame first.
func Compare(first uint64, got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	for i := 0; i < len(want); i += wire.PackedSize {
		g, w := got[i:i+wire.PackedSize], want[i:i+wire.PackedSize]
		if !bytes.Equal(g, w) {
			return newMismatch(first+uint64(i/wire.PackedSize), g, w)
		}
	}
	return nil
}

// newMismatch takes the evidence from two packed frames that differ.
func newMismatch(frame uint64, got, want []byte) *Mismatch {
	m := &Mismatch{Frame: frame, Got: sha256.Sum256(got), Want: sha256.Sum256(want)}
	for cell := range donut.Cells {
		shift := cell % 2 * 4
		g, w := got[cell/2]>>shift&15, want[cell/2]>>shift&15
		if g == w {
			continue
		}
		if m.Cells == 0 {
			m.Cell, m.GotLevel, m.WantLevel = cell, g, w
		}
		m.Cells++
	}
	return m
}
