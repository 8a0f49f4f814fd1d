package codec

import (
	"math"
	"testing"
)

// TestLogistic holds the tables against the functions that they stand for.
func TestLogistic(t *testing.T) {
	for i, got := range squashed {
		x := float64(min(i, 2*maxStretch)-maxStretch) / 256
		if want := certain / (1 + math.Exp(-x)); math.Abs(float64(got)-want) > 1 {
			t.Errorf("e^%v squashes to %d, want %v", x, got, want)
		}
		if got == 0 {
			t.Errorf("e^%v squashes to 0, want what can be coded", x)
		}
	}
	for i, got := range stretched {
		difference := i
		if i >= len(stretched)/2 {
			difference -= len(stretched)
		}
		p := (even + 16*float64(difference) + 8) / certain
		want := max(-maxStretch, min(maxStretch, 256*math.Log(p/(1-p))))
		if math.Abs(float64(got)-want) > 1 {
			t.Errorf("probability %v stretches to %d, want %v", p, got, want)
		}
	}
}
