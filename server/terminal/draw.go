package terminal

import (
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
)

// What a frame is drawn with. Nobody can tidy up after a client that is interrupted, so a terminal is never left in a
// state that somebody would have to undo: the cursor is hidden only while it draws, and back under the picture when it
// has. A terminal that knows synchronised output (mode 2026) shows a frame when it is whole, and gives up waiting by
// itself where the end does not come; others ignore it.
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	// park puts the cursor under the picture.
	park = "\x1b[23H"

	beginFrame = "\x1b[?2026h" + hideCursor
	endFrame   = park + showCursor + "\x1b[?2026l"
)

// appendWhole appends what draws the picture on whatever was on the screen, from anywhere, and clears the rest. No cell
// is blank in between that is not to be blank.
func appendWhole(dst []byte, p *donut.Picture) []byte {
	dst = append(dst, "\x1b[H"...)
	for row := range donut.Rows {
		cells := p[row*donut.Width:][:donut.Width]
		end := len(cells)
		for end > 0 && cells[end-1] == 0 {
			end--
		}
		dst = appendCells(dst, cells[:end])
		if row < donut.Rows-1 {
			dst = append(dst, "\x1b[K\r\n"...)
		}
	}
	return append(dst, "\x1b[J"...)
}

func appendCells(dst []byte, cells []uint8) []byte {
	for _, level := range cells {
		dst = append(dst, donut.Alphabet[level])
	}
	return dst
}

// appendChanges appends what turns the picture before, which is on the screen, into the next one, with the cursor
// anywhere. Of two ways to get from one cell to another it takes the shorter one.
func appendChanges(dst []byte, before, next *donut.Picture) []byte {
	cursor := nowhere
	for i, level := range next {
		if level == before[i] {
			continue
		}
		to := place{i / donut.Width, i % donut.Width}
		dst = appendMove(dst, next, cursor, to)
		dst = append(dst, donut.Alphabet[level])
		cursor = place{to.row, to.column + 1}
	}
	return dst
}

// A place is where the cursor is, counted from 0.
type place struct{ row, column int }

// nowhere is a place that is not known.
var nowhere = place{-1, -1}

// appendMove appends the shortest way from one place to another one behind it: a jump, or a way down and then along the
// row. Cells on the way are the picture's already.
func appendMove(dst []byte, p *donut.Picture, from, to place) []byte {
	if from == to {
		return dst
	}
	if from.row == to.row {
		return appendAlong(dst, p, from, to.column)
	}
	var jump, start, below [32]byte
	way := appendJump(jump[:0], to)
	if from != nowhere && to.row == from.row+1 {
		// A line feed alone would be a matter of the terminal's settings.
		if w := appendAlong(append(start[:0], "\r\n"...), p, place{to.row, 0}, to.column); len(w) < len(way) {
			way = w
		}
		down := append(below[:0], "\x1b[B"...)
		if w := appendAlong(down, p, place{to.row, from.column}, to.column); len(w) < len(way) {
			way = w
		}
	}
	return append(dst, way...)
}

// appendAlong appends the shortest way along a row: rewriting the cells, or moving.
func appendAlong(dst []byte, p *donut.Picture, from place, column int) []byte {
	switch distance := column - from.column; {
	case distance > 4:
		return appendSequence(dst, 'C', distance) // which takes four bytes, or five
	case distance >= 0:
		return appendCells(dst, p[from.row*donut.Width:][from.column:column])
	case distance >= -4:
		return append(dst, "\b\b\b\b"[:-distance]...)
	default:
		return appendSequence(dst, 'D', -distance)
	}
}

// appendJump appends a move that does not depend on where the cursor is.
func appendJump(dst []byte, to place) []byte {
	if to.column == 0 {
		return appendSequence(dst, 'H', to.row+1)
	}
	return appendSequence(dst, 'H', to.row+1, to.column+1)
}

// appendSequence appends a control sequence of ECMA-48.
func appendSequence(dst []byte, final byte, parameters ...int) []byte {
	dst = append(dst, "\x1b["...)
	for i, n := range parameters {
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	return append(dst, final)
}
