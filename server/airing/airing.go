// Package airing says when frames air: go out to everybody, in messages of many. A stream's deadlines count from then. It
// is arithmetic alone; time is an argument.
package airing

import (
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
)

const (
	// MessageFrames is how many frames a message covers in the steady state: messages start at its multiples.
	MessageFrames = 60
	// firstFrames is how many frames a message covers while the stream gathers its head start.
	firstFrames = 12

	// Ahead is how long before its first frame's moment a message goes out in the steady state.
	Ahead = 2500 * time.Millisecond
	// firstServed is how much of a stream the server renders itself at once when it starts.
	firstServed = 500 * time.Millisecond
	// FirstDelay is how long after its start a stream's first frame is on screen: time to render it.
	FirstDelay = 100 * time.Millisecond

	// RescueAhead is how long before a frame airs the server renders it itself; see Plan.Margin.
	RescueAhead = time.Second
	// roomy is how long before it airs a frame has to come into the ring for margins to be what they are.
	roomy = 4 * time.Second

	// Patience is for how long a message that is not whole when its time has come is held back for what it lacks, and
	// delivery what is left even so until its first frame's moment: time to get to the tabs.
	Patience = time.Second
	delivery = 150 * time.Millisecond
)

// A Plan says when each frame airs. In the steady state a message goes out 2.5 s before its first frame's moment. A
// stream that starts has no such time: its first frames go out as soon as they are rendered, and what follows is sent at
// twice the pace at which it plays, at the latest, until the head start is there.
type Plan struct {
	Started timeline.Instant // what airs is on screen FirstDelay later at the earliest
	Lead    time.Duration    // how long before its moment a frame comes into the ring, 4 s or more
	Unpaced bool             // nothing ever airs by itself
}

// First is when the stream's first frame is on screen, and goes out at the latest.
func (p Plan) First() timeline.Instant { return p.Started.Add(FirstDelay) }

// Regular is when a message that holds frame n goes out in the steady state.
func (p Plan) Regular(n uint64) timeline.Instant {
	return timeline.Start(n / MessageFrames * MessageFrames).Add(-Ahead)
}

// AirBy is when frame n goes out at the latest, where its message is whole. It never decreases with n.
func (p Plan) AirBy(n uint64) timeline.Instant {
	if p.Unpaced {
		return timeline.Forever
	}
	gathering := p.First() + max(0, timeline.Start(n)-p.First())/2
	return max(p.Regular(n), gathering)
}

// LastCall is when a message from frame n on goes out with whatever there is. It never decreases with n.
func (p Plan) LastCall(n uint64) timeline.Instant {
	airs := p.AirBy(n)
	return max(airs, min(airs.Add(Patience), timeline.Start(n).Add(-delivery)))
}

// Margin returns how long before frame n airs is what d before it is meant to be. With a short lead that is less, in
// proportion to how long the frame is in the ring before it airs: the fleet would be left no time at all.
func (p Plan) Margin(n uint64, d time.Duration) time.Duration {
	if p.Unpaced {
		return d
	}
	there := p.AirBy(n).Sub(timeline.Start(n).Add(-p.Lead))
	if there >= roomy {
		return d
	}
	return time.Duration(float64(d) * float64(there) / float64(roomy))
}

// RescueBy is when the server renders frame n itself where nobody sent it: a second before it airs, as far as the lead
// allows. At the start of a stream there is less time: the server renders the first half second at once, and leaves the
// fleet half of the time that there is for the rest.
func (p Plan) RescueBy(n uint64) timeline.Instant {
	if p.Unpaced {
		return timeline.Forever
	}
	if timeline.Start(n) < p.Started.Add(firstServed) {
		return p.Started
	}
	airs := p.AirBy(n)
	return max(airs.Add(-p.Margin(n, RescueAhead)), p.Started+(airs-p.First())/2)
}

// Due returns the first frame from first on, and before end, that airs at t or later; end where there is none.
func (p Plan) Due(t timeline.Instant, first, end uint64) uint64 {
	switch {
	case first >= end || t <= p.AirBy(first):
		return first
	case t > p.AirBy(end-1):
		return end
	}
	// It is the first one that is late enough in the steady state or in the gathering, whose later instant counts.
	regular := (from(t.Add(Ahead)) + MessageFrames - 1) / MessageFrames * MessageFrames
	gathering := from(p.First() + 2*(t-p.First()))
	return min(regular, gathering)
}

// from returns the first frame whose moment is t or later.
func from(t timeline.Instant) uint64 {
	n := t.Frame()
	if timeline.Start(n) < t {
		n++
	}
	return n
}

// Message returns how many frames the message from first on covers, and whether it is a key on the grid of keys.
func (p Plan) Message(first uint64) (count int, key bool) {
	count = MessageFrames - int(first%MessageFrames)
	if p.AirBy(first) > p.Regular(first) {
		count = min(count, firstFrames)
	}
	return count, first%codec.KeyInterval == 0
}
