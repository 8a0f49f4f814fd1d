package donut

import (
	"math"
	"math/bits"
	"testing"
)

// sweptFrames are some frames, the flattest and the steepest rings among them.
func sweptFrames() []uint64 {
	frames := []uint64{0, 1<<40 + 85}
	flat, steep := uint64(0), uint64(0)
	for n := range uint64(10_000) {
		slope := math.Abs(viewOf(n).sinA)
		if slope < math.Abs(viewOf(flat).sinA) {
			flat = n
		}
		if slope > math.Abs(viewOf(steep).sinA) {
			steep = n
		}
	}
	for n := uint64(7); n < 10_000; n += 977 {
		frames = append(frames, n)
	}
	return append(frames, flat, steep)
}

// TestSpotsAreOffByLessThanTheirBlur compares all samples of some frames with the formulas. That the bound is no idle
// one is shown by errors of a tenth of it.
func TestSpotsAreOffByLessThanTheirBlur(t *testing.T) {
	r := NewRenderer(1)
	s := r.sweeper
	const cell = 1 << spotBits
	worst := 0.0
	for _, n := range sweptFrames() {
		r.Render(new(Picture), n)
		for i := range s.laps {
			l := &s.laps[i]
			for k := range stretches {
				blur := l.blur[l.arcs[k]]
				columns, lines := float64(blur>>columnUp)/2/cell, float64(blur&(1<<columnUp-1))/2/cell
				if columns > 0.1 || lines > 0.05 {
					t.Fatalf("frame %d: stretch %d, %d may be off by %v columns and %v lines", n, i, k, columns, lines)
				}
				at, d1, d2, d3 := l.steps(k)
				for j := k * stretch; j < (k+1)*stretch; j++ {
					_, x, y := l.place(s.phi[j])
					offX := math.Abs(float64(at>>columnUp)/cell - x)
					offY := math.Abs(float64(at&(1<<columnUp-1))/cell - y)
					if offX > columns || offY > lines {
						t.Fatalf("frame %d: sample %d, %d is off by %v columns and %v lines, want at most %v and %v",
							n, i, j, offX, offY, columns, lines)
					}
					worst = max(worst, offX/columns)
					at, d1, d2 = at+d1, d1+d2, d2+d3
				}
			}
		}
	}
	if worst < 0.1 {
		t.Errorf("no sample is off by more than %v of what is allowed, want a tenth", worst)
	}
}

// TestArcsAreNoNearerThanTheirFloors looks at the sine all the way between a stretch's outer knots.
func TestArcsAreNoNearerThanTheirFloors(t *testing.T) {
	s := NewRenderer(1).sweeper
	for k := range stretches {
		for i := range 100 {
			sin := math.Sin(knotStep * (float64(k-1) + 3*float64(i)/99))
			if floor := arcFloors[s.arcs[0][k]]; sin < floor {
				t.Errorf("stretch %d has the sine %v, want at least %v", k, sin, floor)
			}
			if floor := arcFloors[s.arcs[1][k]]; -sin < floor {
				t.Errorf("stretch %d has the sine %v, want at most %v", k, sin, -floor)
			}
		}
	}
}

// TestKeysAreOffByLessThanTheyMustBeApart compares keys with the Z of the formulas.
func TestKeysAreOffByLessThanTheyMustBeApart(t *testing.T) {
	r := NewRenderer(1)
	s := r.sweeper
	for _, n := range sweptFrames() {
		r.Render(new(Picture), n)
		for i := range s.laps {
			l := &s.laps[i]
			for j, phi := range s.phi {
				d, _, _ := l.place(phi)
				key := s.keyOf(l, j)
				if off := math.Abs(float64(key)/keyUnit - (9 - 1/d)); off > float64(apart)/keyUnit/2 {
					t.Fatalf("frame %d: the key of sample %d, %d is off by %v", n, i, j, off)
				}
				if want := l.first + sample(j); name(key) != want {
					t.Fatalf("frame %d: the key of sample %#x is %#x's", n, want, name(key))
				}
			}
		}
	}
}

// TestLapsReach compares middles with all samples of their stretches and of those beside them.
func TestLapsReach(t *testing.T) {
	r := NewRenderer(1)
	s := r.sweeper
	kept, frames := 0, sweptFrames()
	for _, n := range frames {
		r.Render(new(Picture), n)
		for i := range s.laps {
			l, central := &s.laps[i], &s.laps[i/3*3+1]
			above, within := central.reach()
			for j := range s.phi {
				mid := j/stretch*stretch + middle
				key := s.keyOf(central, mid)
				if key > within {
					continue
				}
				kept++
				_, x, y := l.place(s.phi[j])
				_, midX, midY := central.place(s.phi[mid])
				if s.keyOf(l, j) > key+above || math.Abs(x-midX) > 1.9 || math.Abs(y-midY) > 0.95 {
					t.Fatalf("frame %d: sample %d, %d is at %v, %v; the middle at %v, %v", n, i, j, x, y, midX, midY)
				}
			}
		}
	}
	if all := len(frames) * rings * stretches * stretch; 2*kept < all {
		t.Errorf("%d of %d samples are within reach, want half of them at least", kept, all)
	}
}

// TestWhatIsNotSweptIsHidden holds all samples that a sweep leaves out to be farther than what their cells have.
func TestWhatIsNotSweptIsHidden(t *testing.T) {
	r := NewRenderer(1)
	s := r.sweeper
	swept, frames := 0, sweptFrames()
	for _, n := range frames {
		r.Render(new(Picture), n)
		for i := range s.laps {
			l := &s.laps[i]
			swept += bits.OnesCount64(l.swept)
			for k := range stretches {
				if l.swept>>k&1 != 0 {
					continue
				}
				for j := k * stretch; j < (k+1)*stretch; j++ {
					_, x, y := l.place(s.phi[j])
					if key := s.keyOf(l, j); key+apart >= s.best[index(x, y)] {
						t.Fatalf("frame %d: sample %d, %d is left out and might be seen", n, i, j)
					}
				}
			}
		}
	}
	if most := len(frames) * rings * stretches * 3 / 4; swept > most {
		t.Errorf("%d stretches are swept, want at most %d, three quarters", swept, most)
	}
}

// TestTakeLeavesDoubts gives a cell samples about as near as the one that it has, and others.
func TestTakeLeavesDoubts(t *testing.T) {
	s := NewRenderer(1).sweeper
	const at, best = 40<<(columnUp+spotBits) | 12<<spotBits, 4*keyUnit + 5
	edge := edges(at-1, 2)
	for _, c := range []struct {
		name     string
		key      uint64
		edge     uint64
		tie, won bool
	}{
		{"nearer", best + apart + 1, 0, false, true},
		{"a little nearer", best + apart - 1, 0, true, false},
		{"as near", best + 1, 0, true, false},
		{"a little farther", best - apart + 1, 0, true, false},
		{"farther", best - apart - 1, 0, false, false},
		{"nearer, at an edge", best + keyUnit, edge, false, false},
	} {
		cell := cellOf(at)
		s.best[cell] = best
		closest := s.take(at, c.key, c.edge, 0)
		if won := s.best[cell] == c.key; won != c.won || tied(closest) != c.tie || !won && s.best[cell] != best {
			t.Errorf("%s: won %v, tied %v, want %v and %v", c.name, won, tied(closest), c.won, c.tie)
		}
		if earlier := s.take(at, c.key, c.edge, 1<<64-1); !tied(earlier) {
			t.Errorf("%s: an earlier tie is forgotten", c.name)
		}
	}
	if edge == 0 || edges(at, 2) != 0 || edges(at-1<<columnUp, 2<<columnUp) == 0 {
		t.Error("edges are not where cells meet")
	}
}

// TestDecideGoesByTheFormulas makes keys of samples on one ring alike, which are not as near.
func TestDecideGoesByTheFormulas(t *testing.T) {
	r := NewRenderer(1)
	s := r.sweeper
	r.Render(new(Picture), 50)
	decided := 0
	for i := range s.laps {
		l := &s.laps[i]
		for j := range s.phi[1:] {
			d, x, y := l.place(s.phi[j])
			next, nextX, nextY := l.place(s.phi[j+1])
			if index(x, y) != index(nextX, nextY) {
				continue
			}
			best := &s.best[index(x, y)]
			key, nextKey := s.keyOf(l, j), s.keyOf(l, j+1)
			want := l.first + sample(j)
			if next > d {
				want++
			}
			*best = key>>nameBits<<nameBits | nextKey&(1<<nameBits-1)
			s.decide(l, j)
			if got := name(*best); got != want {
				t.Fatalf("of samples %d and %d on ring %d, of D %v and %v, %#x wins", j, j+1, i, d, next, got)
			}
			*best = nextKey>>nameBits<<nameBits | key&(1<<nameBits-1)
			s.decide(l, j+1)
			if got := name(*best); got != want {
				t.Fatalf("of samples %d and %d on ring %d, of D %v and %v, %#x wins", j+1, j, i, d, next, got)
			}
			decided++
		}
	}
	if decided < 1000 {
		t.Errorf("%d pairs share a cell, want thousands", decided)
	}
}

// TestDecidedEqualsGoToTheEarlier takes a ring that is one point.
func TestDecidedEqualsGoToTheEarlier(t *testing.T) {
	s := NewRenderer(1).sweeper
	v := viewOf(50)
	l := &s.laps[0]
	l.start(s, ring{view: &v})
	for _, i := range []int{9, 4, 7} {
		s.decide(l, i)
	}
	_, x, y := l.place(s.phi[4])
	if got := name(s.best[index(x, y)]); got != 4 {
		t.Errorf("of samples 9, 4 and 7 with the same D %d wins, want 4", got)
	}
}
