package cluster

import "math"

// A bid is what a server puts forward for a chunk: weighted rendezvous hashing. Everybody computes everybody's bids and
// finds the same best one, with nobody to ask. A server that comes or goes moves the chunks that it wins or won, and no
// others, since the others' bids do not depend on it.
type bid struct {
	willing  bool // it has capacity; those that have none are bidden for where nobody has any
	score    float64
	identity uint64
}

// bidOf returns a server's bid for the chunk of an index.
//
// The score is -w / ln(u), with u uniform in (0, 1) for each pair of server and chunk. -ln(u) is exponentially
// distributed, -ln(u)/w so at the rate w, and the least of several such is server i's with probability w_i / sum(w):
// the shares of chunks follow the weights. (Schindelhauer and Schomaker, "Weighted distributed hash tables", SPAA 2005,
// the logarithmic method; rendezvous hashing is Thaler and Ravishankar's, 1998.) Two machines whose logarithms differ
// in the last bit disagree about one chunk in some 10^15, and then both render it.
func bidOf(identity uint64, level weight, chunk uint64) bid {
	// 52 bits and a half: u is exact, and neither 0 nor 1.
	u := (float64(mix(identity^mix(chunk))>>12) + 0.5) / (1 << 52)
	b := bid{willing: level > 0, identity: identity}
	b.score = -level.value() / math.Log(u)
	return b
}

// beats says whether a chunk goes to b rather than to the other. The order is strict: no two servers share an
// identity.
func (b bid) beats(other bid) bool {
	switch {
	case b.willing != other.willing:
		return b.willing
	case b.score != other.score:
		return b.score > other.score
	}
	return b.identity < other.identity
}

// mix is a bijection of 64-bit numbers in which every bit of the result depends on all of x: SplitMix64 (Steele, Lea
// and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
