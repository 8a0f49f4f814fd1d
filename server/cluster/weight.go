package cluster

import "math"

// A weight is a server's capacity on a coarse scale: 0 is none, and level n is 2^((n-1)/8) frames a second. Chunks go
// by weights and not by capacities, so that a capacity that trembles moves none.
type weight uint8

const maxWeight = weight(241) // 2^30 frames a second

// roots are 2^(0/8) to 2^(7/8), written down so that all machines have the same.
var roots = [8]float64{
	1, 1.0905077326652577, 1.189207115002721, 1.2968395546510096,
	1.4142135623730951, 1.5422108254079407, 1.681792830507429, 1.8340080864093424,
}

// value returns what a weight counts, 1 for none: where nobody has capacity, all weigh the same.
func (w weight) value() float64 {
	if w == 0 {
		return 1
	}
	return math.Ldexp(roots[(w-1)%8], int(w-1)/8)
}

const (
	// reluctance is how many levels off a weight a capacity has to be to change it at once. A level is 9%, so wherever
	// between two of them it is, a capacity may tremble by 4%.
	reluctance = 1.5
	// settling is how many capacities in a row have to be nearer to other levels to change it all the same: so equal
	// fleets come to weigh the same, whichever way they came to their capacity.
	settling = 20
)

// A scale weighs the capacity of one server over time. Its zero value has weighed nothing.
type scale struct {
	weight weight
	odd    int // how many capacities in a row were nearest to another level
}

// weigh takes the capacity of the moment, in frames a second, and returns what the server weighs.
func (s *scale) weigh(capacity float64) weight {
	if !(capacity > 0) {
		*s = scale{}
		return 0
	}
	exact := max(1, min(float64(maxWeight), float64(8*math.Log2(capacity))+1))
	nearest := weight(math.Round(exact))
	if nearest == s.weight {
		s.odd = 0
		return s.weight
	}
	s.odd++
	if s.weight == 0 || s.odd >= settling || math.Abs(exact-float64(s.weight)) > reluctance {
		*s = scale{weight: nearest}
	}
	return s.weight
}
