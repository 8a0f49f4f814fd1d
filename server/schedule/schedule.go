// Package schedule decides who renders what next. It is pure: it knows no socket, no goroutine and no clock, and says
// only which chunk to lend to which thread and when to take it back.
//
// There are no rounds and no barrier. Each thread has a window of leases of its own, sized by its own measured speed; a
// chunk that is late goes to somebody else, and delays nobody.
package schedule

import (
	"iter"
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

const (
	// target is how long a thread should work on one chunk.
	target = 250 * time.Millisecond
	// MinChunk is the fewest frames lent at once, and what a thread is lent that is not proven.
	MinChunk = 4
	// overlap is how many chunks each thread of the fleet should find in a ring.
	overlap = 2

	// maxQueued is how many leases may wait for a thread behind the one that it runs, minQueued how many may in the biggest
	// fleet, and minWay how much work they are at least.
	maxQueued = 16
	minQueued = 2
	minWay    = 10 * time.Millisecond

	// minLease and maxLease bound how long a lease lasts; unprovenLease is how long it does for a thread that is not
	// proven.
	minLease      = 100 * time.Millisecond
	maxLease      = 5 * time.Second
	unprovenLease = 2 * time.Second

	// toleratedMisses in a row do not stop a thread; each further one doubles its rest from firstRest to maxRest.
	toleratedMisses = 2
	firstRest       = 500 * time.Millisecond
	maxRest         = 30 * time.Second

	// caution stretches a thread's expected time when a chunk is picked that it can deliver before it airs.
	caution = 1.5

	// stale is how old the last measurement of an idle thread may be. What was measured before says nothing any more: the
	// tab may have slept, or woken up since.
	stale = 30 * time.Second

	// maxOwed is how many leases of a thread are known that ran out and that it still owes an answer to.
	maxOwed = 8

	// remembered is how many leases of a connection are known after they ended, so that a late answer is told from an
	// answer to nothing.
	remembered = 256
)

// A Thread is one Web Worker of one connection.
type Thread struct {
	Conn  uint32
	Index uint8
}

// A Lease is a chunk lent to a thread.
type Lease struct {
	ID     uint64
	Thread Thread
	First  uint64
	Count  int
	// Lent is when it was lent.
	Lent timeline.Instant
	// Within is how long the thread has, from the moment at which it starts on it.
	Within time.Duration
	// Probation says that the thread's connection was a newcomer.
	Probation bool
	// Hedge says that the frames are lent to somebody else as well, who is late.
	Hedge bool
}

// Work is what there is to render, as the scheduler sees it.
type Work interface {
	// FreeRun returns the earliest run of frames at or after from that nobody renders, at most limit long.
	FreeRun(from uint64, limit int) (first uint64, count int)
	// Due returns the first frame that airs at t or later: never an earlier one for a later t.
	Due(t timeline.Instant) uint64
	// End returns the first frame behind the horizon.
	End() uint64
	// Size returns how many frames lie between playhead and horizon.
	Size() int
	// Probation returns how many frames newcomers may be lent, or the least chunk where it is any: beside others who have
	// time for them, and where nobody else has.
	Probation() (beside, alone int)
}

// A Scheduler knows the fleet. It is not safe for concurrent use. The instants that it is given must not go back.
type Scheduler struct {
	most      int // frames lent at once
	conns     map[uint32]*conn
	trusted   line
	newcomers line    // the threads of connections that are not trusted
	engaged   engaged // those of either that Expire, Delivered and Hedge have to look at
	working   int     // connections of which some thread takes part
	lastID    uint64
	fresh     uint64  // the first frame that nobody in this fleet was ever lent
	hedges    float64 // frames that may be lent a second time
	answers   answers
}

type conn struct {
	trusted bool
	threads []*thread // all that it ever offered
	offered int       // how many of them, from the first on, take part
	ended   []Lease   // the last leases that ended, whatever their end; at most remembered
	oldest  int       // of them, once they are as many
}

// New returns a scheduler without a fleet, which lends at most so many frames at once: MinChunk to wire.MaxChunk.
func New(most int) *Scheduler {
	return &Scheduler{most: most, conns: make(map[uint32]*conn)}
}

// Offer has a connection take part with so many threads from now on, its first ones, and returns the leases of those that
// no longer do. What is known of these is kept for when they come back. A connection that is new is a newcomer.
func (s *Scheduler) Offer(id uint32, threads int) (freed []Lease) {
	c, ok := s.conns[id]
	if !ok {
		c = &conn{}
		s.conns[id] = c
	}
	for len(c.threads) < threads {
		c.threads = append(c.threads, &thread{id: Thread{id, uint8(len(c.threads))}})
	}
	before := c.offered
	for _, t := range c.threads[min(threads, before):before] {
		freed = appendLeases(freed, s.withdraw(c, t))
	}
	for _, t := range c.threads[min(before, threads):threads] {
		s.line(c).push(t)
	}
	c.offered = threads
	for _, l := range freed {
		c.end(l)
	}
	s.count(before, threads)
	return freed
}

// line is the line in which a connection's threads stand.
func (s *Scheduler) line(c *conn) *line {
	if c.trusted {
		return &s.trusted
	}
	return &s.newcomers
}

// withdraw has a thread no longer take part, and returns what it held.
func (s *Scheduler) withdraw(c *conn, t *thread) (held []loan) {
	s.line(c).remove(t)
	s.engaged.remove(t)
	held, t.queue, t.owed = t.queue, nil, nil
	return held
}

// count notes that a connection takes part with another number of threads than before.
func (s *Scheduler) count(before, after int) {
	s.working += min(after, 1) - min(before, 1)
	if s.working == 0 {
		s.fresh = 0
	}
}

// Trust makes a connection one of those that are lent to before newcomers are.
func (s *Scheduler) Trust(id uint32) {
	c, ok := s.conns[id]
	if !ok || c.trusted {
		return
	}
	c.trusted = true
	for _, t := range c.threads[:c.offered] {
		s.newcomers.remove(t)
		s.trusted.push(t)
	}
}

// Leave removes a connection and returns the leases that it held.
func (s *Scheduler) Leave(id uint32) (freed []Lease) {
	c, ok := s.conns[id]
	if !ok {
		return nil
	}
	delete(s.conns, id)
	for _, t := range c.threads[:c.offered] {
		freed = appendLeases(freed, s.withdraw(c, t))
	}
	s.count(c.offered, 0)
	return freed
}

// Threads returns how many threads the fleet has.
func (s *Scheduler) Threads() int { return s.trusted.size + s.newcomers.size }

// Trusted returns how many threads of the fleet belong to connections that are trusted.
func (s *Scheduler) Trusted() int { return s.trusted.size }

// Capacity returns how many frames a second the threads could render that are at work, going by their last answers, and
// of how many threads that is. Unknown is how many others there are that could be at work for all that is known: they
// have had nothing to answer yet, or of late, and have left nothing unanswered.
func (s *Scheduler) Capacity(now timeline.Instant) (perSecond float64, known, unknown int) {
	for t := range s.threads() {
		switch {
		case t.misses > 0 || !t.ready(now):
		case t.proven() && now.Sub(t.measured) < stale:
			perSecond += 1 / t.perFrame.Seconds()
			known++
		default:
			unknown++
		}
	}
	return perSecond, known, unknown
}

// Conns returns how many connections take part.
func (s *Scheduler) Conns() int { return s.working }

// An Outcome says what a result is an answer to.
type Outcome uint8

// The outcomes of an answer.
const (
	// Unknown: the connection never held the lease, or it is forgotten.
	Unknown Outcome = iota
	// OnTime: the lease was running.
	OnTime
	// Late: the lease had ended. Its frames are welcome where they are still missing.
	Late
)

// Answer notes that a connection answered a lease, having spent so long on it by its own account. It returns the lease,
// and those that the thread must have lost because they came before it.
func (s *Scheduler) Answer(now timeline.Instant, id uint32, lease uint64, spent time.Duration) (Lease, Outcome, []Lease) {
	c, ok := s.conns[id]
	if !ok {
		return Lease{}, Unknown, nil
	}
	for _, t := range c.threads {
		for i := range t.queue {
			l := &t.queue[i]
			if l.ID != lease {
				continue
			}
			answered := l.Lease
			skipped := appendLeases(nil, t.queue[:i])
			for _, old := range skipped {
				c.end(old)
			}
			c.end(answered)
			s.answers.add(now.Sub(l.Lent))
			t.answer(now, i, spent)
			return answered, OnTime, skipped
		}
	}
	i := slices.IndexFunc(c.ended, func(l Lease) bool { return l.ID == lease })
	if i < 0 {
		return Lease{}, Unknown, nil
	}
	l := c.ended[i]
	c.threads[l.Thread.Index].late(now, lease, spent)
	return l, Late, nil
}

// Expire takes back the leases that have run out, and those that wait behind them: a thread that misses one is not to sit
// on more. It returns both; the latter's threads are to be told, since they may never have started on them.
func (s *Scheduler) Expire(now timeline.Instant) (missed, withdrawn []Lease) {
	for t := range s.engaged.all() {
		if !t.overdue(now) {
			continue
		}
		missed = append(missed, t.miss(now))
		withdrawn = appendLeases(withdrawn, t.queue)
		c := s.conns[t.id.Conn]
		c.end(missed[len(missed)-1])
		for _, l := range t.queue {
			c.end(l.Lease)
		}
		t.queue = t.queue[:0]
	}
	return missed, withdrawn
}

// Delivered notes that count frames from first on are there, and returns the leases all of whose frames are there by now,
// be they running or run out: their threads can stop. It returns each of them once.
func (s *Scheduler) Delivered(now timeline.Instant, first uint64, count int) (done []Lease) {
	s.hedges = min(hedgeBurst, s.hedges+hedgeShare*float64(count))
	for t := range s.engaged.all() {
		running := len(t.queue)
		done = t.delivered(now, first, count, done)
		for _, l := range done[len(done)-(running-len(t.queue)):] {
			s.conns[t.id.Conn].end(l)
		}
	}
	return done
}

// Forget takes all leases back without blaming anybody, as when the timeline has jumped over them.
func (s *Scheduler) Forget() (freed []Lease) {
	for t := range s.threads() {
		for _, l := range t.queue {
			s.conns[t.id.Conn].end(l.Lease)
		}
		freed = appendLeases(freed, t.queue)
		t.queue, t.owed = nil, nil
	}
	s.fresh = 0
	return freed
}

// threads yields all threads, in an order of no meaning.
func (s *Scheduler) threads() iter.Seq[*thread] {
	return func(yield func(*thread) bool) {
		for _, each := range []*line{&s.trusted, &s.newcomers} {
			for t := range each.all() {
				if !yield(t) {
					return
				}
			}
		}
	}
}

func appendLeases(dst []Lease, loans []loan) []Lease {
	for _, l := range loans {
		dst = append(dst, l.Lease)
	}
	return dst
}

// end remembers a lease that is over.
func (c *conn) end(l Lease) {
	if len(c.ended) < remembered {
		c.ended = append(c.ended, l)
		return
	}
	c.ended[c.oldest] = l
	c.oldest = (c.oldest + 1) % remembered
}
