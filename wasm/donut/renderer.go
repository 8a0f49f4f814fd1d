package donut

import (
	"math"
	"strconv"
)

// The grid has a place for every cell that a sample can fall into, and its rows are a power of two wide. The torus lies
// within 3 of a point 5 away from the eye, so |X/Z| and |Y/Z| are at most 3/4 on it (the tangent to that ball), which
// leaves 17.5 <= x <= 62.5 and 0.75 <= y <= 23.25: truncating is rounding down, and lines from Rows on are cut off.
const (
	gridWidth = 64
	gridSize  = 32 * gridWidth // index & (gridSize - 1) needs no bounds check
	leftmost  = 17             // the columns that samples reach
	rightmost = 62
	lowest    = 23 // and the last line
)

// A Renderer draws pictures at one detail. It holds the tables that all frames share and the scratch of one frame, so
// that Render allocates nothing. It is not safe for concurrent use.
type Renderer struct {
	// Set once: the circles of theta and phi, and how many samples of phi make a gap.
	theta, phi []point
	detail     int

	view view // of the frame

	sweeper *sweeper // at detail 1, instead of all that follows

	// Scratch of one frame, indexed by place in the grid: the greatest D so far, which sample has it, and the least of
	// the greatest D around.
	nearest [gridSize]float64
	winner  [gridSize]sample
	around  [gridSize]uint64 // see leastAround

	facings [mostPatchRows]uint64 // the patches that face the eye

	// Scratch of a row of patches; the first so many walkers are under way.
	tracks  [2*MaxDetail + 1]track
	walkers [128]walker
	walking int
}

// A point of a circle.
type point struct{ cos, sin float64 }

// A sample is the index of its theta times 2^16, plus that of its phi: the order of the formulas' two loops.
type sample uint32

func (s sample) indices() (theta, phi int) { return int(s >> 16), int(s & 0xffff) }

// NewRenderer returns a renderer that samples theta and phi detail times finer than donut.c. Detail 1 takes 90 x 315
// samples a frame, detail k about k*k times as many. A detail outside 1..MaxDetail panics.
func NewRenderer(detail int) *Renderer {
	if detail < 1 || detail > MaxDetail {
		panic("donut: detail " + strconv.Itoa(detail) + ", want 1.." + strconv.Itoa(MaxDetail))
	}
	r := &Renderer{
		theta:  circle(thetaStep / float64(detail)),
		phi:    circle(phiStep / float64(detail)),
		detail: detail,
	}
	if detail == 1 {
		r.sweeper = newSweeper(r.phi)
	}
	return r
}

// Render draws frame n into dst, every cell of it.
func (r *Renderer) Render(dst *Picture, n uint64) {
	v := &r.view
	*v = viewOf(n)
	switch {
	case r.sweeper != nil:
		r.sweeper.sweep(r, v)
	case math.Abs(v.sinA) < leastSlope:
		r.drawAll(v)
	default:
		r.drawSeen(v)
	}

	for y := range Rows {
		cells := dst[y*Width : (y+1)*Width]
		clear(cells)
		for x := leftmost; x <= rightmost; x++ {
			at := (y*gridWidth + x) & (gridSize - 1)
			if s, painted := r.won(at); painted {
				i, j := s.indices()
				cells[x] = level(v.luminance(r.theta[i], r.phi[j]))
			}
		}
	}
}

// won returns the sample that has won the cell at a place in the grid, if one has.
func (r *Renderer) won(at int) (s sample, painted bool) {
	if r.sweeper != nil {
		key := r.sweeper.best[at]
		return name(key), key != 0
	}
	return r.winner[at], r.nearest[at] != 0
}

// A view is where the torus is seen from in one frame.
type view struct{ sinA, cosA, sinB, cosB float64 }

func viewOf(n uint64) view {
	sinA, cosA, sinB, cosB := angles(n)
	return view{sinA, cosA, sinB, cosB}
}

// luminance is 8 times the dot product of the surface's normal with the light, about -11.3 to 11.3.
func (v *view) luminance(theta, phi point) float64 {
	q := float64(phi.sin * theta.cos)
	return 8 * (float64((float64(theta.sin*v.sinA)-float64(q*v.cosA))*v.cosB) - float64(q*v.sinA) -
		float64(theta.sin*v.cosA) - float64(float64(phi.cos*theta.cos)*v.sinB))
}

// level is the level of a painted cell of luminance l: what faces away from the light is as dark as what grazes it.
func level(l float64) uint8 {
	return uint8(max(int(l), 0)) + 1
}
