package orchestrator

import (
	"sort"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
)

const (
	// messageFrames is how many frames a message covers in the steady state: messages start at its multiples.
	messageFrames = 60
	// firstFrames is how many frames a message covers while the stream gathers its head start.
	firstFrames = 12

	// ahead is how long before its first frame's moment a message goes out in the steady state.
	ahead = 2500 * time.Millisecond
	// firstServed is how much of a stream the server renders itself at once when it starts.
	firstServed = 500 * time.Millisecond
	// firstDelay is how long after its start a stream's first frame is on screen: time to render it.
	firstDelay = 100 * time.Millisecond

	// proven is how many connections a stream of high detail waits for, until they are trusted, before it starts.
	proven = 4

	// rescueAhead is how long before a frame airs the server renders it itself; see margin.
	rescueAhead = time.Second
	// roomy is how long before it airs a frame has to come into the ring for margins to be what they are.
	roomy = 4 * time.Second

	// patience is for how long a message that is not whole when its time has come is held back for what it lacks, and
	// delivery what is left even so until its first frame's moment: time to get to the tabs.
	patience = time.Second
	delivery = 150 * time.Millisecond
)

// A plan says when each frame airs. In the steady state a message goes out 2.5 s before its first frame's moment. A
// stream that starts has no such time: its first frames go out as soon as they are rendered, and what follows is sent at
// twice the pace at which it plays, at the latest, until the head start is there.
type plan struct {
	started timeline.Instant
	lead    time.Duration
	race    *race // that it is, where it is one: nothing ever airs by itself
}

// first is when the stream's first frame is on screen, and goes out at the latest.
func (p plan) first() timeline.Instant { return p.started.Add(firstDelay) }

// regular is when a message that holds frame n goes out in the steady state.
func (p plan) regular(n uint64) timeline.Instant {
	return timeline.Start(n / messageFrames * messageFrames).Add(-ahead)
}

// airBy is when frame n goes out at the latest, where its message is whole. It never decreases with n.
func (p plan) airBy(n uint64) timeline.Instant {
	if p.race != nil {
		return timeline.Forever
	}
	gathering := p.first() + max(0, timeline.Start(n)-p.first())/2
	return max(p.regular(n), gathering)
}

// lastCall is when a message from frame n on goes out with whatever there is. It never decreases with n.
func (p plan) lastCall(n uint64) timeline.Instant {
	airs := p.airBy(n)
	return max(airs, min(airs.Add(patience), timeline.Start(n).Add(-delivery)))
}

// margin returns how long before frame n airs is what d before it is meant to be. With a short lead that is less, in
// proportion to how long the frame is in the ring before it airs: the fleet would be left no time at all.
func (p plan) margin(n uint64, d time.Duration) time.Duration {
	if p.race != nil {
		return d
	}
	there := p.airBy(n).Sub(timeline.Start(n).Add(-p.lead))
	if there >= roomy {
		return d
	}
	return time.Duration(float64(d) * float64(there) / float64(roomy))
}

// rescueBy is when the server renders frame n itself where nobody sent it: a second before it airs, as far as the lead
// allows. At the start of a stream there is less time: the server renders the first half second at once, and leaves the
// fleet half of the time that there is for the rest.
func (p plan) rescueBy(n uint64) timeline.Instant {
	if p.race != nil {
		return timeline.Forever
	}
	if timeline.Start(n) < p.started.Add(firstServed) {
		return p.started
	}
	airs := p.airBy(n)
	return max(airs.Add(-p.margin(n, rescueAhead)), p.started+(airs-p.first())/2)
}

// due returns the first frame from first on, and before end, that airs at t or later; end where there is none.
func (p plan) due(t timeline.Instant, first, end uint64) uint64 {
	if p.race != nil {
		return first + p.race.due(t, end-first)
	}
	return first + uint64(sort.Search(int(end-first), func(i int) bool { return p.airBy(first+uint64(i)) >= t }))
}

// message returns how many frames the message from first on covers, and whether it is a key on the grid of keys.
func (p plan) message(first uint64) (count int, key bool) {
	count = messageFrames - int(first%messageFrames)
	if p.airBy(first) > p.regular(first) {
		count = min(count, firstFrames)
	}
	return count, first%codec.KeyInterval == 0
}
