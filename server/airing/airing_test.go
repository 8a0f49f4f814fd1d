package airing

import (
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

func TestPlan(t *testing.T) {
	for _, started := range []timeline.Instant{0, 12_345_678, 1 << 40} {
		p := Plan{Started: started, Lead: 10 * time.Second}
		first := p.First().Frame() + 1
		for n := first; n < first+2000; n++ {
			airs, moment := p.AirBy(n), timeline.Start(n)
			if next := p.AirBy(n + 1); next < airs {
				t.Fatalf("frame %d airs after frame %d", n, n+1)
			}
			if airs > moment {
				t.Fatalf("frame %d airs %v after its moment", n, airs.Sub(moment))
			}
			last := p.LastCall(n)
			if next := p.LastCall(n + 1); last < airs || next < last {
				t.Fatalf("the last call is at %d for frame %d, which airs at %d, and at %d for the next", last, n, airs, next)
			}
			if last > airs && moment.Sub(last) < delivery {
				t.Fatalf("frame %d is waited for until %v before its moment", n, moment.Sub(last))
			}
			if rescue := p.RescueBy(n); rescue > airs || rescue < p.Started {
				t.Fatalf("frame %d, which airs at %d, is rescued at %d", n, airs, rescue)
			}
			if got := p.Due(airs, first, first+2000); p.AirBy(got) != airs || got > n {
				t.Fatalf("the first frame due at %d is %d, want %d or one that airs with it", airs, got, n)
			}
			if moment > started.Add(10*time.Second) {
				grid := timeline.Start(n / MessageFrames * MessageFrames)
				if airs != grid.Add(-Ahead) {
					t.Fatalf("frame %d, long after the start, airs %v before its message's moment", n, grid.Sub(airs))
				}
				if last.Sub(airs) != Patience {
					t.Fatalf("frame %d is waited for %v", n, last.Sub(airs))
				}
				if airs.Sub(p.RescueBy(n)) != RescueAhead {
					t.Fatalf("frame %d is rescued %v before it airs", n, airs.Sub(p.RescueBy(n)))
				}
			}
		}
		if got := p.Due(timeline.Forever, first, first+10); got != first+10 {
			t.Errorf("the first frame due never is %d, want the end", got)
		}
	}
}

// TestShortLeadLeavesTime holds what is done ahead to the time that a frame is in the ring.
func TestShortLeadLeavesTime(t *testing.T) {
	for _, lead := range []time.Duration{4 * time.Second, 5 * time.Second, 8 * time.Second} {
		p := Plan{Lead: lead}
		for n := uint64(2000); n < 2000+MessageFrames; n++ {
			enters, airs, last := timeline.Start(n).Add(-lead), p.AirBy(n), p.AirBy(n)
			for _, d := range []time.Duration{RescueAhead / 2, RescueAhead, 2 * RescueAhead, 5 * RescueAhead / 2} {
				at := airs.Add(-p.Margin(n, d))
				if at <= enters || at >= last {
					t.Fatalf("lead %v: what is due %v ahead is due %v after frame %d came, which airs %v after, and what is next %v after",
						lead, d, at.Sub(enters), n, airs.Sub(enters), last.Sub(enters))
				}
				last = at
			}
			if got := p.Margin(n, time.Second); airs.Sub(enters) >= roomy && got != time.Second {
				t.Fatalf("lead %v: a second ahead is %v, %v after the frame came", lead, got, airs.Sub(enters))
			}
		}
	}
}

// TestDueIsTheFirst looks at one frame after the other.
func TestDueIsTheFirst(t *testing.T) {
	const count = 1200
	for _, p := range []Plan{{Started: 0, Lead: 10 * time.Second}, {Started: 98_765_432_109, Lead: 4 * time.Second}, {Unpaced: true}} {
		first := p.First().Frame() + 1
		for step := range 4000 {
			at := p.First().Add(time.Duration(step-400) * 7_654_321 * time.Nanosecond)
			want := first
			for want < first+count && p.AirBy(want) < at {
				want++
			}
			if got := p.Due(at, first, first+count); got != want {
				t.Fatalf("%+v: the first frame due at %d is %d, want %d", p, at, got, want)
			}
		}
		if got := p.Due(0, first, first); got != first {
			t.Errorf("of no frames %d is due, want the end, %d", got, first)
		}
	}
}
