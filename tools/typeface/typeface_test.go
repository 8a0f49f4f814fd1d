package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/wasm/donut"
)

const onThePage = "../../web/static/donut.ttf"

func TestThePageHasTheTypefaceOfThisCode(t *testing.T) {
	want, err := os.ReadFile(onThePage)
	if err != nil {
		t.Fatal(err)
	}
	if got := typeface(); !bytes.Equal(got, want) {
		t.Errorf("drew %d bytes, and the page has %d others: run go generate ./web", len(got), len(want))
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"-x"}, {"-o", "a", "b"}} {
		if err := run(args, nil); !errors.Is(err, exit.ErrUsage) {
			t.Errorf("%q: %v, want bad usage", args, err)
		}
	}
	var out bytes.Buffer
	if err := run([]string{"-h"}, &out); !errors.Is(err, flag.ErrHelp) || !strings.HasPrefix(out.String(), usage) {
		t.Errorf("-h: %v, %q", err, out.String())
	}
	file := filepath.Join(t.TempDir(), "x.ttf")
	if err := run([]string{"-o", file}, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, typeface()) {
		t.Errorf("wrote %d bytes, %v", len(got), err)
	}
	if err := run([]string{"-o", filepath.Join(file, "within")}, nil); err == nil || errors.Is(err, exit.ErrUsage) {
		t.Errorf("where there is no such folder: %v", err)
	}
}

// Each letter keeps to its cell, so that none runs into the next.
func TestLettersKeepToTheirCells(t *testing.T) {
	for _, letter := range donut.Alphabet[1:] {
		strokes := letters[letter]
		if len(strokes) == 0 {
			t.Errorf("%q is not drawn", letter)
		}
		for _, stroke := range strokes {
			for _, p := range stroke.outline() {
				if p.x < 0 || p.x > advance || p.y < -descent || p.y > ascent {
					t.Errorf("%q leaves its cell at %.0f, %.0f", letter, p.x, p.y)
				}
			}
		}
	}
	if len(letters) != len(donut.Alphabet)-1 {
		t.Errorf("%d letters are drawn, want %d", len(letters), len(donut.Alphabet)-1)
	}
}

// ink returns the share of its cell that a letter covers: where its contours wind around a point other than not at all.
func ink(letter rune) float64 {
	const step = 4
	var contours [][]point
	for _, stroke := range letters[letter] {
		contours = append(contours, stroke.outline())
	}
	var covered, all int
	for y := -descent + step/2; y < ascent; y += step {
		for x := step / 2; x < advance; x += step {
			all++
			winding := 0
			for _, contour := range contours {
				winding += winds(contour, point{float64(x), float64(y)})
			}
			if winding != 0 {
				covered++
			}
		}
	}
	return float64(covered) / float64(all)
}

// winds returns how often a contour goes around a point, counterclockwise: what crosses a ray to the right, up or down.
func winds(contour []point, p point) (times int) {
	for i, a := range contour {
		b := contour[(i+1)%len(contour)]
		side := (b.x-a.x)*(p.y-a.y) - (p.x-a.x)*(b.y-a.y)
		switch {
		case a.y <= p.y && b.y > p.y && side > 0:
			times++
		case a.y > p.y && b.y <= p.y && side < 0:
			times--
		}
	}
	return times
}

func TestBrighterLettersHaveMoreInk(t *testing.T) {
	last := 0.0
	for _, letter := range donut.Alphabet[1:] {
		got := ink(letter)
		t.Logf("%q covers %.1f%%", letter, 100*got)
		if got <= last {
			t.Errorf("%q covers %.3f of its cell, want more than %.3f, which the one before it does", letter, got, last)
		}
		last = got
	}
}

// A stroke is as wide as its pen, also where it bends, and TrueType fills what is to the right of a contour.
func TestStrokes(t *testing.T) {
	s := stroke{arc(0, 0, 300, 300, 0, 90), 50}
	for _, test := range []struct {
		x, y float64
		want int
	}{
		{300 / math.Sqrt2, 300 / math.Sqrt2, -1}, {345 / math.Sqrt2, 345 / math.Sqrt2, -1}, {355 / math.Sqrt2, 355 / math.Sqrt2, 0},
		{255 / math.Sqrt2, 255 / math.Sqrt2, -1}, {245 / math.Sqrt2, 245 / math.Sqrt2, 0}, {0, 0, 0},
		{300, -45, -1}, {300, -55, 0}, {-45, 300, -1}, {-55, 300, 0}, {335, -40, 0},
	} {
		if got := winds(s.outline(), point{test.x, test.y}); got != test.want {
			t.Errorf("the contour goes %d times around %.0f, %.0f, want %d", got, test.x, test.y, test.want)
		}
	}
	if got := winds(dot(10, 20, 5).outline(), point{10, 24}); got != -1 {
		t.Errorf("the contour of a dot goes %d times around its inside", got)
	}
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(colour uint32) float64 {
	linear := func(c byte) float64 {
		v := float64(c) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(byte(colour>>16)) + 0.7152*linear(byte(colour>>8)) + 0.0722*linear(byte(colour))
}

func TestBrighterLettersStandOutMore(t *testing.T) {
	for i := range onDark[1:] {
		if luminance(onDark[i+1]) <= luminance(onDark[i]) {
			t.Errorf("on dark pages colour %d is no lighter than the one before it", i+1)
		}
		if luminance(onLight[i+1]) >= luminance(onLight[i]) {
			t.Errorf("on light pages colour %d is no darker than the one before it", i+1)
		}
	}
}

// The file is read as the specification has it: by checksums, the map from codes to glyphs, and each glyph's outline.
func TestTables(t *testing.T) {
	all := typeface()
	u16 := func(b []byte, at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	u32 := func(b []byte, at int) int { return int(binary.BigEndian.Uint32(b[at:])) }
	if got := checksum(all); got != wholeChecksum {
		t.Errorf("the file's checksum is %#x, want %#x", got, uint32(wholeChecksum))
	}
	tables := make(map[string][]byte)
	end := 12 + 16*u16(all, 4)
	for entry := 12; entry < 12+16*u16(all, 4); entry += 16 {
		name, at, size := string(all[entry:entry+4]), u32(all, entry+8), u32(all, entry+12)
		if at != end {
			t.Errorf("%s begins at %d, want %d", name, at, end)
		}
		end = at + (size+3)&^3
		tables[name] = all[at : at+size]
		if name != "head" && checksum(tables[name]) != uint32(u32(all, entry+4)) { // head's is of before the adjustment
			t.Errorf("%s: its checksum is not the one in the directory", name)
		}
	}
	if end != len(all) {
		t.Errorf("the tables end at %d of %d", end, len(all))
	}

	cmap := tables["cmap"][12:]
	segments := u16(cmap, 6) / 2
	glyph := func(code int) int {
		for i := range segments {
			if last := u16(cmap, 14+2*i); code <= last {
				first, delta := u16(cmap, 16+2*segments+2*i), u16(cmap, 16+4*segments+2*i)
				if code < first {
					return 0
				}
				return (code + delta) & 0xffff
			}
		}
		t.Fatalf("no segment ends at %#x or above", code)
		return 0
	}
	outline := func(glyph int) []byte {
		return tables["glyf"][2*u16(tables["loca"], 2*glyph) : 2*u16(tables["loca"], 2*glyph+2)]
	}
	for i, letter := range donut.Alphabet {
		g := glyph(int(letter))
		if g != space+i {
			t.Errorf("%q is glyph %d, want %d", letter, g, space+i)
		}
		if i == 0 {
			if len(outline(g)) != 0 {
				t.Error("the space has an outline")
			}
			continue
		}
		b := outline(g)
		if contours := u16(b, 0); contours != len(letters[letter]) {
			t.Errorf("%q has %d contours, want %d", letter, contours, len(letters[letter]))
		}
		layer := u16(tables["COLR"], 14+6*(i-1)+2)
		at := u32(tables["COLR"], 8) + 4*layer
		if base, of, colour := u16(tables["COLR"], 14+6*(i-1)), u16(tables["COLR"], at), u16(tables["COLR"], at+2); base != g || of != g || colour != i-1 {
			t.Errorf("%q: a layer of glyph %d for glyph %d in colour %d", letter, of, base, colour)
		}
	}
	for code, want := range map[int]int{'0': space, 'a': 0, '/': 0, 0x7f: 0, 0xffff: 0} {
		if got := glyph(code); got != want {
			t.Errorf("code %#x is glyph %d, want %d", code, got, want)
		}
	}

	// A colour is blue, green, red and opaque.
	cpal := tables["CPAL"]
	for number, colours := range []palette{onDark, onLight} {
		for i, want := range colours {
			at := u32(cpal, 8) + 4*(u16(cpal, 12+2*number)+i)
			if got := uint32(cpal[at]) | uint32(cpal[at+1])<<8 | uint32(cpal[at+2])<<16; got != want || cpal[at+3] != 255 {
				t.Errorf("palette %d, colour %d: %06x, want %06x", number, i, got, want)
			}
		}
		const forLight, forDark = 1, 2
		if got, want := u32(cpal, u32(cpal, 16)+4*number), [...]int{forDark, forLight}[number]; got != want {
			t.Errorf("palette %d is of type %d, want %d", number, got, want)
		}
	}
}
