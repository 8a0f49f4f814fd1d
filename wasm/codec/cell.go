package codec

import "github.com/distributed-donut/donut/wasm/donut"

// top is the greatest level. What fromBlank asks is made for it.
const top = uint64(donut.Levels - 1)

var _ [top]struct{} = [12]struct{}{}

// cells codes the cells of a span of row r and returns where they are not blank.
func (c *coder) cells(r int, s span) span {
	now, before, earlier := c.planes()
	row := c.row(r)
	lit := nowhere
	at := origin + r*stride + s.first
	// What lies around the cell, a nibble a cell: on its left and above it in this picture, on both sides in the one
	// before.
	var left uint64
	above := now.pair(at - stride - 1)
	around := before.pair(at-2)<<8 | before.pair(at)
	for x := s.first; x < s.end; x++ {
		above = above<<4 | now.at(at-stride+1)
		around = around<<4 | before.at(at+2)
		was, ere := around>>8&0xf, earlier.at(at)

		c.look(0, around>>4&0xfff|left&0xf<<12|ere<<16)
		c.look(1, was|ere<<4|above&0xf0<<4|before.at(at+stride)<<12|earlier.at(at+stride)<<16)
		c.look(2, around&0xfff|left&0xff<<12)
		c.look(3, was|above&0xfff<<4|left&0xf<<16)
		c.weight = ranks * (differ(left&0xf, around>>12&0xf) | differ(above>>4&0xf, before.at(at-stride))<<1 |
			differ(was, ere)<<2 | differ(was, 0)<<3)

		level := c.level(was, uint64(row[x]))
		row[x] = uint8(level)
		now[at&lastIndex] = uint8(level)
		if level != 0 {
			lit = span{min(lit.first, x), x + 1}
		}
		left = left<<4 | level
		at++
	}
	return lit
}

// differ returns 1 where two levels differ, else 0.
func differ(a, b uint64) uint64 { return -(a ^ b) >> 63 }

// level codes the level of the cell at hand, whose level was another one or the same in the picture before: is it still
// the same, one more, one less, blank now, two more, two less, and so on?
func (c *coder) level(was, level uint64) uint64 {
	if c.ask(0, level, was) {
		return was
	}
	if was == 0 {
		return c.fromBlank(level)
	}
	left := top - 1 // other levels than blank and was
	if was < top {
		if c.ask(1, level, was+1) {
			return was + 1
		}
		left--
	}
	if was > 1 {
		if c.ask(2, level, was-1) {
			return was - 1
		}
		left--
	}
	if c.ask(3, level, 0) {
		return 0
	}
	which := uint64(ranks)
	for d := uint64(2); ; d++ {
		for _, guess := range [2]uint64{was + d, was - d} { // below 0 it wraps far beyond top
			if guess < 1 || guess > top {
				continue
			}
			if left == 1 || c.ask(which, level, guess) {
				return guess
			}
			which++
			left--
		}
	}
}

// ask codes whether the level is what was guessed.
func (c *coder) ask(which, level, guess uint64) bool {
	return c.decide(which, 1^differ(level, guess)) != 0
}

// fromBlank codes the level of a cell that was blank and is not any more, bit by bit: four bits for 1 to 8, three for 9
// to 12. Which decision it is says what was decided so far.
func (c *coder) fromBlank(level uint64) uint64 {
	bits := level - 1
	node := 2 | c.decide(1, bits>>3&1)
	if node == 2 {
		node = node<<1 | c.decide(node, bits>>2&1)
	}
	node = node<<1 | c.decide(node, bits>>1&1)
	node = node<<1 | c.decide(node, bits&1)
	if node < 16 { // 12 + bits - 8
		return node - 3
	}
	return node - 15 // 16 + bits
}
