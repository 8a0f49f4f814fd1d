package main

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestSpread holds the percentiles of a spread against those of all that was added.
func TestSpread(t *testing.T) {
	var s spread
	if got := s.percentile(50); got != nil {
		t.Errorf("the median of nothing is %v", *got)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	for range 1000 {
		d := time.Duration(rng.IntN(4000)-2000) * grain
		s.add(d)
		all = append(all, d)
	}
	for _, p := range []int{1, 50, 99, 100} {
		if got, want := *s.percentile(p), *percentile(all, p); got != want {
			t.Errorf("percentile %d is %v, want %v", p, got, want)
		}
	}
}
