package cluster

import (
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

const (
	// maxClockOff is how far a server's wall clock may be from the others' for it to be of the fleet, and backClockOff
	// how near it has to come again, lest a clock on the border comes and goes.
	maxClockOff  = time.Second
	backClockOff = 900 * time.Millisecond
	// driftPPM is what a wall clock is trusted to keep to, in millionths, while nobody looks.
	driftPPM = 50
)

// A sample is one measurement of how far another server's wall clock is ahead of this one's.
type sample struct {
	offset time.Duration
	rtt    time.Duration // of the probe, at least 0
	at     time.Duration // when, on this server's monotonic clock
}

// measure makes a sample of four timestamps: a probe sent at wall time t1 by the one clock, received at t2 and answered
// at t3 by the other, and the answer received elapsed after t1. It reports whether they can be true.
func measure(t1, t2, t3 timeline.Instant, elapsed, now time.Duration) (sample, bool) {
	rtt := elapsed - t3.Sub(t2)
	// An instant is a whole microsecond, so two of them may make a round trip come out shorter than nothing by one.
	if t3 < t2 || rtt < -time.Microsecond {
		return sample{}, false
	}
	return sample{offset: (t2.Sub(t1) + t3.Sub(t1) - elapsed) / 2, rtt: max(rtt, 0), at: now}, true
}

// doubt bounds how wrong the sample may be: by half its round trip, had one way taken no time at all, and by the drift
// of both clocks since.
func (s sample) doubt(now time.Duration) time.Duration {
	return s.rtt/2 + (now-s.at)*driftPPM/1_000_000
}

// better returns which of two samples counts at a time when both are there: the one in less doubt. Doubts grow alike,
// so the one that counts less never comes to count more, and one is all there is to keep. Where the two contradict each
// other, a clock was set in between, and the later counts.
func (s sample) better(later sample, now time.Duration) sample {
	mine, its := s.doubt(now), later.doubt(now)
	if (later.offset-s.offset).Abs() > mine+its || its <= mine {
		return later
	}
	return s
}

// median returns the median of all offsets, and how far 0 is ahead of the median of the others, negative where it is
// behind. The offsets are sorted in place; 0 is this server's own and not one of them.
//
// It is the wall clocks that are compared, and never where they have been steered to: each server finds the same median
// from where it stands and goes there straight, so that there is no loop that could swing, and the fleet as a whole
// is led astray by no more than the middle one of its wall clocks.
func median(offsets []time.Duration) (all, ahead time.Duration) {
	n := len(offsets)
	if n == 0 {
		return 0, 0
	}
	slices.Sort(offsets)
	// Of an even number there are two in the middle; between them nobody is off.
	ahead = -max(0, offsets[(n-1)/2]) - min(0, offsets[n/2])

	at, _ := slices.BinarySearch(offsets, 0)
	offsets = slices.Insert(offsets, at, 0)
	return (offsets[n/2] + offsets[(n+1)/2]) / 2, ahead
}
