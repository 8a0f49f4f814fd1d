package codec

import (
	"encoding/binary"
	"math"

	"github.com/distributed-donut/donut/wasm/donut"
)

// A coder codes pictures, one after the other, in either direction.
type coder struct {
	rangeCoder
	model

	picture donut.Picture // to write, or read
	sum     sum           // of what the message holds so far
	recent  [3]plane      // the last pictures
	turn    int           // index of the oldest, which the next one replaces
	spans   [donut.Rows]span
}

// A plane is a picture with blanks around it, so that all of a cell's neighbours have an index: two rows above and one
// below, and one column, which is on both sides of a row.
type plane [lastIndex + 1]uint8

const (
	stride    = donut.Width + 1
	origin    = 2 * stride // of row 0, column 0
	lastIndex = 2047       // also masks an index
)

func (p *plane) at(i int) uint64 { return uint64(p[i&lastIndex]) }

// pair returns cell i and the one on its right, a nibble each.
func (p *plane) pair(i int) uint64 { return p.at(i)<<4 | p.at(i+1) }

// A span is a stretch of a row, from first on and before end.
type span struct{ first, end int }

var (
	nowhere    = span{donut.Width, 0}
	everywhere = span{0, donut.Width}
)

// join returns the least span that holds both.
func (s span) join(t span) span { return span{min(s.first, t.first), max(s.end, t.end)} }

// widened returns the span with a cell more on each side, as far as the row goes. A blank one stays blank.
func (s span) widened() span { return span{max(s.first-1, 0), min(s.end+1, donut.Width)} }

const (
	// plainSize bounds the bytes of any picture: 1,738 cells of log2(13) bits are 804, and the flag takes 1.5.
	plainSize = 806
	// foreseen is the probability of a picture that the model codes.
	foreseen = certain - certain>>12
)

// A sum is a checksum of pictures and of a message's header.
type sum uint64

// fold adds bytes, whose order counts.
func (s *sum) fold(b []byte) {
	const prime = 0x100000001b3 // FNV's, which takes one byte at a time
	for ; len(b) >= 8; b = b[8:] {
		*s = (*s ^ sum(binary.LittleEndian.Uint64(b))) * prime
		*s ^= *s >> 32
	}
	for _, v := range b {
		*s = (*s ^ sum(v)) * prime
	}
}

// check returns the sum as the end of a payload takes it.
func (s sum) check() uint64 { return uint64(s^s>>24^s>>48) % minRange }

// forget makes the coder as it is at a key.
func (c *coder) forget() {
	c.model.forget()
	clear(c.recent[:])
	for r := range c.spans {
		c.spans[r] = nowhere
	}
}

// planes returns where the picture goes that is coded, the one before and the one before that.
func (c *coder) planes() (now, before, earlier *plane) {
	return &c.recent[c.turn], &c.recent[(c.turn+2)%3], &c.recent[(c.turn+1)%3]
}

// writePicture writes the picture: by the model, or plainly where that takes less. Then the model forgets what misled
// it.
func (c *coder) writePicture() {
	before := c.rangeCoder
	c.flag(foreseen, 1)
	if !c.foresee(before.written() + plainSize) {
		c.rangeCoder = before
		c.flag(foreseen, 0)
		c.plain()
	}
	c.turnOver()
}

// readPicture reads the picture, and reports whether there is one.
func (c *coder) readPicture() bool {
	var ok bool
	if c.flag(foreseen, 0) != 0 {
		ok = c.foresee(math.MaxInt)
	} else {
		ok = c.plain()
	}
	c.turnOver()
	return ok
}

// turnOver makes the picture the one before the next, and part of the check.
func (c *coder) turnOver() {
	c.sum.fold(c.recent[c.turn][:])
	c.turn = (c.turn + 1) % len(c.recent)
}

// foresee codes the picture by the model. It gives up where that takes more than limit bytes, or more than there are to
// read.
func (c *coder) foresee(limit int) bool {
	now, _, _ := c.planes()
	clear(now[:])
	above := nowhere // the span of the row above, in the picture before
	for r := range donut.Rows {
		near := above.join(c.spans[r])
		if r+1 < donut.Rows {
			near = near.join(c.spans[r+1])
		}
		above = c.spans[r]
		c.spans[r] = c.cells(r, c.bound(r, near.widened()))
		if c.overrun() || c.written() > limit {
			return false
		}
	}
	return true
}

// bound codes whether row r is blank outside of the span where it is expected not to be, and returns where it may not
// be.
func (c *coder) bound(r int, expected span) span {
	row := c.row(r)
	inside := uint64(1)
	if c.reads != 0 {
		clear(row[:])
	} else {
		for x, level := range row {
			if level != 0 && (x < expected.first || x >= expected.end) {
				inside = 0
			}
		}
	}
	if c.flag(c.inside, inside) == 0 {
		c.inside -= (c.inside - insideMargin) >> insideRate
		return everywhere
	}
	c.inside += (certain - insideMargin - c.inside) >> insideRate
	return expected
}

// plain codes the picture level by level, and reports whether all were ones.
func (c *coder) plain() bool {
	c.model.forget()
	now, _, _ := c.planes()
	for r := range donut.Rows {
		row := c.row(r)
		c.spans[r] = nowhere
		for x := range row {
			level := c.uniform(uint64(donut.Levels), uint64(row[x]))
			if level > top {
				return false
			}
			row[x] = uint8(level)
			now[origin+r*stride+x] = uint8(level)
			if level != 0 {
				c.spans[r] = c.spans[r].join(span{x, x + 1})
			}
		}
	}
	return !c.overrun()
}

// row returns a row of the picture.
func (c *coder) row(r int) *[donut.Width]uint8 {
	return (*[donut.Width]uint8)(c.picture[r*donut.Width:])
}
