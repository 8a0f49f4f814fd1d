package donut

import (
	"math"
	"math/bits"
)

// At detail 1 the samples that may be seen are swept: integers say nearly where each falls and how near it is, in a few
// operations and without a branch, since one taken costs more in Go's WebAssembly than it might save. What these leave
// in doubt, one sample in sixty, the formulas themselves decide, so that every comparison that counts is exact.
//
// A stretch is the samples of a ring from one knot to before the next. Sets of stretches are sets of bits.
const (
	rings     = 90 // of detail 1
	stretches = 45 // of a ring
	stretch   = 7  // samples; that stretches divide a ring leaves no rest to care for
	middle    = stretch / 2
	everyone  = 1<<stretches - 1
)

// A key orders samples by how near they are: 9 - Z, which is 1 to 7, with depthBits after the point, above the nameBits
// of the sample's name. 0 is no sample.
const (
	nameBits  = 16
	depthBits = 45
	keyUnit   = 1 << (depthBits + nameBits) // stands for a distance of 1
	sineBits  = 22                          // sines have so many bits after the point
	fallBits  = depthBits - sineBits        // and what they are multiplied by has the rest
)

// apart is how far apart two keys must be to prove which sample is nearer. Rounding puts a key off by 2^-24 for what
// multiplies the sine and, since that is at most 3, by 3 * 2^-23 for the sine: two keys by less than 0.9 * 2^-20. The
// names' part of a difference is never 0 and that of apart is, so no two samples' keys are apart by just that.
const apart = keyUnit >> 20

// name is the sample that a key is of.
func name(key uint64) sample { return sample(key>>9&127<<16 | key&511) }

// A sweeper finds the samples that win the cells of a picture of detail 1.
type sweeper struct {
	// Set once.
	phi   []point
	sines [stretches * stretch]int64 // of phi
	knots [stretches + 3]point       // from the one before the ring's first sample
	below [65]uint64                 // the stretches whose middles' sines are below -1, -31/32, ... 1
	arcs  [2][stretches]uint8        // the arc of each stretch where a greater sine is farther, and where it is nearer

	// Of one frame.
	laps  [rings]lap
	best  [gridSize]uint64 // the greatest key of each cell
	least [gridSize]uint64 // the least of the greatest keys around; see leastAround
}

// newSweeper returns a sweeper whose rings have the samples phi.
func newSweeper(phi []point) *sweeper {
	s := &sweeper{phi: phi}
	for i := range s.sines {
		s.sines[i] = rounded(phi[i].sin * (1 << sineBits))
	}
	for k := range s.knots {
		s.knots[k].sin, s.knots[k].cos = sincos(2*math.Pi + knotStep*float64(k-1))
	}
	for k := range stretches {
		sin := phi[k*stretch+middle].sin
		for i := range s.below {
			if sin < float64(i-32)/32 {
				s.below[i] |= 1 << k
			}
		}
		s.arcs[0][k], s.arcs[1][k] = arcsOf((*[4]point)(s.knots[k:]))
	}
	return s
}

// sweep sweeps the stretches that face the eye, and then those of the rest that these do not hide. Which are taken to
// face it matters to the time alone.
func (s *sweeper) sweep(r *Renderer, v *view) {
	clear(s.best[:])
	for i := range s.laps {
		l := &s.laps[i]
		l.start(s, r.ring(v, i))
		l.swept = s.facing(l)
		s.settle(l, s.draw(l, l.swept))
	}
	leastAround(&s.least, &s.best)
	for i := 1; i < len(s.laps); i += 3 {
		three := s.laps[i-1 : i+2]
		hidden := s.hidden(&three[1], three[0].swept&three[1].swept&three[2].swept)
		for j := range three {
			l := &three[j]
			rest := everyone &^ (l.swept | hidden)
			s.settle(l, s.draw(l, rest))
			l.swept |= rest
		}
	}
}

// draw gives each cell the nearest sample of some stretches that is in no doubt, and returns the stretches where some
// sample is. They are written out because a loop's end is a branch.
func (s *sweeper) draw(l *lap, some uint64) (doubtful uint64) {
	fall := l.fall
	for ; some != 0; some &= some - 1 {
		k := bits.TrailingZeros64(some)
		blur := l.blur[l.arcs[k]&(arcLevels-1)]
		at, d1, d2, d3 := l.steps(k)
		at -= blur >> 1
		sines := (*[stretch]int64)(s.sines[k*stretch:])
		key := l.key + int64(k*stretch)

		edge := edges(at, blur)
		doubt := edge
		closest := s.take(at, uint64(key-fall*sines[0]), edge, 0)
		at, d1, d2 = at+d1, d1+d2, d2+d3
		edge = edges(at, blur)
		doubt |= edge
		closest = s.take(at, uint64(key-fall*sines[1]+1), edge, closest)
		at, d1, d2 = at+d1, d1+d2, d2+d3
		edge = edges(at, blur)
		doubt |= edge
		closest = s.take(at, uint64(key-fall*sines[2]+2), edge, closest)
		at, d1, d2 = at+d1, d1+d2, d2+d3
		edge = edges(at, blur)
		doubt |= edge
		closest = s.take(at, uint64(key-fall*sines[3]+3), edge, closest)
		at, d1, d2 = at+d1, d1+d2, d2+d3
		edge = edges(at, blur)
		doubt |= edge
		closest = s.take(at, uint64(key-fall*sines[4]+4), edge, closest)
		at, d1 = at+d1, d1+d2
		edge = edges(at, blur)
		doubt |= edge
		closest = s.take(at, uint64(key-fall*sines[5]+5), edge, closest)
		at += d1
		edge = edges(at, blur)
		doubt |= edge
		closest = s.take(at, uint64(key-fall*sines[6]+6), edge, closest)

		l.closest[k] = closest
		if tied(closest) {
			doubt = 1
		}
		doubtful |= -doubt >> 63 << k // doubt is below 2^63
	}
	return doubtful
}

// take gives the cell at a spot to a sample, unless that is in doubt: at an edge, or about as near as the sample that
// the cell has. It returns the greater of closest and how far the sample is in front of being as near as that, which
// wraps around where it is behind.
func (s *sweeper) take(at, key, edge, closest uint64) uint64 {
	cell := cellOf(at)
	best := s.best[cell]
	sure := key - apart
	closest = max(closest, sure-best)
	if sure&uint64(int64(edge-1)>>63) > best { // 0 at an edge
		best = key
	}
	s.best[cell] = best
	return closest
}

// tied reports whether what take returned is of a sample about as near as its cell's: those sure to be farther are at
// least so much below, and those that are nearer far below 2^63.
func tied(closest uint64) bool { return closest >= 1<<64-2*apart }

// settle decides the samples in doubt of some stretches.
func (s *sweeper) settle(l *lap, some uint64) {
	for ; some != 0; some &= some - 1 {
		k := bits.TrailingZeros64(some)
		tie := tied(l.closest[k])
		blur := l.blur[l.arcs[k]&(arcLevels-1)]
		at, d1, d2, d3 := l.steps(k)
		at -= blur >> 1
		for i := k * stretch; i < (k+1)*stretch; i++ {
			if tie || edges(at, blur) != 0 {
				s.decide(l, i)
			}
			at, d1, d2 = at+d1, d1+d2, d2+d3
		}
	}
}

// decide gives a sample of a lap the cell that it falls into, by the formulas, if it is nearer than what is there, or
// as near and earlier. That it is there already does no harm.
func (s *sweeper) decide(l *lap, i int) {
	d, x, y := l.place(s.phi[i])
	key := s.keyOf(l, i)
	best := &s.best[index(x, y)]
	if key-*best+apart < 2*apart {
		theta, phi := name(*best).indices()
		if other, _, _ := s.laps[theta].place(s.phi[phi]); d < other || d == other && name(key) > name(*best) {
			return
		}
		*best = key
		return
	}
	*best = max(*best, key)
}

// keyOf is the key of a sample of a lap.
func (s *sweeper) keyOf(l *lap, i int) uint64 { return uint64(l.key - l.fall*s.sines[i] + int64(i)) }

// facing returns the stretches of a lap that face the eye, by and large: see Renderer.facing.
func (s *sweeper) facing(l *lap) uint64 {
	theta := l.h - 2
	base, lean := 2*theta+1+5*l.rise, 5*theta*l.sinA
	switch {
	case base >= lean && base >= -lean:
		return 0
	case base <= lean && base <= -lean:
		return everyone
	case lean > 0:
		return s.below[int(32-32*base/lean)&63]
	default:
		return everyone &^ s.below[int(32-32*base/lean)&63]
	}
}

// hidden returns those stretches, but for some, that are hidden in a lap and in those beside it: where all cells that
// they may touch have been painted nearer.
func (s *sweeper) hidden(l *lap, but uint64) (some uint64) {
	reach, within := l.reach()
	for rest := everyone &^ but; rest != 0; rest &= rest - 1 {
		k := bits.TrailingZeros64(rest)
		at, d1, d2, d3 := l.steps(k)
		key := s.keyOf(l, k*stretch+middle)
		least := s.least[cellOf(at+middle*d1+middle*(middle-1)/2*d2+middle*(middle-1)*(middle-2)/6*d3)]
		if key > within {
			least = 0
		}
		hides := uint64(0)
		if key+reach < least {
			hides = 1
		}
		some |= hides << k
	}
	return some
}

// reach returns by how much no key of a stretch in l or beside it is above its middle's in l, and up to which key of
// the middle they lie within as many cells of it as leastAround looks. The reasons are those of the function reach,
// with 0.1 column and 0.05 lines for the blur of the middle's spot: the samples are at most
//
//	37.5 radius / (Z - radius) <= 1.9
//
// columns from it and half as many lines, if Z >= 20.75 radius.
func (l *lap) reach() (above, within uint64) {
	const slack = 0.001 // more than keys are off
	radius := l.h*phiStep*middle + thetaStep + slack
	fixed := func(x float64) uint64 { return uint64(rounded(x*(1<<depthBits))) << nameBits }
	return fixed(radius), fixed(9 - 20.75*radius)
}
