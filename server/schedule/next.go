package schedule

import "github.com/distributed-donut/donut/server/timeline"

// Next lends the earliest chunk to a thread that can deliver it before it airs, and reports whether there was one. What
// was lent before goes to a thread that is proven, where there is any: else those that are gone could pass a chunk on
// among themselves until it airs.
//
// Newcomers have a small share of the work for themselves, so that they can show what they are worth, and beyond that
// what nobody else has time for. Those that have answered come first: one that is trusted soon is better than many that
// never are.
func (s *Scheduler) Next(now timeline.Instant, work Work) (Lease, bool) {
	// Mostly there is nothing, or a scrap that is smaller than anybody's share: then nobody need be looked at.
	if first, count := work.FreeRun(work.Due(now), MinChunk); count == 0 || s.early(now, work, first, count, MinChunk) {
		return Lease{}, false
	}
	look := search{Scheduler: s, now: now, work: work, fresh: s.fresh, known: nothingFound, unknown: nothingFound}
	l, ok := look.everywhere()
	if !ok && look.barred && !s.proven() {
		look.fresh, look.unknown = 0, nothingFound // there is nobody better
		l, ok = look.everywhere()
	}
	return l, ok
}

// proven reports whether any thread is.
func (s *Scheduler) proven() bool {
	for t := range s.threads() {
		if t.proven() {
			return true
		}
	}
	return false
}

// A search is one look for a thread to lend to.
type search struct {
	*Scheduler
	now            timeline.Instant
	work           Work
	fresh          uint64  // from here on, threads that are not proven are lent frames
	known, unknown deadEnd // for threads that are proven and for those that are not
	room           bool    // one of those that were looked at last could be lent more
	barred         bool    // one that is not proven was lent nothing from fresh on
}

// everywhere looks at all threads in the order in which they are asked.
func (s *search) everywhere() (Lease, bool) {
	beside, alone := s.work.Probation()
	for _, kind := range []occupation{answering, idle} {
		if l, ok := s.among(&s.newcomers, kind, beside); ok {
			return l, true
		}
	}
	room := false
	for _, kind := range []occupation{idle, busy} {
		if l, ok := s.among(&s.trusted, kind, s.most); ok {
			return l, true
		}
		room = room || s.room
	}
	for _, kind := range []occupation{answering, idle, busy} {
		if room {
			break
		}
		if l, ok := s.among(&s.newcomers, kind, alone); ok {
			return l, true
		}
	}
	return Lease{}, false
}

// An occupation tells threads that have nothing to do from those that have.
type occupation uint8

const (
	idle      occupation = iota
	answering            // idle and proven
	busy
)

// is reports whether a thread is occupied like that.
func (t *thread) is(kind occupation) bool {
	return (len(t.queue) > 0) == (kind == busy) && (kind != answering || t.proven())
}

// among lends a chunk of at most so many frames, but for the least chunk that there is, to one of the threads of a line
// that is occupied like that.
func (s *search) among(threads *line, kind occupation, most int) (Lease, bool) {
	s.room = false
	if most < 1 {
		return Lease{}, false
	}
	fair := s.share(s.work.Size())
	share := max(MinChunk, min(fair, most))
	for t := range threads.candidates() {
		t.refresh(s.now)
		if !t.ready(s.now) || !t.is(kind) || !s.mayHold(t, s.now, s.work.Size()) {
			continue
		}
		s.room = true
		from, dead := uint64(0), &s.known
		if !t.proven() {
			from, dead = s.fresh, &s.unknown
			s.barred = true
		}
		limit := t.chunk(share)
		back := t.delivery(s.now, limit)
		if dead.covers(back, limit) {
			continue
		}
		first, count := s.work.FreeRun(max(from, s.work.Due(back)), limit)
		if count == 0 || s.early(s.now, s.work, first, count, share) {
			*dead = deadEnd{back, count}
			continue
		}
		s.lastID++
		l := Lease{
			ID: s.lastID, Thread: t.id, First: first, Count: count, Lent: s.now, Within: t.patience(count),
			Probation: !s.conns[t.id.Conn].trusted,
		}
		s.Scheduler.fresh = max(s.Scheduler.fresh, first+uint64(count))
		if !l.Probation || !t.proven() {
			threads.next(t) // a newcomer that answers stays before those that began to later
		}
		s.lend(t, s.now, l)
		return l, true
	}
	return Lease{}, false
}

// lend gives a lease to a thread.
func (s *Scheduler) lend(t *thread, now timeline.Instant, l Lease) {
	t.lend(now, l)
	s.engaged.add(t)
}

// A deadEnd says that there is nothing to lend to threads that deliver at an instant or later, but for a scrap at the
// horizon that is left to grow. So a big fleet without work costs a look or two, and not one for each thread.
type deadEnd struct {
	back  timeline.Instant
	scrap int // frames
}

var nothingFound = deadEnd{back: timeline.Forever}

// covers reports whether a thread that delivers then, and is lent at most limit frames, will find nothing either. One
// that is lent less than the scrap would not reach the horizon.
func (d deadEnd) covers(back timeline.Instant, limit int) bool {
	return back >= d.back && limit >= d.scrap
}

// share is how many frames a thread should be lent at once so that the ring has work for all, or for all that are
// trusted where there are any.
func (s *Scheduler) share(ring int) int {
	return max(MinChunk, min(ring/(overlap*s.sharers()), s.most))
}

// sharers is how many threads share the work, at least 1.
func (s *Scheduler) sharers() int {
	if s.trusted.size > 0 {
		return s.trusted.size
	}
	return max(1, s.newcomers.size)
}

// mayHold reports whether a thread may hold one lease more. Where what waits for all of them together would be more than a
// quarter of the ring, it may not: what got lost and is lent again goes behind that.
func (s *Scheduler) mayHold(t *thread, now timeline.Instant, ring int) bool {
	chunk := t.chunk(s.share(ring))
	fair := max(minQueued, ring/(4*s.sharers()*chunk))
	return len(t.queue) < min(t.window(chunk), 1+fair) || t.silent(now)
}

// early reports whether a chunk at the horizon is better left to grow: it is smaller than a thread's share, nobody was
// lent it before, and the time at which it airs is far away.
func (s *Scheduler) early(now timeline.Instant, work Work, first uint64, count, share int) bool {
	half := timeline.Span(work.Size() / 2)
	return count < share && first >= s.fresh && first+uint64(count) == work.End() && first >= work.Due(now.Add(half))
}
