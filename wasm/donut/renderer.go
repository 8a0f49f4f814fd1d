package donut

import "strconv"

// A Renderer draws pictures at one detail. It holds the tables that all frames share and the scratch of one frame, so
// that Render allocates nothing. It is not safe for concurrent use.
type Renderer struct {
	// Set once: the circles of theta and phi.
	cosTheta, sinTheta []float64
	cosPhi, sinPhi     []float64

	// Scratch of one frame, indexed by cell: the greatest D so far, and which sample has it.
	nearest [Cells]float64
	winner  [Cells]uint32
}

// NewRenderer returns a renderer that samples theta and phi detail times finer than donut.c. Detail 1 takes 90 x 315
// samples a frame, detail k about k*k times as many. A detail outside 1..MaxDetail panics.
func NewRenderer(detail int) *Renderer {
	if detail < 1 || detail > MaxDetail {
		panic("donut: detail " + strconv.Itoa(detail) + ", want 1.." + strconv.Itoa(MaxDetail))
	}
	r := new(Renderer)
	r.cosTheta, r.sinTheta = circle(thetaStep / float64(detail))
	r.cosPhi, r.sinPhi = circle(phiStep / float64(detail))
	return r
}

// Render draws frame n into dst, every cell of it.
//
// The operations on a sample are those of the package's formulas in the same order, so the bits are the same; what
// does not depend on phi is taken once per theta, and luminance is computed once per painted cell.
func (r *Renderer) Render(dst *Picture, n uint64) {
	sinA, cosA, sinB, cosB := angles(n)
	clear(r.nearest[:])

	cosPhi, sinPhi := r.cosPhi, r.sinPhi[:len(r.cosPhi)]
	for i, sinTheta := range r.sinTheta {
		h := r.cosTheta[i] + 2
		rise, dip := float64(sinTheta*cosA), float64(sinTheta*sinA)
		sample := uint32(i * len(cosPhi))
		for j, sp := range sinPhi {
			q := float64(sp * h)
			d := 1 / (float64(q*sinA) + rise + 5)
			t := float64(q*cosA) - dip
			p := float64(cosPhi[j] * h)
			x := int(40 + float64(float64(30*d)*(float64(p*cosB)-float64(t*sinB))))
			y := int(12 + float64(float64(15*d)*(float64(p*sinB)+float64(t*cosB))))
			if uint(x) >= Width || uint(y) >= Rows {
				continue
			}
			if cell := y*Width + x; d > r.nearest[cell] {
				r.nearest[cell] = d
				r.winner[cell] = sample + uint32(j)
			}
		}
	}

	for cell, d := range r.nearest {
		if d == 0 {
			dst[cell] = 0
			continue
		}
		i, j := r.winner[cell]/uint32(len(cosPhi)), r.winner[cell]%uint32(len(cosPhi))
		dst[cell] = level(luminance(r.cosTheta[i], r.sinTheta[i], cosPhi[j], sinPhi[j], sinA, cosA, sinB, cosB))
	}
}

// luminance is 8 times the dot product of the surface's normal with the light, about -11.3 to 11.3.
func luminance(cosTheta, sinTheta, cosPhi, sinPhi, sinA, cosA, sinB, cosB float64) float64 {
	q := float64(sinPhi * cosTheta)
	return 8 * (float64((float64(sinTheta*sinA)-float64(q*cosA))*cosB) - float64(q*sinA) - float64(sinTheta*cosA) -
		float64(float64(cosPhi*cosTheta)*sinB))
}

// level is the level of a painted cell of luminance l: what faces away from the light is as dark as what grazes it.
func level(l float64) uint8 {
	return uint8(max(int(l), 0)) + 1
}
