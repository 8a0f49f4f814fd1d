package main

import (
	"slices"
	"unicode/utf16"

	"github.com/distributed-donut/donut/wasm/donut"
)

// Glyphs by number: the one for what the typeface lacks, the space, and the alphabet's other letters in their order.
const (
	space       = 1
	firstLetter = space + 1
	glyphs      = space + len(donut.Alphabet)
)

// measured is the letter that browsers take the width of all others from, the unit ch. It is blank.
const measured = '0'

// typeface returns the file. Its tables are as OpenType 1.9 has them, by the names that they have there.
func typeface() []byte {
	outlines := make([][][]point, glyphs)
	for i, letter := range donut.Alphabet[1:] {
		for _, stroke := range letters[letter] {
			outlines[firstLetter+i] = append(outlines[firstLetter+i], stroke.outline())
		}
	}
	all := measure(slices.Concat(outlines...))
	var mostPoints, mostContours int
	var glyf, loca, bearings table
	for _, contours := range outlines {
		loca = loca.u16(len(glyf) / 2)
		e := measure(contours)
		bearings = bearings.u16(e.left)
		mostPoints, mostContours = max(mostPoints, len(slices.Concat(contours...))), max(mostContours, len(contours))
		if len(contours) > 0 {
			glyf = glyf.glyph(contours, e)
		}
	}
	loca = loca.u16(len(glyf) / 2)

	return file(map[string]table{
		"COLR": colr(),
		"CPAL": cpal(onDark, onLight),
		"OS/2": os2(),
		"cmap": cmap(),
		"glyf": glyf,
		"head": head(all),
		"hhea": table(nil).u16(1, 0, ascent, -descent, 0, advance, all.left, advance-all.right, all.right, 1, 0, 0, 0, 0, 0, 0, 0, 1),
		"hmtx": slices.Concat(table(nil).u16(advance), bearings),
		"loca": loca,
		"maxp": table(nil).u32(0x00010000).u16(glyphs, mostPoints, mostContours, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
		"name": name(),
		"post": table(nil).u32(0x00030000, 0).u16(0, 0).u32(1, 0, 0, 0, 0), // all letters are of one width
	})
}

// An extent is the rectangle that contours take.
type extent struct{ left, bottom, right, top int }

// measure returns the extent of contours, which is nothing where there are none.
func measure(contours [][]point) extent {
	var across, up []int
	for _, p := range slices.Concat(contours...) {
		x, y := p.whole()
		across, up = append(across, x), append(up, y)
	}
	if len(across) == 0 {
		return extent{}
	}
	return extent{slices.Min(across), slices.Min(up), slices.Max(across), slices.Max(up)}
}

// glyph appends a letter's outline. All points are on the curve, and each is told by how far it is from the one before.
func (t table) glyph(contours [][]point, e extent) table {
	const onCurve, overlaps = 0x01, 0x40
	var ends, flags, across, up table
	var x0, y0 int
	for _, contour := range contours {
		for _, p := range contour {
			x, y := p.whole()
			flags, across, up = append(flags, onCurve), across.u16(x-x0), up.u16(y-y0)
			x0, y0 = x, y
		}
		ends = ends.u16(len(flags) - 1)
	}
	flags[0] |= overlaps
	t = t.u16(len(contours), e.left, e.bottom, e.right, e.top)
	t = slices.Concat(t, ends, table(nil).u16(0), flags, across, up) // without instructions
	return append(t, make([]byte, len(t)%2)...)
}

func head(all extent) table {
	t := table(nil).u32(0x00010000, 0x00010000, 0, 0x5f0f3cf5)
	t = t.u16(0b11, em).u32(0, 0, 0, 0) // made at no time, so that the same letters are the same bytes
	return t.u16(all.left, all.bottom, all.right, all.top, 0, 8, 2, 0, 0)
}

func os2() table {
	t := table(nil).u16(4, advance, 400, 5, 0)
	t = t.u16(650, 600, 0, 75, 650, 600, 0, 350, 50, 300, 0) // subscript, superscript, strikeout, family
	t = append(t, 2, 0, 5, 9, 0, 0, 0, 0, 0, 0)              // PANOSE: text, of one width
	t = t.u32(1, 0, 0, 0)                                    // Basic Latin
	t = append(t, "DONT"...)
	t = t.u16(0x40|0x80, ' ', slices.Max(codes()), ascent, -descent, 0, ascent, descent)
	return t.u32(1, 0).u16(middle, top, 0, ' ', 0)
}

// codes returns the codes that the typeface has, in rising order.
func codes() []int {
	all := []int{measured}
	for _, letter := range donut.Alphabet {
		all = append(all, int(letter))
	}
	return slices.Sorted(slices.Values(all))
}

// glyphOf returns the number of a code's glyph.
func glyphOf(code int) int {
	if code == measured {
		return space
	}
	return space + slices.Index([]rune(donut.Alphabet), rune(code))
}

// cmap is of format 4, with a segment for each code, and one that ends the list.
func cmap() table {
	const header, last = 16, 0xffff
	all := codes()
	var deltas table
	for _, code := range all {
		deltas = deltas.u16(glyphOf(code) - code)
	}
	all, deltas = append(all, last), deltas.u16(-last)
	n := len(all)
	t := table(nil).u16(0, 1, 3, 1, 0, 12) // one map, for Unicode, which begins at byte 12
	t = t.u16(4, header+8*n, 0, 2*n).u16(searched(n, 2)...)
	t = t.u16(all...).u16(0).u16(all...)
	return slices.Concat(t, deltas, make(table, 2*n))
}

func name() table {
	texts := []struct {
		id   int
		text string
	}{
		{1, "Distributed Donut"}, {2, "Regular"}, {3, "Distributed Donut 1"}, {4, "Distributed Donut"}, {5, "Version 1"},
		{6, "DistributedDonut"}, {13, "MIT"},
	}
	const header, entry = 6, 12
	t := table(nil).u16(0, len(texts), header+entry*len(texts))
	var storage table
	for _, each := range texts {
		start := len(storage)
		for _, unit := range utf16.Encode([]rune(each.text)) {
			storage = storage.u16(int(unit))
		}
		t = t.u16(3, 1, 0x409, each.id, len(storage)-start, start) // American English
	}
	return append(t, storage...)
}

// colr gives each letter one layer: its own outline, in the colour of its luminance.
func colr() table {
	const header, entry, n = 14, 6, glyphs - firstLetter
	t := table(nil).u16(0, n).u32(header, uint32(header+entry*n)).u16(n)
	var layers table
	for i := range n {
		t = t.u16(firstLetter+i, i, 1)
		layers = layers.u16(firstLetter+i, i)
	}
	return append(t, layers...)
}

// cpal holds the palette for dark pages first: it is what a page gets that names none.
func cpal(dark, light palette) table {
	const header, forLight, forDark = 28, 1, 2
	n := len(dark)
	t := table(nil).u16(1, n, 2, 2*n).u32(header).u16(0, n).u32(uint32(header+4*2*n), 0, 0)
	for _, colour := range slices.Concat(dark[:], light[:]) {
		t = append(t, byte(colour), byte(colour>>8), byte(colour>>16), 0xff)
	}
	return t.u32(forDark, forLight)
}
