package donut

import "math"

// A spot is nearly where a sample falls: its column above its line, each with spotBits after the point. As a whole spot
// is one number, a sum or difference of spots is one operation.
const (
	spotBits = 26
	columnUp = spotBits + 5
	cellBits = 63<<(columnUp+spotBits) | 31<<spotBits // those that say which cell
)

// cellOf is the place in the grid of a spot, which is below gridSize since a column is below 64.
func cellOf(at uint64) uint64 { return at>>(spotBits-6)&(31<<6) | at>>(columnUp+spotBits) }

// edges is not 0 where an edge between cells lies from at to blur beyond. It is below 2^63.
func edges(at, blur uint64) uint64 { return ((at + blur) ^ at) & cellBits }

// A lap is what sweeping a ring takes. Spots of samples lie on the cubic through the four knots around. It is exact in
// units of a cubed stretch, which is why knots count in these:
const (
	knotStep = stretch * phiStep // from knot to knot, in radians
	knotUnit = (1 << spotBits) / float64(stretch*stretch*stretch)
)

type lap struct {
	ring
	key     int64                 // of a sample whose sine is 0, without the name of its phi
	fall    int64                 // what a sine takes from it
	blur    [arcLevels]uint64     // twice what spots are off at most, by arc
	arcs    *[stretches]uint8     // the sweeper's
	knots   [stretches + 3]uint64 // their spots
	swept   uint64                // stretches
	closest [stretches]uint64     // what take returned
}

// A ring is cut into arcs by how near it may get: on arc i, Z is at least what it is where the sine, or its opposite
// where a greater sine is nearer, is arcFloors[i].
const arcLevels = 4

var arcFloors = [arcLevels]float64{-1, -0.7, 0, 0.7}

// arcsOf returns the arcs of a stretch with the four knots around it, as sweeper.arcs has them. Between two knots a
// sine is above both or below both by 0.0025 at most.
func arcsOf(knots *[4]point) (farther, nearer uint8) {
	const slack = 0.01
	least := min(knots[0].sin, knots[1].sin, knots[2].sin, knots[3].sin) - slack
	most := max(knots[0].sin, knots[1].sin, knots[2].sin, knots[3].sin) + slack
	for i, floor := range arcFloors {
		if least >= floor {
			farther = uint8(i)
		}
		if -most >= floor {
			nearer = uint8(i)
		}
	}
	return farther, nearer
}

// start makes l the lap of a ring.
func (l *lap) start(s *sweeper, of ring) {
	l.ring = of
	fall, far := l.h*l.sinA, l.rise+5
	l.fall = rounded(fall*(1<<fallBits)) << nameBits
	l.key = rounded((9-far)*(1<<depthBits))<<nameBits + int64(l.first>>16<<9)

	l.arcs = &s.arcs[0]
	if fall < 0 {
		l.arcs = &s.arcs[1]
	}
	for i, floor := range arcFloors {
		e := uint64(rounded(off(l.h, math.Abs(fall), 1/(far+math.Abs(fall)*floor)) * (1 << spotBits)))
		l.blur[i] = 2*e<<columnUp | e
	}

	c := curve{
		fall, far,
		30 * knotUnit * l.h * l.cosB, -30 * knotUnit * l.h * l.cosA * l.sinB, 30 * knotUnit * l.dip * l.sinB,
		15 * knotUnit * l.h * l.sinB, 15 * knotUnit * l.h * l.cosA * l.cosB, -15 * knotUnit * l.dip * l.cosB,
	}
	for k := 0; k < len(l.knots); k += 4 { // a loop's end costs as much as a knot
		four, spots := (*[4]point)(s.knots[k:]), (*[4]uint64)(l.knots[k:])
		spots[0], spots[1] = c.spot(four[0]), c.spot(four[1])
		spots[2], spots[3] = c.spot(four[2]), c.spot(four[3])
	}
}

// off bounds by how many columns spots are off, and by twice how many lines, where D is at most d and slope is
// h |sin(A)|; h is at most 3, slope too, and d 1/2, which makes it less than 0.1.
//
// A cubic through knots H apart is off by at most 9/384 H^4 times the bound of the fourth derivative, between the inner
// ones. For u = X/Z, Leibniz' rule on X = u Z gives each derivative of u from the lower ones,
//
//	Z u(n) = X(n) - u Z(n) - sum over k = 1 ... n-1 of (n over k) u(n-k) Z(k)
//
// where the first two terms are at most 1.25 h together, as |u| <= 3/4, and |Z(k)| <= slope. With c = 1.25 h d and
// w = slope d that makes |u(4)| <= c (1 + 14 w + 36 w^2 + 24 w^3). The column is 30 u, the line 15.
//
// Knots' columns are rounded to 3e-6, their lines to four times as much, as a float64 has no room for more; 1e-4 is
// more than the cubic makes of that.
func off(h, slope, d float64) float64 {
	const part = 30 * 9. / 384 * knotStep * knotStep * knotStep * knotStep
	c, w := 1.25*h*d, slope*d
	return part*c*(1+w*(14+w*(36+w*24))) + 1e-4
}

// A curve is a ring on the screen: 1/D is fall sin + far, and a column or line what is linear in cos and sin, times D.
type curve struct {
	fall, far         float64
	xCos, xSin, xTilt float64
	yCos, ySin, yTilt float64
}

// spot is the spot of a knot, in knotUnits. A compiler may fuse what it likes here: that moves a spot by less than its
// blur, and changes no picture.
func (c *curve) spot(p point) uint64 {
	const big = 3 << 51 // the sum with a number as large as that is whole
	d := 1 / (p.sin*c.fall + c.far)
	x := (c.xCos*p.cos+c.xSin*p.sin+c.xTilt)*d + (40*knotUnit + big) - big
	return uint64(int64(x*(1<<columnUp) + ((c.yCos*p.cos+c.ySin*p.sin+c.yTilt)*d + 12*knotUnit)))
}

// steps returns the spot of a stretch's first sample, and the first to third differences from sample to sample: a sum
// for each gives the next. With s from 0 to 1 between the inner knots p1 and p2 the cubic is
//
//	p1 + s (p2-p1) + s (s-1)/2 (p2-2p1+p0) + (s+1) s (s-1)/6 (p3-3p2+3p1-p0)
func (l *lap) steps(k int) (at, d1, d2, d3 uint64) {
	p := (*[4]uint64)(l.knots[k:])
	first := p[2] - p[1]
	second := first - p[1] + p[0]
	third := p[3] - 3*first - p[0]
	const n = stretch
	return n * n * n * p[1], n*n*first - n*(n-1)/2*second - (n*n-1)/6*third, n*second + third, third
}

// rounded is the whole number nearest to x, which is below 2^62.
func rounded(x float64) int64 { return int64(math.Floor(x + 0.5)) }
