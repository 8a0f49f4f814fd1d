package orchestrator

import (
	"math"
	"time"

	"github.com/distributed-donut/donut/server/airing"
	"github.com/distributed-donut/donut/server/timeline"
)

const (
	// paceMemory is for how long a race remembers its pace.
	paceMemory = time.Second
	// raceLate is when a member's chunk that the playhead waits for would have to air: half a second after that it is
	// fetched, and a second after it is lent to this server's own tabs. In a race nothing else would ever be late.
	raceLate = 500*time.Millisecond + fetchAhead
)

// A race is a stream without a clock, for benchmarks: the playhead stands at the first frame that is missing.
type race struct {
	aired   func(count int)
	pace    float64          // frames a second, smoothed
	at      timeline.Instant // when it was measured
	counted int              // frames since
	moved   timeline.Instant // when the playhead last advanced
}

// newRace returns no race where nobody is to be told of one.
func newRace(aired func(count int)) *race {
	if aired == nil {
		return nil
	}
	return &race{aired: aired}
}

// advance notes that the playhead has advanced by so many frames since it last did.
func (r *race) advance(now timeline.Instant, count int) {
	if r.counted += count; count > 0 {
		r.moved = now
	}
	passed := now.Sub(r.at)
	if passed <= 0 {
		return
	}
	weight := -math.Expm1(-passed.Seconds() / paceMemory.Seconds())
	r.pace += weight * (float64(r.counted)/passed.Seconds() - r.pace)
	r.at, r.counted = now, 0
}

// due returns how far into a ring of that size whoever delivers at t should begin. The playhead waits for what is late, so
// that is its first frame, unless the ring would be full by then and everybody wait: then it is the last quarter.
func (r *race) due(t timeline.Instant, size uint64) uint64 {
	if r.pace*max(0, t.Sub(r.at)).Seconds() < float64(size)/2 {
		return 0
	}
	return size * 3 / 4
}

// late returns when a member's chunk airs whose frames from first on are not here: where there is no race, as planned.
func (c *core) late(first uint64) timeline.Instant {
	if c.race != nil && first == c.ring.Cursor() {
		return c.race.moved.Add(raceLate)
	}
	return c.plan.AirBy(first)
}

// run takes the playhead of a race to the first frame that is missing.
func (c *core) run(now timeline.Instant) {
	start := c.ring.Cursor()
	for {
		trust := !c.budget.Left(now)
		count := min(c.ring.Lead(trust), airing.MessageFrames)
		if c.cluster != nil { // what has aired can no longer be published
			count -= int((c.ring.Cursor() + uint64(count)) % timeline.ChunkFrames)
		}
		if count <= 0 {
			break
		}
		if c.audience != nil {
			c.air(now, count, c.key)
			c.key = false
		} else {
			c.airing = c.ring.Air(count, trust, c.airing[:0])
		}
		c.advance(c.ring.Cursor())
		c.race.aired(count)
	}
	c.race.advance(now, int(c.ring.Cursor()-start))
}
