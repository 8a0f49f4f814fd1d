package schedule

import (
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

// A thread is what is known of one Web Worker.
type thread struct {
	id    Thread
	queue []Lease // in the order in which it works on them; the first one is running

	// The running lease: when the thread could start on it, and when it is taken back.
	started  timeline.Instant
	deadline timeline.Instant

	perFrame time.Duration // weighted mean of the time spent on a frame; 0 before the first answer
	overhead time.Duration // smoothed answer time beyond that: the way there and back, and whatever else it does
	variance time.Duration // smoothed deviation of the overhead

	misses    int // in a row
	restUntil timeline.Instant
}

// ready reports whether the thread may be lent to.
func (t *thread) ready(now timeline.Instant) bool { return now >= t.restUntil }

// window is how many leases the thread may hold: one that it runs and as many as cover the way of the next, but just
// one before its first answer and while it owes one.
func (t *thread) window() int {
	if t.perFrame == 0 || t.misses > 0 {
		return 1
	}
	return 1 + max(1, int((t.overhead+target-1)/target))
}

// chunk is how many frames to lend at once: what takes the thread a quarter of a second, and no more than its share.
func (t *thread) chunk(share int) int {
	if t.perFrame == 0 {
		return minChunk
	}
	return max(minChunk, min(int(target/t.perFrame), share))
}

// patience is how long a lease of count frames lasts: RFC 6298's retransmission timeout, where what is smoothed is the
// time beyond the work itself.
func (t *thread) patience(count int) time.Duration {
	if t.perFrame == 0 {
		return unknownLease
	}
	work := time.Duration(count) * t.perFrame
	return max(minLease, min(max(work+t.overhead+4*t.variance, 2*work), maxLease))
}

// delivery is when count more frames will be back, on the careful side.
func (t *thread) delivery(now timeline.Instant, count int) timeline.Instant {
	for _, l := range t.queue {
		count += l.Count
	}
	return now.Add(time.Duration(caution * float64(time.Duration(count)*t.perFrame+t.overhead)))
}

func (t *thread) lend(now timeline.Instant, l Lease) {
	t.queue = append(t.queue, l)
	if len(t.queue) == 1 {
		t.start(now)
	}
}

// start lets the time of the first lease run.
func (t *thread) start(now timeline.Instant) {
	if len(t.queue) > 0 {
		t.started, t.deadline = now, now.Add(t.queue[0].Within)
	}
}

// answer ends the lease at index i, and those before it, which the thread has lost.
func (t *thread) answer(now timeline.Instant, i int, spent time.Duration) {
	count := t.queue[i].Count
	elapsed := now.Sub(t.started)
	// Nobody spends more time than has passed; a thread that says so, or that says nothing, is believed that far.
	spent = max(time.Microsecond, min(spent, elapsed))
	if each := max(time.Microsecond, spent/time.Duration(count)); t.perFrame == 0 {
		t.perFrame = each
	} else {
		t.perFrame += (each - t.perFrame) / 4
	}
	// Karn's rule: a time is a sample only if it is sure what it is the time of.
	if i == 0 {
		t.sample(elapsed - spent)
	}
	t.misses = 0
	t.queue = append(t.queue[:0], t.queue[i+1:]...)
	t.start(now)
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

// miss ends the running lease, which ran out.
func (t *thread) miss(now timeline.Instant) {
	t.queue = append(t.queue[:0], t.queue[1:]...)
	t.misses++
	if over := t.misses - toleratedMisses - 1; over >= 0 {
		rest := maxRest
		if over < 10 {
			rest = min(maxRest, firstRest<<over)
		}
		t.restUntil = now.Add(rest)
	}
	t.start(now)
}
