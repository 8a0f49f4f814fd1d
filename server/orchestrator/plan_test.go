package orchestrator

import (
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

func TestPlan(t *testing.T) {
	for _, started := range []timeline.Instant{0, 12_345_678, 1 << 40} {
		p := plan{started: started}
		first := p.first().Frame() + 1
		for n := first; n < first+2000; n++ {
			airs, moment := p.airBy(n), timeline.Start(n)
			if next := p.airBy(n + 1); next < airs {
				t.Fatalf("frame %d airs after frame %d", n, n+1)
			}
			if airs > moment {
				t.Fatalf("frame %d airs %v after its moment", n, airs.Sub(moment))
			}
			last := p.lastCall(n)
			if next := p.lastCall(n + 1); last < airs || next < last {
				t.Fatalf("the last call is at %d for frame %d, which airs at %d, and at %d for the next", last, n, airs, next)
			}
			if last > airs && moment.Sub(last) < delivery {
				t.Fatalf("frame %d is waited for until %v before its moment", n, moment.Sub(last))
			}
			if rescue := p.rescueBy(n); rescue > airs || rescue < p.started {
				t.Fatalf("frame %d, which airs at %d, is rescued at %d", n, airs, rescue)
			}
			if got := p.due(airs, first, first+2000); p.airBy(got) != airs || got > n {
				t.Fatalf("the first frame due at %d is %d, want %d or one that airs with it", airs, got, n)
			}
			if moment > started.Add(10*time.Second) {
				grid := timeline.Start(n / messageFrames * messageFrames)
				if airs != grid.Add(-ahead) {
					t.Fatalf("frame %d, long after the start, airs %v before its message's moment", n, grid.Sub(airs))
				}
				if last.Sub(airs) != patience {
					t.Fatalf("frame %d is waited for %v", n, last.Sub(airs))
				}
				if airs.Sub(p.rescueBy(n)) != rescueAhead {
					t.Fatalf("frame %d is rescued %v before it airs", n, airs.Sub(p.rescueBy(n)))
				}
			}
		}
		if got := p.due(timeline.Forever, first, first+10); got != first+10 {
			t.Errorf("the first frame due never is %d, want the end", got)
		}
	}
}
