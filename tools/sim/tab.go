package main

import (
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/schedule"
	"github.com/distributed-donut/donut/server/timeline"
)

// A tab is a worker with one thread, as it is and not as the server thinks that it is.
type tab struct {
	w        *world
	number   uint32
	perFrame time.Duration
	way      time.Duration // of a message, in either direction, but for the jitter
	frozen   bool
	gone     bool
	passes   uint64 // its frames that were audited and right, as the server counts them

	leases []schedule.Lease // that have arrived; the first is being rendered
	begun  timeline.Instant // when that began
	turn   uint64           // counts what was begun, so that what was broken off does not end

	arrives [2]timeline.Instant // when the last message did, to the tab and from it: none overtakes another
}

func newTab(w *world, number uint32) *tab {
	perFrame := time.Duration(float64(w.speed) * w.mix.draw(w.rng, number) * float64(w.detail*w.detail))
	return &tab{
		w: w, number: number, perFrame: max(time.Microsecond, perFrame),
		way: time.Duration((0.5 + w.rng.Float64()) * float64(w.rtt) / 2), // the mean is half of the round trip
	}
}

// capacity is how many frames a second arrive of a tab that has always something to do.
func (t *tab) capacity() float64 {
	if t.frozen || t.gone {
		return 0
	}
	return (1 - t.w.loss) / t.perFrame.Seconds()
}

const (
	down = iota
	up
)

// travel has something happen when a message has arrived that is sent now. A tenth of its way is jitter, on average.
func (t *tab) travel(direction int, do func()) {
	jitter := time.Duration(t.w.rng.ExpFloat64() * float64(t.way) / 10)
	at := max(t.w.now.Add(t.way+jitter), t.arrives[direction])
	t.arrives[direction] = at
	t.w.at(at, do)
}

// lend sends a lease to the tab.
func (t *tab) lend(l schedule.Lease) {
	t.travel(down, func() {
		if t.frozen || t.gone {
			return
		}
		if t.leases = append(t.leases, l); len(t.leases) == 1 {
			t.begin()
		}
	})
}

// revoke sends a revocation to the tab.
func (t *tab) revoke(lease uint64) {
	t.travel(down, func() {
		if t.frozen || t.gone {
			return
		}
		i := slices.IndexFunc(t.leases, func(l schedule.Lease) bool { return l.ID == lease })
		switch {
		case i == 0:
			t.breakOff()
			t.leases = t.leases[1:]
			t.begin()
		case i > 0:
			t.leases = slices.Delete(t.leases, i, i+1)
		}
	})
}

// begin starts on the first lease.
func (t *tab) begin() {
	if len(t.leases) == 0 {
		return
	}
	t.begun = t.w.now
	t.turn++
	l, turn := t.leases[0], t.turn
	spent := time.Duration(l.Count) * t.perFrame
	t.w.after(spent, func() {
		if t.turn != turn {
			return
		}
		t.w.tally.render(t.w.now, l.Count)
		if t.w.loss == 0 || t.w.rng.Float64() >= t.w.loss {
			t.travel(up, func() { t.w.server.result(t, l, spent) })
		}
		t.leases = t.leases[1:]
		t.begin()
	})
}

// breakOff ends the rendering of the first lease, and counts what was rendered in vain.
func (t *tab) breakOff() {
	if len(t.leases) > 0 {
		t.w.tally.render(t.w.now, min(int(t.w.now.Sub(t.begun)/t.perFrame), t.leases[0].Count))
		t.turn++
	}
}

// freeze stops the threads of the tab for good; its socket lives.
func (t *tab) freeze() {
	if t.gone {
		return
	}
	t.w.capacity -= t.capacity()
	t.breakOff()
	t.frozen = true
}

// leave closes the tab. What it has sent arrives before that is known.
func (t *tab) leave() {
	if !t.frozen {
		t.breakOff()
	}
	t.gone = true
	t.travel(up, func() { t.w.server.leave(t) })
}
