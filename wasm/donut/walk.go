package donut

import "math"

// leastSlope is the least |sin(A)| at which rings are walked. One frame of 1,500 is below.
const leastSlope = 1e-3

// A walker goes along a ring from its nearer samples to the farther ones and visits those alone that may win a cell.
// Where D falls from sample to sample, only the first one in each cell can win it, so that from each sample that it
// visits it goes as far as the cell is sure to reach. On one side of a ring's nearest point D does fall: by 2e-10 at
// least, from one sample to the next of detail 32, with leastSlope; rounding is 1e-15.
//
// With v for the derivative of x along the way and m for a bound of its second derivative, x reaches no edge before
//
//	s = v e / (v v + m e / 2)
//
// where e is the distance to the edge ahead. For s is at most e/v, so that v s + m s s / 2 <= s (v + m e / (2 v)) = e.
// And s is at most 2 v / m, so that x does not turn back beyond where it is now. In space the derivatives of a point of
// the ring are h long, and that of Z at most h |sin(A)|; 1.25 bounds the distance by Z. So for x = 40 + 30 X/Z
//
//	m = 30 * 1.25 h D (1 + 2 h |sin(A)| D)
//
// with D where the walker is, since Z grows. For y the same holds with 15.
type walker struct {
	track   *track
	phi     int
	left    int     // samples before it, that at phi included
	forward int     // 1 or -1
	pace    float64 // -forward times the step of phi
}

// A track is what walkers on one ring share. What is linear in sin(phi) is linear in 1/D too, so that
//
//	x = (xCos cos(phi) + xTilt) D + a constant of the frame
//
// and y alike, which takes half as many operations as the formulas.
type track struct {
	ring
	fall        float64 // 1/D has the derivative fall cos(phi)
	xCos, xTilt float64
	yCos, yTilt float64
	bend, swing float64 // m/2 is bend D (1 + swing D) for a step of phi
}

// blur is more than the walk's places are off, in cells. No term of theirs is above 1e6, so their rounding is below
// 1e-9. A sample that lies so close to an edge that this may matter is placed to the last bit.
const blur = 1e-6

// track is the track of a theta's index.
func (r *Renderer) track(v *view, i int) track {
	l := r.ring(v, i)
	// t is slope/D - tilt
	slope := v.cosA / v.sinA
	tilt := (5+l.rise)*slope + l.dip
	step := phiStep / float64(r.detail)
	return track{
		ring: l, fall: l.h * v.sinA,
		xCos: 30 * l.h * v.cosB, xTilt: 30 * tilt * v.sinB,
		yCos: 15 * l.h * v.sinB, yTilt: -15 * tilt * v.cosB,
		bend: 18.75 * step * step * l.h, swing: 2 * l.h * math.Abs(v.sinA),
	}
}

// send appends walkers for the samples of a ring from one to before another.
func (r *Renderer) send(t *track, from, to int) {
	step := phiStep / float64(r.detail)
	// The last samples before a quarter and three quarters of the circle, where D is greatest and least.
	for _, turn := range [...]int{int(0.5*math.Pi/step) + 1, int(1.5*math.Pi/step) + 1, len(r.phi)} {
		if end := min(turn, to); from < end {
			w := walker{track: t, phi: from, left: end - from, forward: 1, pace: -step}
			if d, _, _ := t.place(r.phi[from]); r.nearerAt(t, end-1, d) {
				w.phi, w.forward, w.pace = end-1, -1, step
			}
			r.walkers[r.walking] = w
			r.walking++
			from = end
		}
	}
	if r.walking > len(r.walkers)-4 {
		r.walk(t.view)
	}
}

// nearerAt reports whether D of a sample of the ring is above d.
func (r *Renderer) nearerAt(t *track, phi int, d float64) bool {
	other, _, _ := t.place(r.phi[phi])
	return other > d
}

// walk takes all walkers to their ends, a step of each in turn: the processor need not wait for one's result to begin
// the next one's.
func (r *Renderer) walk(v *view) {
	// The sum with a number as large as that is whole, and its last bits are the whole number's.
	const big = 3 << 51
	sinA := v.sinA
	xMiddle := 40 - 30*(v.cosA/sinA)*v.sinB - 0.5
	yMiddle := 12 + 15*(v.cosA/sinA)*v.cosB - 0.5
	n := r.walking
	for n > 0 {
		for i := 0; i < n; i++ {
			w := &r.walkers[i]
			t := w.track
			phi := r.phi[w.phi]
			d := 1 / (float64(float64(phi.sin*t.h)*sinA) + t.rise + 5)
			x := (t.xCos*phi.cos + t.xTilt) * d
			y := (t.yCos*phi.cos + t.yTilt) * d
			slope, pace := t.fall*phi.cos, d*w.pace
			dx := pace * (t.xCos*phi.sin + x*slope)
			dy := pace * (t.yCos*phi.sin + y*slope)
			x, y = x+xMiddle, y+yMiddle
			column, line := x+big, y+big
			x, y = x-(column-big), y-(line-big) // from the cell's middle
			at := uint(math.Float64bits(column)&(gridWidth-1)|math.Float64bits(line)*gridWidth) & (gridSize - 1)
			s := t.first + sample(w.phi)
			steps := 1
			if math.Abs(x) > 0.5-blur || math.Abs(y) > 0.5-blur {
				_, x, y := t.place(phi)
				r.offer(index(x, y), d, s)
			} else {
				if d >= r.nearest[at] {
					r.offer(at, d, s)
				}
				aheadX := 0.5 - blur - x*math.Copysign(1, dx)
				aheadY := 0.5 - blur - y*math.Copysign(1, dy)
				bend := t.bend * d * (1 + t.swing*d)
				overX := dx*dx + bend*aheadX
				overY := dy*dy + 0.5*bend*aheadY
				over := 1 / (overX * overY)
				stepsX := math.Abs(dx) * aheadX * overY * over
				stepsY := math.Abs(dy) * aheadY * overX * over
				steps = int(min(math.Float64bits(stepsX-0.5+big)&0xffff, math.Float64bits(stepsY-0.5+big)&0xffff)) + 1
			}
			w.phi += steps * w.forward
			w.left -= steps
			if w.left <= 0 {
				n--
				*w = r.walkers[n]
				i--
			}
		}
	}
	r.walking = 0
}
