// Package trust decides who is believed, how far, and who may render at all. It is pure: time and randomness are
// arguments.
//
// An audit renders a frame once more with the same module, and compares. The check is exact to the bit, so it has no
// false alarm, and one wrong cell is proof of forgery: a strike. A strike shuts the address out from rendering, for
// longer each time. Nothing else is a strike.
//
// What has to be audited of a result is drawn after its bytes have arrived, at a rate that falls with the audits that a
// connection has passed, and never below a floor; none of the result airs before. Whatever else there is time for is
// audited as well, as far as a budget goes. Identities are free, so newcomers are audited whole, and are lent no more
// than can be.
package trust

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// NewcomerPasses is how many audited frames have to be right before a connection is no newcomer any more. All that a
// newcomer sends is audited.
const NewcomerPasses = 60

// tiers are the rates at which frames must be audited, by how many audited ones were right before. Beyond the last tier
// Policy.Floor holds for ever: who may hope for less and less audits need only behave for long enough.
var tiers = []struct {
	passes uint64 // below this many
	rate   float64
}{
	{NewcomerPasses, 1},
	{300, 0.20},
	{1000, 0.10},
}

// A Policy says how much of what a connection sends must be audited before it airs. More than that may be.
type Policy struct {
	// Floor is the least share of frames, above 0 and up to 1, that must be audited of anybody. One who forges every
	// frame is expected to submit (1-Floor)/Floor of them before the first that is audited: the mean of the geometric
	// distribution. At 0.05 that is 19.
	Floor float64
}

// Rate returns the share of frames that must be audited of a connection with so many passes. Only audited frames are
// passes: one that aired on trust proves nothing.
func (p Policy) Rate(passes uint64) float64 {
	for _, tier := range tiers {
		if passes < tier.passes {
			return max(tier.rate, p.Floor)
		}
	}
	return p.Floor
}

// Draw decides which frames of a result must be audited, of a connection with so many passes: it sets each of must with
// probability Rate, independently of the others, and clears the rest. The randomness must be unpredictable to who sent
// the frames, and be drawn when their bytes are here.
func (p Policy) Draw(random rand.Source, passes uint64, must []bool) {
	rate := p.Rate(passes)
	for i := range must {
		must[i] = unit(random) < rate
	}
}

// unit returns a number from 0 up to but not including 1: 53 random bits behind the point.
func unit(random rand.Source) float64 { return math.Ldexp(float64(random.Uint64()>>11), -53) }

// Pick returns a number from 0 up to but not including count, each as likely as the others, where count is positive and
// far below 2^32.
func Pick(random rand.Source, count int) int {
	product, _ := bits.Mul64(random.Uint64(), uint64(count)) // biased by less than count / 2^64
	return int(product)
}
