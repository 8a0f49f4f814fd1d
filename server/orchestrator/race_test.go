package orchestrator

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestRaceUsesTheWholeFleet has a fleet fill a ring that nothing paces: whoever is slow must hold up nobody.
func TestRaceUsesTheWholeFleet(t *testing.T) {
	const seconds = 20
	for _, test := range []struct {
		fast, slow int
		want       float64 // of what all do alone
	}{{4, 0, 0.95}, {4, 2, 0.9}, {4, 4, 0.9}} {
		t.Run(fmt.Sprintf("%d fast, %d slow", test.fast, test.slow), func(t *testing.T) {
			frames := 0
			w := newWorld(t, func(c *Config) {
				c.Audience, c.Lead = nil, time.Minute
				c.Race = func(count int) { frames += count }
			})
			w.sampling, w.renderTime = true, time.Microsecond
			sum := 0.0 // what each would do alone, in frames a second
			for i := range test.fast + test.slow {
				w.join(1, func(m *member) {
					if m.perFrame = time.Millisecond; i >= test.fast {
						m.perFrame *= 50
					}
					sum += 1 / m.perFrame.Seconds()
				})
			}
			w.run(5 * time.Second)
			frames = 0
			w.run(seconds * time.Second)
			if got := float64(frames) / seconds; got < test.want*sum || got > 1.01*sum {
				t.Errorf("%.0f frames a second, want %.0f%% of %.0f or more", got, 100*test.want, sum)
			}
		})
	}
}

// TestRaceBearsLoss has a fleet lose results in a ring that is full long before a lease runs out: it costs what the fleet
// renders in vain, and hardly more.
func TestRaceBearsLoss(t *testing.T) {
	const (
		capacity = 300_000 // frames a second
		measured = 500 * time.Millisecond
	)
	for _, workers := range []int{2, 8} {
		for _, drop := range []float64{0.25, 0.5} {
			t.Run(fmt.Sprintf("%d workers, %v%% lost", workers, 100*drop), func(t *testing.T) {
				t.Parallel()
				frames := 0
				w := newWorld(t, func(c *Config) {
					c.Audience, c.Lead = nil, 5*time.Minute
					c.Race = func(count int) { frames += count }
				})
				w.sampling, w.renderTime = true, time.Microsecond
				for i := range workers {
					w.join(1, func(m *member) {
						m.perFrame, m.rtt = time.Duration(workers)*time.Second/capacity, 300*time.Microsecond
						random := rand.New(rand.NewPCG(1, uint64(i)))
						m.lost = func() bool { return random.Float64() < drop }
					})
				}
				w.run(2500 * time.Millisecond) // who loses a first chunk is waited for
				frames = 0
				w.run(measured)
				want := 0.85 * (1 - drop) * capacity
				if got := float64(frames) / measured.Seconds(); got < want {
					t.Errorf("%.0f frames a second, want %.0f or more", got, want)
				}
			})
		}
	}
}
