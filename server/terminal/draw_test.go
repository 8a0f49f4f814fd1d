package terminal

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/vt"
	"github.com/distributed-donut/donut/wasm/donut"
)

// terminalRows is how many rows a terminal needs: those of the picture, and one for the cursor.
const terminalRows = donut.Rows + 1

// textOf is what a screen of some rows shows where it shows the picture and nothing else.
func textOf(p *donut.Picture, rows int) string {
	var b strings.Builder
	for row := range rows {
		if row < donut.Rows {
			text := p.AppendText(nil)[row*donut.Columns:][:donut.Width]
			b.WriteString(strings.TrimRight(string(text), " "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// write has a screen show what it is sent.
func write(t *testing.T, s *vt.Screen, b []byte) {
	t.Helper()
	if _, err := s.Write(b); err != nil {
		t.Fatal(err)
	}
}

// littered returns a screen that something has been written on.
func littered(t *testing.T, rows int) *vt.Screen {
	s := vt.New(donut.Columns, rows)
	for row := range rows {
		write(t, s, appendJump(nil, place{row, 0}))
		write(t, s, []byte(strings.Repeat("x", donut.Width)))
	}
	return s
}

// pictures are donuts that follow each other, donuts that do not, and what no donut looks like.
func pictures() []donut.Picture {
	renderer := donut.NewRenderer(1)
	rng := rand.New(rand.NewPCG(1, 2))
	var all []donut.Picture
	add := func(change func(p *donut.Picture)) {
		var p donut.Picture
		if len(all) > 0 {
			p = all[len(all)-1]
		}
		change(&p)
		all = append(all, p)
	}
	for n := range uint64(600) {
		add(func(p *donut.Picture) { renderer.Render(p, 2*n) })
	}
	for range 100 {
		add(func(p *donut.Picture) { renderer.Render(p, rng.Uint64N(1<<40)) })
	}
	for _, share := range []float64{1, 0.5, 0.1, 0.01, 0.001} {
		for range 100 {
			add(func(p *donut.Picture) {
				for i := range p {
					if rng.Float64() < share {
						p[i] = uint8(rng.IntN(donut.Levels))
					}
				}
			})
		}
	}
	add(func(p *donut.Picture) { clear(p[:]) })
	return all
}

// TestPicturesAreDrawn draws each picture whole over litter, and as what has changed since the one before from wherever
// the cursor is, with no row more than there must be.
func TestPicturesAreDrawn(t *testing.T) {
	t.Parallel()
	var before donut.Picture
	changing := vt.New(donut.Columns, donut.Rows)
	rng := rand.New(rand.NewPCG(3, 4))
	for i, p := range pictures() {
		whole := littered(t, donut.Rows)
		write(t, whole, appendWhole(nil, &p))
		write(t, changing, appendJump(nil, place{rng.IntN(donut.Rows), rng.IntN(donut.Columns)}))
		write(t, changing, appendChanges(nil, &before, &p))
		want := textOf(&p, donut.Rows)
		if got := whole.Text(); got != want {
			t.Fatalf("picture %d drawn whole:\n%s\nwant:\n%s", i, got, want)
		}
		if got := changing.Text(); got != want {
			t.Fatalf("picture %d drawn over the one before:\n%s\nwant:\n%s", i, got, want)
		}
		before = p
	}
	if got := appendChanges(nil, &before, &before); len(got) > 0 {
		t.Errorf("a picture over itself takes %q, want nothing", got)
	}
}

// TestMovesAreTheShortest holds each way from one cell to another against every other one that the terminal of the
// tests knows, of at most one move down and one along the row.
func TestMovesAreTheShortest(t *testing.T) {
	t.Parallel()
	var p donut.Picture
	for i := range p {
		p[i] = uint8(i % donut.Levels)
	}
	along := func(from place, column int) (ways []string) {
		distance := column - from.column
		switch {
		case distance == 0:
			ways = append(ways, "")
		case distance > 0:
			ways = append(ways, string(appendSequence(nil, 'C', distance)))
			if column <= donut.Width {
				ways = append(ways, string(appendCells(nil, p[to(from.row, from.column):to(from.row, column)])))
			}
		default:
			ways = append(ways, string(appendSequence(nil, 'D', -distance)), strings.Repeat("\b", -distance))
		}
		return ways
	}
	for _, from := range []place{{3, 0}, {3, 1}, {3, 9}, {3, 40}, {3, 78}, {3, 79}, {11, 30}} {
		for row := from.row; row < donut.Rows; row++ {
			for column := range donut.Width {
				if row == from.row && column <= from.column {
					continue
				}
				target := place{row, column}
				ways := []string{string(appendJump(nil, target))}
				if row == from.row {
					ways = append(ways, along(from, column)...)
				}
				if row == from.row+1 {
					for _, way := range along(place{row, 0}, column) {
						ways = append(ways, "\r\n"+way)
					}
					for _, way := range along(place{row, from.column}, column) {
						ways = append(ways, "\x1b[B"+way)
					}
				}
				shortest := len(ways[0])
				for _, way := range ways {
					shortest = min(shortest, len(way))
				}
				got := appendMove(nil, &p, from, target)
				if len(got) > shortest {
					t.Errorf("from %v to %v: %q, of %d bytes; want %d", from, target, got, len(got), shortest)
				}
				s := vt.New(donut.Columns+1, donut.Rows)
				write(t, s, appendWhole(nil, &p))
				before := s.Text()
				write(t, s, appendSequence(nil, 'H', from.row+1, from.column+1))
				write(t, s, got)
				if row, column, _ := s.Cursor(); (place{row, column}) != target || s.Text() != before {
					t.Errorf("from %v to %v: %q leads to %d, %d, or changes the picture", from, target, got, row, column)
				}
			}
		}
	}
}

func to(row, column int) int { return row*donut.Width + column }

// TestRate adds up what a terminal is sent in two minutes.
func TestRate(t *testing.T) {
	t.Parallel()
	const bar = 25_000 // bytes a second
	const seconds = 120
	renderer := donut.NewRenderer(1)
	var p donut.Picture
	track := newTrack(defaultPace, 0, nil)
	sent, worst, second := 0, 0, 0
	for n := range uint64(seconds * donut.FPS) {
		if !defaultPace.shows(n) {
			continue
		}
		renderer.Render(&p, n)
		second += len(track.shoot(n, &p).ansi)
		if (n+2)%donut.FPS == 0 {
			sent, worst, second = sent+second, max(worst, second), 0
		}
	}
	t.Logf("%d bytes a second, %d in the worst one", sent/seconds, worst)
	if sent > bar*seconds {
		t.Errorf("%d bytes a second, want at most %d", sent/seconds, bar)
	}
}

func BenchmarkDraw(b *testing.B) {
	renderer := donut.NewRenderer(1)
	const frames = 600
	all := make([]donut.Picture, frames)
	for i := range all {
		renderer.Render(&all[i], uint64(2*i))
	}
	for _, way := range []struct {
		name string
		draw func(dst []byte, before, p *donut.Picture) []byte
	}{
		{"changes", appendChanges},
		{"whole", func(dst []byte, _, p *donut.Picture) []byte { return appendWhole(dst, p) }},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.ReportAllocs()
			var room []byte
			size := 0
			for i := range b.N {
				room = way.draw(room[:0], &all[i%(frames-1)], &all[i%(frames-1)+1])
				size += len(room)
			}
			b.ReportMetric(float64(size)/float64(b.N), "bytes/frame")
		})
	}
}
