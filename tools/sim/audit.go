package main

import (
	"time"

	"github.com/distributed-donut/donut/server/airing"
	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/donut"
)

// assign gives idle auditors something to do, in the orchestrator's order: what must be audited and airs soon, the
// samples of what must be audited, the rest of it, and then what nobody sent in time.
func (s *server) assign() {
	now := s.w.now
	s.allowance = min(maxAllowance, s.allowance+now.Sub(s.allowedAt).Seconds()*donut.FPS)
	s.allowedAt = now
	for ; s.idle > 0; s.idle-- {
		owed, owes := s.ring.Unaudited(ring.Owed)
		if owes && s.plan.AirBy(owed).Sub(now) < airing.RescueAhead {
			s.audit(ring.Owed, s.batch)
		} else if n, ok := s.ring.Unaudited(ring.Sampled); ok && s.ring.Owes(n) {
			s.audit(ring.Sampled, 1)
		} else if owes {
			s.audit(ring.Owed, s.batch)
		} else if first, count := s.missing(); count > 0 {
			s.rescue(first, count)
		} else {
			return
		}
	}
}

// busy keeps an auditor busy for so many frames.
func (s *server) busy(frames int, done func()) {
	s.w.after(time.Duration(frames)*s.cost, func() {
		s.idle++
		done()
	})
}

func (s *server) audit(class ring.Class, limit int) {
	span, packed := s.ring.Claim(class, limit, s.packed[:0])
	s.packed = packed
	s.busy(span.Count, func() {
		s.ring.Approve(span)
		t, ok := s.tabs[span.Owner]
		if !ok {
			return
		}
		if t.passes += uint64(span.Count); t.passes >= trust.NewcomerPasses {
			s.fleet.Trust(t.number)
		}
	})
}

// missing returns the earliest frames that the server has to render itself now.
func (s *server) missing() (first uint64, count int) {
	limit := min(s.batch, int(s.allowance))
	for n := s.ring.Cursor(); n < s.ring.End() && count < limit && s.plan.RescueBy(n) <= s.w.now; n++ {
		switch wanted := s.ring.Missing(n) && !s.rescuing[n]; {
		case wanted && count == 0:
			first, count = n, 1
		case wanted:
			count++
		case count > 0:
			return first, count
		}
	}
	return first, count
}

// rescue renders frames on the server.
func (s *server) rescue(first uint64, count int) {
	s.allowance -= float64(count)
	for i := range count {
		s.rescuing[first+uint64(i)] = true
	}
	s.busy(count, func() {
		for i := range count {
			n := first + uint64(i)
			delete(s.rescuing, n)
			verdict, _ := s.ring.Supply(n, s.blank[:])
			s.w.tally.render(s.w.now, 1)
			if verdict == ring.Taken {
				s.w.tally.keep(s.w.now, 1)
			}
		}
		s.delivered(first, count)
	})
}
