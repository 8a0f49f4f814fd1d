package orchestrator

import (
	"fmt"
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
