package cluster

import (
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

// A standing is how this server stands with its fleet by its clock.
type standing struct {
	mates    int           // other servers of its fleet, those that stay out included
	silent   int           // those that were there within the last minute
	measured int           // of those whose clocks were measured
	median   time.Duration // of all wall clocks of the fleet, as far as it is ahead of this server's
	ahead    time.Duration // how far this server's is ahead of the others' median
	clockOff bool          // too far
}

// out says whether the server stays out of the fleet: its clock is off, or nobody knows yet.
func (s standing) out() bool { return s.clockOff || s.mates > 0 && s.measured == 0 }

// steer returns by what the timeline is to be led. While nobody can be asked who was there a moment ago it stays where
// it is: that is NATS starting again, and no reason to wander off.
func (s standing) steer() (by time.Duration, known bool) {
	switch {
	case s.clockOff:
		return 0, true
	case s.mates > 0 && s.measured == 0, s.mates == 0 && s.silent > 0:
		return 0, false
	}
	return max(-maxClockOff, min(maxClockOff, s.median)), true
}

// judge works out how this server stands.
func (m *members) judge(now timeline.Instant) standing {
	s := standing{}
	offsets := make([]time.Duration, 0, len(m.all)+1)
	for _, o := range m.all {
		switch {
		case m.mate(now, o):
			s.mates++
			if o.measured {
				offsets = append(offsets, o.clock.offset)
			}
		case o.cut == "" && o.said.fleet == m.self.fleet:
			s.silent++
		}
	}
	s.measured = len(offsets)
	s.median, s.ahead = median(offsets)
	limit := maxClockOff
	if m.standing.clockOff {
		limit = backClockOff
	}
	s.clockOff = s.ahead.Abs() > limit
	m.standing = s
	return s
}

// ask notes that a probe is sent to a member, and returns what names it.
func (o *member) ask(monotonic time.Duration, wall timeline.Instant) time.Duration {
	o.asked = probing{open: true, sent: monotonic, wall: wall}
	return monotonic
}

// told takes in the answer to a probe: when the member received it and when it answered, by its own wall clock. It
// reports whether there was such a probe and the times can be true; each probe is answered once.
func (o *member) told(name time.Duration, received, answered timeline.Instant, monotonic time.Duration) bool {
	if !o.asked.open || o.asked.sent != name {
		return false
	}
	o.asked.open = false
	s, ok := measure(o.asked.wall, received, answered, monotonic-o.asked.sent, monotonic)
	if !ok {
		return false
	}
	if o.measured {
		s = o.clock.better(s, monotonic)
	}
	o.measured, o.clock = true, s
	return true
}
