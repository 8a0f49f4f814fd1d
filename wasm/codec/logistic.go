package codec

import "math/bits"

// Probabilities are those of a decision being true, in units of 1/certain, and never 0 or certain, so that whatever
// comes can be coded. Stretched, a probability p is 256 ln(p / (1-p)): those can be weighed and summed up.
const (
	certain    = 1 << 16
	even       = certain / 2
	maxStretch = 2047 // odds of 2,970 to 1
)

// stretched holds what a probability stretches to, at the leading 12 of the 16 bits of its difference from even.
var stretched [1 << 12]int16

// squashed is the inverse: it holds certain / (1 + e^(-x/256)) at x + maxStretch. The last one is there twice, so that
// an index is bounded by a mask.
var squashed [2 * (maxStretch + 1)]uint16

// init makes both tables of integers alone, so that all engines have the same ones.
func init() {
	const (
		one    = 1 << 36
		fine   = 1 << 8            // parts of a unit
		growth = 72198514957318099 // (e^(1/256) - 1) x 2^64
	)
	odds, next := uint64(one), 0
	for x := range maxStretch + 1 {
		p := fine*certain - fine*certain*one/(one+odds)
		rounded := (p + fine/2) / fine
		squashed[maxStretch+x], squashed[maxStretch-x] = uint16(rounded), uint16(certain-rounded)
		for ; next < len(stretched)/2 && (uint64(fine*(even+next*16+8)) <= p || x == maxStretch); next++ {
			stretched[next], stretched[len(stretched)-1-next] = int16(x), int16(-x)
		}
		more, _ := bits.Mul64(odds, growth)
		odds += more
	}
	squashed[len(squashed)-1] = squashed[2*maxStretch]
}
