package orchestrator

import (
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

func TestPlan(t *testing.T) {
	for _, started := range []timeline.Instant{0, 12_345_678, 1 << 40} {
		p := plan{started: started, lead: 10 * time.Second}
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

// TestShortLeadLeavesTime holds what is done ahead to the time that a frame is in the ring.
func TestShortLeadLeavesTime(t *testing.T) {
	for _, lead := range []time.Duration{MinLead, 5 * time.Second, 8 * time.Second} {
		p := plan{lead: lead}
		for n := uint64(2000); n < 2000+messageFrames; n++ {
			enters, airs, last := timeline.Start(n).Add(-lead), p.airBy(n), p.airBy(n)
			for _, d := range []time.Duration{rescueLater, rescueAhead, reclaimAhead, fetchAhead} {
				at := airs.Add(-p.margin(n, d))
				if at <= enters || at >= last {
					t.Fatalf("lead %v: what is due %v ahead is due %v after frame %d came, which airs %v after, and what is next %v after",
						lead, d, at.Sub(enters), n, airs.Sub(enters), last.Sub(enters))
				}
				last = at
			}
			if got := p.margin(n, time.Second); airs.Sub(enters) >= roomy && got != time.Second {
				t.Fatalf("lead %v: a second ahead is %v, %v after the frame came", lead, got, airs.Sub(enters))
			}
		}
	}
}
