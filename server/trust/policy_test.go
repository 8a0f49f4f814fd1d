package trust

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestRateFallsWithPassesToTheFloor(t *testing.T) {
	for _, c := range []struct {
		passes uint64
		floor  float64
		want   float64
	}{
		{0, 0.05, 1}, {59, 0.05, 1},
		{60, 0.05, 0.20}, {299, 0.05, 0.20},
		{300, 0.05, 0.10}, {999, 0.05, 0.10},
		{1000, 0.05, 0.05}, {math.MaxUint64, 0.05, 0.05},
		{60, 0.15, 0.20}, {300, 0.15, 0.15}, {1000, 0.15, 0.15},
		{0, 1, 1}, {60, 1, 1}, {1000, 1, 1},
		{0, 0.001, 1}, {1000, 0.001, 0.001},
	} {
		if got := (Policy{c.floor}).Rate(c.passes); got != c.want {
			t.Errorf("after %d passes, with floor %v: rate %v, want %v", c.passes, c.floor, got, c.want)
		}
	}
}

// TestDrawIsIndependentAtTheRate draws from results of 60 frames, and wants the rate at each place of the result, and of
// two neighbours the square of the rate, within four standard deviations.
func TestDrawIsIndependentAtTheRate(t *testing.T) {
	const results, frames = 5000, 60
	for _, passes := range []uint64{60, 300, 1000} {
		policy := Policy{Floor: 0.05}
		rng := rand.NewPCG(passes, 7)
		rate := policy.Rate(passes)
		var at [frames]int
		pairs := 0
		must := make([]bool, frames)
		for range results {
			must[0] = true // what was there before does not matter
			policy.Draw(rng, passes, must)
			for i, drawn := range must {
				if drawn {
					at[i]++
				}
				if drawn && i > 0 && must[i-1] {
					pairs++
				}
			}
		}
		within := func(what string, got int, n, p float64) {
			t.Helper()
			if deviation := math.Sqrt(n * p * (1 - p)); math.Abs(float64(got)-n*p) > 4*deviation {
				t.Errorf("after %d passes: %s %d of %v times, want %v of them within %.0f", passes, what, got, n, p, 4*deviation)
			}
		}
		for i := range at {
			within("a frame is drawn", at[i], results, rate)
		}
		within("two neighbours are drawn", pairs, results*(frames-1), rate*rate)
	}
}

func TestNewcomersAreDrawnWhole(t *testing.T) {
	must := make([]bool, 120)
	Policy{Floor: 0.05}.Draw(rand.NewPCG(1, 1), NewcomerPasses-1, must)
	for i, drawn := range must {
		if !drawn {
			t.Errorf("frame %d of a newcomer's is not drawn", i)
		}
	}
}

func TestPickIsUniform(t *testing.T) {
	const draws, count = 60_000, 12
	var times [count]int
	rng := rand.NewPCG(1, 3)
	for range draws {
		times[Pick(rng, count)]++
	}
	for i, n := range times {
		const mean = draws / count
		if deviation := math.Sqrt(mean); math.Abs(float64(n-mean)) > 4*deviation {
			t.Errorf("%d is picked %d times, want %d within %.0f", i, n, mean, 4*deviation)
		}
	}
	for _, extreme := range []uint64{0, math.MaxUint64} {
		if got, want := Pick(constant(extreme), count), int(extreme>>63)*(count-1); got != want {
			t.Errorf("picked %d at one end of what can be drawn, want %d", got, want)
		}
	}
}

// A constant is a source that has one number.
type constant uint64

func (c constant) Uint64() uint64 { return uint64(c) }

// TestForgerySubmittedBeforeTheFirstDraw holds the expectation in Policy.Floor's documentation against the code: who
// forges everything submits (1-q)/q frames on average before the first one that is drawn.
func TestForgerySubmittedBeforeTheFirstDraw(t *testing.T) {
	const trials = 3000
	for _, q := range []float64{0.05, 0.10, 0.20} {
		policy := Policy{Floor: q}
		total := 0
		must := make([]bool, 60)
		for trial := range uint64(trials) {
			total += undrawn(policy, rand.NewPCG(trial, math.Float64bits(q)), must)
		}
		mean, want := float64(total)/trials, (1-q)/q
		if math.Abs(mean-want) > 0.15*want {
			t.Errorf("at rate %v %v frames are submitted before the first that is drawn, want %v within 15%%", q, mean, want)
		}
	}
}

// undrawn returns how many frames of a trusted sender come before the first one that is drawn.
func undrawn(policy Policy, random rand.Source, must []bool) (frames int) {
	for {
		policy.Draw(random, 1_000_000, must)
		for _, drawn := range must {
			if drawn {
				return frames
			}
			frames++
		}
	}
}

func BenchmarkDraw(b *testing.B) {
	must := make([]bool, 60)
	rng := rand.NewPCG(1, 1)
	b.ReportAllocs()
	for b.Loop() {
		Policy{Floor: 0.05}.Draw(rng, 1000, must)
	}
}
