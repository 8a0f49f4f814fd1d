package donut

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"testing"
)

// proofBy returns the digest of a proof whose frames were drawn by draw.
func proofBy(draw func(n uint64, detail int) (Picture, [Cells]float64)) string {
	h := sha256.New()
	for _, each := range proofFrames {
		p, nearest := draw(each.frame, each.detail)
		h.Write(appendProof(nil, &p, &nearest))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestProofDigestIsTheOracles(t *testing.T) {
	if got := proofBy(oracleWithDepths); got != ProofDigest {
		t.Errorf("digest of the oracle's proof is %s, want %s", got, ProofDigest)
	}
}

func TestProofIsWhatItsDigestSays(t *testing.T) {
	h := sha256.New()
	Proof(func(b []byte) { h.Write(b) })
	if got := hex.EncodeToString(h.Sum(nil)); got != ProofDigest {
		t.Errorf("digest of the proof is %s, want %s", got, ProofDigest)
	}
}

// TestProofSeesTheLastBit takes each D with arithmetics that are off by one rounding, which leaves the pictures alone.
func TestProofSeesTheLastBit(t *testing.T) {
	round := func(x, y, z float64) float64 { return float64(x*y) + z }
	for name, m := range map[string]arithmetic{
		"a product and a sum in one rounding": {mulAdd: math.FMA, divide: func(x float64) float64 { return 1 / x }},
		"a quotient that is off":              {mulAdd: round, divide: func(x float64) float64 { return math.Nextafter(1/x, 2) }},
	} {
		if got := proofBy(m.draw); got == ProofDigest {
			t.Errorf("%s passes", name)
		}
	}
	right := arithmetic{mulAdd: round, divide: func(x float64) float64 { return 1 / x }}
	if got := proofBy(right.draw); got != ProofDigest {
		t.Errorf("digest with the right arithmetic is %s, want %s", got, ProofDigest)
	}
}

// arithmetic is how a host might compute x*y + z, and 1/x.
type arithmetic struct {
	mulAdd func(x, y, z float64) float64
	divide func(x float64) float64
}

// draw is the oracle with each D computed by a's operations.
func (a arithmetic) draw(n uint64, detail int) (Picture, [Cells]float64) {
	p, nearest := oracleWithDepths(n, detail)
	sinA, cosA, _, _ := angles(n)
	r := NewRenderer(detail)
	r.Render(new(Picture), n)
	for cell, d := range nearest {
		if d == 0 {
			continue
		}
		s, _ := r.won(cell/Width*gridWidth + cell%Width)
		i, j := s.indices()
		q := float64(r.phi[j].sin * (r.theta[i].cos + 2))
		nearest[cell] = a.divide(a.mulAdd(q, sinA, float64(r.theta[i].sin*cosA)) + 5)
	}
	return p, nearest
}

// TestProofTakesEveryPath holds the frames to what they were chosen for.
func TestProofTakesEveryPath(t *testing.T) {
	type path struct {
		large  bool
		octant uint64
	}
	taken := make(map[path]bool)
	details := make(map[int]bool)
	var levels [Levels]bool
	for _, each := range proofFrames {
		details[each.detail] = true
		for _, step := range []float64{0.07, 0.03} {
			x := 1 + float64(step*float64(each.frame))
			octant, _ := reduce(x)
			taken[path{x >= reduceThreshold, octant}] = true
		}
		for _, level := range oracle(each.frame, each.detail) {
			levels[level] = true
		}
	}
	for _, large := range []bool{false, true} {
		for octant := uint64(0); octant < 8; octant += 2 {
			if !taken[path{large, octant}] {
				t.Errorf("no angle is reduced to octant %d, large: %v", octant, large)
			}
		}
	}
	if len(details) < 2 {
		t.Error("all frames are of one detail")
	}
	for level, seen := range levels {
		if !seen {
			t.Errorf("no cell is of level %d", level)
		}
	}
}
