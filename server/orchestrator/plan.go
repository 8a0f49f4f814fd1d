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
	firstFrames = 30

	// ahead is how long before its first frame's moment a message goes out in the steady state.
	ahead = 2500 * time.Millisecond
	// firstAhead is how much of that the stream starts with.
	firstAhead = 500 * time.Millisecond

	// rescueAhead is how long before a frame airs the server renders it itself.
	rescueAhead = time.Second
)

// A plan says when each frame airs. In the steady state a message goes out 2.5 s before its first frame's moment. A
// stream that starts has no such time: its first half second goes out at once, and what follows is sent at twice the
// pace at which it plays until the head start is there.
type plan struct {
	started timeline.Instant
}

// regular is when a message that holds frame n goes out in the steady state.
func (p plan) regular(n uint64) timeline.Instant {
	return timeline.Start(n / messageFrames * messageFrames).Add(-ahead)
}

// airBy is when frame n goes out at the latest, wanting or not. It never decreases with n.
func (p plan) airBy(n uint64) timeline.Instant {
	gathering := p.started + max(0, timeline.Start(n).Add(-firstAhead)-p.started)/2
	return max(p.regular(n), gathering)
}

// rescueBy is when the server renders frame n itself where nobody sent it: a second before it airs, but at the start of
// a stream, when there is less time than two seconds, the fleet is given half of it.
func (p plan) rescueBy(n uint64) timeline.Instant {
	airs := p.airBy(n)
	return airs - min(timeline.Instant(0).Add(rescueAhead), (airs-p.started)/2)
}

// due returns the first frame from first on, and before end, that airs at t or later; end where there is none.
func (p plan) due(t timeline.Instant, first, end uint64) uint64 {
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
