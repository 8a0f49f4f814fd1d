package schedule

import (
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

// A thread is what is known of one Web Worker. It works on its leases in the order in which it gets them.
type thread struct {
	id    Thread
	queue []loan // the first one is running
	owed  []loan // what ran out, and may still be answered, oldest first; at most maxOwed

	perFrame time.Duration    // weighted mean of the time spent on a frame; 0 before the first answer
	overhead time.Duration    // smoothed answer time beyond that: the way there and back, and whatever else it does
	variance time.Duration    // smoothed deviation of the overhead
	measured timeline.Instant // when that was learnt

	misses    int // in a row
	restUntil timeline.Instant

	place place // in its line, which owns it
	seat  int   // in engaged, which owns it
}

// ready reports whether the thread may be lent to.
func (t *thread) ready(now timeline.Instant) bool { return now >= t.restUntil }

// refresh makes a newcomer of an idle thread of which nothing was heard for long. Else who was slow once, too slow for
// any chunk, would never be lent one to show that it is not.
func (t *thread) refresh(now timeline.Instant) {
	if len(t.queue) == 0 && now.Sub(t.measured) >= stale {
		t.perFrame, t.overhead, t.variance = 0, 0, 0
	}
}

// proven reports whether the thread answered the last lease that ended.
func (t *thread) proven() bool { return t.perFrame != 0 && t.misses == 0 }

// owes reports whether the thread may still be at work on a lease that ran out.
func (t *thread) owes() bool {
	return slices.ContainsFunc(t.owed, func(l loan) bool { return !l.stopped })
}

// window is how many leases the thread may hold where it gets chunks of so many frames: one that it runs and as many as
// cover the way of the next, or minWay, but just one before its first answer and while it owes one.
func (t *thread) window(chunk int) int {
	if !t.proven() || t.owes() {
		return 1
	}
	work := time.Duration(chunk) * t.perFrame
	way := max(t.overhead, minWay)
	return 1 + max(1, min(int((way+work-1)/work), maxQueued))
}

// silent reports whether all that the thread holds should have been answered by now, going by its last answers. Such a
// thread may hold one lease more: it answers in order, so its next answer tells what it has lost, long before a short lease
// runs out.
func (t *thread) silent(now timeline.Instant) bool {
	if len(t.queue) == 0 {
		return true
	}
	if len(t.queue) > maxQueued || !t.proven() || t.owes() {
		return false
	}
	work := time.Duration(t.held()) * t.perFrame
	return now > t.queue[0].started.Add(work+t.overhead+4*t.variance)
}

// held is how many frames the thread's leases are of.
func (t *thread) held() (count int) {
	for _, l := range t.queue {
		count += l.Count
	}
	return count
}

// chunk is how many frames to lend at once: what takes the thread a quarter of a second, and no more than its share.
func (t *thread) chunk(share int) int {
	if !t.proven() {
		return MinChunk
	}
	return max(MinChunk, min(int(target/t.perFrame), share))
}

// patience is how long a lease of count frames lasts: RFC 6298's retransmission timeout, where what is smoothed is the
// time beyond the work itself, and which doubles with each miss. From the third one on, what was measured of the thread
// is not true any more; like a newcomer it gets little to do and much time, and so has an answer to give before others
// have given it.
func (t *thread) patience(count int) time.Duration {
	if t.perFrame == 0 || t.misses > toleratedMisses {
		return unprovenLease
	}
	work := time.Duration(count) * t.perFrame
	return min(max(minLease, work+t.overhead+4*t.variance, 2*work)<<t.misses, maxLease)
}

// delivery is when count more frames will be back, on the careful side.
func (t *thread) delivery(now timeline.Instant, count int) timeline.Instant {
	work := time.Duration(t.held()+count) * t.perFrame
	return now.Add(time.Duration(caution * float64(work+t.overhead)))
}

func (t *thread) lend(now timeline.Instant, l Lease) {
	t.queue = append(t.queue, loan{Lease: l, asked: now, lacking: l.Count})
	if len(t.queue) == 1 {
		t.start(now)
	}
}

// start lets the time of the first lease run.
func (t *thread) start(now timeline.Instant) {
	if len(t.queue) > 0 {
		t.queue[0].started, t.queue[0].sure = now, !t.owes()
	}
}

// drop ends the first n leases, and lets the time of the next run.
func (t *thread) drop(now timeline.Instant, n int) {
	t.queue = slices.Delete(t.queue, 0, n)
	t.start(now)
}

// answer ends the lease at index i, and those before it, which the thread has lost.
func (t *thread) answer(now timeline.Instant, i int, spent time.Duration) {
	t.learn(now, &t.queue[i], spent)
	t.forgive()
	t.owed = slices.Delete(t.owed, 0, len(t.owed))
	t.drop(now, i+1)
}

// late takes in an answer to a lease that ended some time ago.
func (t *thread) late(now timeline.Instant, lease uint64, spent time.Duration) {
	t.forgive()
	i := slices.IndexFunc(t.owed, func(l loan) bool { return l.ID == lease })
	if i < 0 {
		return
	}
	t.learn(now, &t.owed[i], spent)
	t.owed = slices.Delete(t.owed, 0, i+1)
	t.start(now) // what is running was queued behind it
}

// forgive forgets the misses of a thread that shows that it is there.
func (t *thread) forgive() { t.misses, t.restUntil = 0, 0 }

// learn measures the thread by an answer to a lease.
func (t *thread) learn(now timeline.Instant, l *loan, spent time.Duration) {
	// A thread that says nothing, or more than is possible, is believed as far as it can be. What takes longer than any
	// lease was no rendering: the tab slept.
	spent = max(0, min(spent, now.Sub(l.Lent)))
	each := max(time.Microsecond, min(spent, maxLease)/time.Duration(l.Count))
	if t.perFrame == 0 {
		t.perFrame = each
	} else {
		t.perFrame = max(time.Microsecond, t.perFrame+(each-t.perFrame)/4)
	}
	// Karn's rule: a time is a sample only if it is sure what it is the time of.
	if l.sure {
		t.sample(max(0, min(now.Sub(l.started)-spent, maxLease)))
	}
	t.measured = now
}

// sample smooths an overhead with the gains of RFC 6298.
func (t *thread) sample(overhead time.Duration) {
	if t.overhead == 0 {
		t.overhead, t.variance = overhead, overhead/2
		return
	}
	t.variance += ((t.overhead - overhead).Abs() - t.variance) / 4
	t.overhead += (overhead - t.overhead) / 8
}

// overdue reports whether the running lease has run out.
func (t *thread) overdue(now timeline.Instant) bool {
	return len(t.queue) > 0 && now >= t.queue[0].started.Add(t.queue[0].Within)
}

// miss ends the running lease, which ran out, and returns it.
func (t *thread) miss(now timeline.Instant) Lease {
	l := t.queue[0]
	if t.owed = append(t.owed, l); len(t.owed) > maxOwed {
		t.owed = slices.Delete(t.owed, 0, 1)
	}
	t.misses++
	if over := t.misses - toleratedMisses - 1; over >= 0 {
		rest := maxRest
		if over < 10 {
			rest = min(maxRest, firstRest<<over)
		}
		t.restUntil = now.Add(rest)
	}
	t.drop(now, 1)
	return l.Lease
}

// delivered notes that frames are there, and appends the leases that the thread can stop to work on to done: those that
// ran out, and then those that did not, which end with that.
func (t *thread) delivered(now timeline.Instant, first uint64, count int, done []Lease) []Lease {
	for i := range t.owed {
		l := &t.owed[i]
		if l.deliver(first, count); l.lacking == 0 && !l.stopped {
			l.stopped = true
			done = append(done, l.Lease)
		}
	}
	for i := 0; i < len(t.queue); {
		l := &t.queue[i]
		if l.deliver(first, count); l.lacking > 0 {
			i++
			continue
		}
		done = append(done, l.Lease)
		if t.queue = slices.Delete(t.queue, i, i+1); i == 0 {
			t.start(now)
			t.unsure()
		}
	}
	return done
}

// unsure notes that the running lease may have started earlier or later than is thought.
func (t *thread) unsure() {
	if len(t.queue) > 0 {
		t.queue[0].sure = false
	}
}
