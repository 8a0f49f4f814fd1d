package schedule

import (
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

const (
	// hedgeShare is how many frames may be lent a second time for each one that is delivered, and hedgeBurst how many of
	// them are saved up.
	hedgeShare = 0.05
	hedgeBurst = 120
	// hedgeMargin and three times what answers take, but for one in twenty, is how long before it airs a chunk is hedged.
	hedgeMargin = time.Second
	// hedgeAnyway is how long before it airs a chunk is hedged whatever was saved up.
	hedgeAnyway = 2 * time.Second
	// usualAnswer is what an answer is taken to take before some have come.
	usualAnswer = 500 * time.Millisecond
)

// Hedge lends frames once more that are late and air soon: to the fastest thread that is trusted, has nothing to do and
// can deliver them in time. Where the copy is late as well, there will be another one. It reports whether there were any. What comes first counts, and the other one is told to
// stop by what Delivered returns.
func (s *Scheduler) Hedge(now timeline.Instant, work Work) (Lease, bool) {
	usual := s.answers.slow()
	soon := work.Due(now.Add(3*usual + hedgeMargin))
	l, first, count := s.latest(now, usual, work.Due(now), soon)
	if l == nil || float64(count) > s.hedges && first >= work.Due(now.Add(hedgeAnyway)) {
		return Lease{}, false
	}
	t := s.fastest(now, work, l, first, count)
	if t == nil {
		return Lease{}, false
	}
	s.asked(now, first, count)
	s.hedges = max(0, s.hedges-float64(count))
	s.lastID++
	hedge := Lease{
		ID: s.lastID, Thread: t.id, First: first, Count: count, Lent: now, Within: t.patience(count), Hedge: true,
	}
	s.lend(t, now, hedge)
	return hedge, true
}

// latest returns the lease with the earliest frames from begin on and before end that are still lacking although it is
// older than usual, and which they are. It is nil where there is none.
func (s *Scheduler) latest(now timeline.Instant, usual time.Duration, begin, end uint64) (worst *loan, first uint64, count int) {
	for t := range s.engaged.all() {
		for i := range t.queue {
			l := &t.queue[i]
			if now.Sub(l.asked) <= usual {
				continue
			}
			if n, lacking := l.missing(begin); lacking > 0 && n < end {
				worst, first, count, end = l, n, lacking, n
			}
		}
	}
	return worst, first, count
}

// asked notes that count frames from first on are lent once more.
func (s *Scheduler) asked(now timeline.Instant, first uint64, count int) {
	for t := range s.engaged.all() {
		for i := range t.queue {
			if l := &t.queue[i]; l.overlaps(first, count) {
				l.asked = now
			}
		}
	}
}

// fastest returns the thread to hedge a lease with, or nil: one that has nothing to do, or else one that is silent. Where
// many answers get lost nobody may be idle, since all wait for what never comes.
func (s *Scheduler) fastest(now timeline.Instant, work Work, l *loan, first uint64, count int) (best *thread) {
	for t := range s.trusted.lent.all() {
		if !t.ready(now) || !t.proven() || t.id.Conn == l.Thread.Conn || !t.silent(now) {
			continue
		}
		if (best == nil || t.before(best)) && work.Due(t.delivery(now, count)) <= first {
			best = t
		}
	}
	return best
}

// before reports whether a silent thread is a better one to hedge with than another.
func (t *thread) before(other *thread) bool {
	if len(t.queue) != len(other.queue) {
		return len(t.queue) < len(other.queue)
	}
	return t.perFrame < other.perFrame
}

// Answers are how long the last ones took, from the lease on.
type answers struct {
	took [64]time.Duration
	n    int // how many there were
}

func (a *answers) add(d time.Duration) {
	a.took[a.n%len(a.took)] = d
	a.n++
}

// slow returns what all but one in twenty do not exceed.
func (a *answers) slow() time.Duration {
	if a.n < 20 {
		return usualAnswer
	}
	sorted := a.took
	known := sorted[:min(a.n, len(sorted))]
	slices.Sort(known)
	return known[len(known)*19/20]
}
