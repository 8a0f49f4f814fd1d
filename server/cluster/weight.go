package cluster

import "math"

// A weight is a server's capacity on a coarse scale: 0 is none, and level n is 2^((n-1)/4) frames a second. Chunks go
// by weights and not by capacities, so that a capacity that trembles moves none.
type weight uint8

const (
	maxWeight = weight(128) // over 3e9 frames a second
	// reluctance is how many levels off its weight a capacity has to be to change it. Levels are a step apart, so a
	// capacity between two has to move half a step, 9%, to go there and back.
	reluctance = 0.75
)

// roots are 2^(0/4) to 2^(3/4), written down so that all machines have the same.
var roots = [4]float64{1, 1.189207115002721, 1.4142135623730951, 1.681792830507429}

// value returns what a weight counts, 1 for none: where nobody has capacity, all weigh the same.
func (w weight) value() float64 {
	if w == 0 {
		return 1
	}
	return math.Ldexp(roots[(w-1)%4], int(w-1)/4)
}

// follow returns the weight of a server of that capacity, in frames a second, whose weight was w.
func (w weight) follow(capacity float64) weight {
	if !(capacity > 0) {
		return 0
	}
	exact := max(1, min(float64(maxWeight), float64(4*math.Log2(capacity))+1))
	if w > 0 && math.Abs(exact-float64(w)) <= reluctance {
		return w
	}
	return weight(math.Round(exact))
}
