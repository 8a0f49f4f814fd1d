package donut

import (
	"math"
	"math/bits"
)

// A patch is what is found seen or hidden at once: on rings up to one step of theta from a middle one, the samples of
// span steps of phi, where steps are those of detail 1. There are 53 in a row, and a set of them is a set of bits.
const span = 6

// drawSeen draws all samples that can be seen: first the patches that face the eye, and then those of the rest that
// these do not hide. Which patches are taken to face it matters to the time alone.
func (r *Renderer) drawSeen(v *view) {
	clear(r.nearest[:])
	for row := range r.patchRows() {
		l := r.middleRing(v, row)
		r.facings[row] = r.facing(&l)
		r.drawPatches(v, row, r.facings[row])
	}
	r.lookAround()
	for row := range r.patchRows() {
		l := r.middleRing(v, row)
		r.drawPatches(v, row, r.unhidden(&l, r.facings[row]))
	}
}

// mostPatchRows is how many rows of patches there are at most: those of detail 32 are nearly two steps high.
const mostPatchRows = 45

// patchRows is how many rows of patches there are.
func (r *Renderer) patchRows() int {
	return (len(r.theta) + 2*r.detail) / (2*r.detail + 1)
}

// middleRing is the ring in the middle of a row of patches.
func (r *Renderer) middleRing(v *view, row int) ring {
	return r.ring(v, min(row*(2*r.detail+1)+r.detail, len(r.theta)-1))
}

// drawPatches draws some patches of a row.
func (r *Renderer) drawPatches(v *view, row int, patches uint64) {
	first := row * (2*r.detail + 1)
	for i := first; i < min(first+2*r.detail+1, len(r.theta)); i++ {
		track := &r.tracks[i-first]
		*track = r.track(v, i)
		for rest := patches; rest != 0; {
			from := bits.TrailingZeros64(rest)
			to := bits.TrailingZeros64(rest + 1<<from) // the carry passes those that follow without a hole
			rest &^= 1<<to - 1
			begin, end := from*span*r.detail, min(to*span*r.detail, len(r.phi))
			r.send(track, begin, end)
		}
	}
	r.walk(v)
}

// middle is the phi of a patch's middle.
func (r *Renderer) middle(patch int) point {
	return r.phi[min((patch*span+span/2)*r.detail, len(r.phi)-1)]
}

// patches is how many patches there are in a row.
func (r *Renderer) patches() int {
	return (len(r.phi) + span*r.detail - 1) / (span * r.detail)
}

// facing returns the patches around the ring l that face the eye: the product of the surface's normal with the way
// there from the eye,
//
//	2 cos(theta) + 1 + 5 sin(theta) cos(A) + 5 cos(theta) sin(A) sin(phi)
//
// is below 0.
func (r *Renderer) facing(l *ring) (patches uint64) {
	theta := l.h - 2
	base, lean := 2*theta+1+5*l.rise, 5*theta*l.sinA
	for patch := range r.patches() {
		patches |= math.Float64bits(base+lean*r.middle(patch).sin) >> 63 << patch
	}
	return patches
}

// unhidden returns those of the other patches around the ring l that may be seen. A patch is hidden where all cells
// that it may touch have been painted nearer.
func (r *Renderer) unhidden(l *ring, facing uint64) (patches uint64) {
	for patch := range r.patches() {
		if facing>>patch&1 != 0 {
			continue
		}
		d, x, y := l.place(r.middle(patch))
		most, within := reach(l.h, d)
		if !within || most >= math.Float64frombits(r.around[index(x, y)]) {
			patches |= 1 << patch
		}
	}
	return patches
}

// reach returns what no D of a patch is above, and whether its samples lie within as many cells of its middle as
// lookAround looks; h and d are the middle's. In space they lie within some radius of it, and so at the distance
// Z - radius at least. That makes 30 * 1.25 radius / (Z - radius) columns at most, and half as many lines, where 1.25
// bounds the distance by Z.
func reach(h, d float64) (most float64, within bool) {
	const slack = 0.001
	radius := thetaStep + h*phiStep*(span/2) + slack
	near := radius * d // radius / Z
	return d / (1 - near), 18.75*near < 1-near
}

// lookAround notes the least D around each cell.
func (r *Renderer) lookAround() {
	// As positive numbers compare like their bits, which the compiler takes the least of without a call.
	var nearest [gridSize]uint64
	for at, d := range r.nearest {
		nearest[at] = math.Float64bits(d)
	}
	leastAround(&r.around, &nearest)
}

// leastAround notes for each cell the least of what nearest has for those up to 2 columns and 1 line away from it, 0
// where one is empty. Around the first line and the last nothing is taken to be painted.
func leastAround(around, nearest *[gridSize]uint64) {
	var least [gridSize]uint64
	for y := range lowest + 1 {
		for x := leftmost; x <= rightmost; x++ {
			at := (y*gridWidth + x) & (gridSize - 1)
			five := (*[5]uint64)(nearest[at-2:])
			least[at] = min(five[0], five[1], five[2], five[3], five[4])
		}
	}
	for at := gridWidth; at < lowest*gridWidth; at++ {
		around[at] = min(least[at-gridWidth], least[at], least[at+gridWidth])
	}
}
