package orchestrator

import (
	"time"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// airDue airs every message whose time has come, and which is whole or has waited for long enough. While the stream
// gathers its head start, a message also goes out as soon as it is complete.
func (c *core) airDue(now timeline.Instant) {
	for {
		first := c.ring.Cursor()
		count, key := c.plan.Message(first)
		var goes bool
		switch {
		case now >= c.plan.LastCall(first):
			goes = true
		case now >= c.plan.AirBy(first):
			goes = c.ring.Available(first, count, !c.budget.Left(now))
		case now >= c.plan.Regular(first):
			goes = c.ring.Complete(count)
		}
		if !goes {
			return
		}
		if first+uint64(count) > c.ring.End() {
			return // the playhead stands far behind what has aired; it has to come closer first
		}
		c.air(now, count, key || c.key)
		c.key = false
	}
}

// air broadcasts the next count frames with whatever of them is ready.
func (c *core) air(now timeline.Instant, count int, key bool) {
	first := c.ring.Cursor()
	c.aired = first + uint64(count)
	c.airing = c.ring.Air(count, !c.budget.Left(now), c.airing[:0])
	frames := make([]*donut.Picture, count)
	for i, frame := range c.airing {
		switch {
		case frame.Packed == nil:
			c.counts.Stalled++
			continue
		case frame.Owner == ring.Server:
			c.counts.Server++
		case isMember(frame.Owner):
			c.counts.Foreign++
		default:
			c.counts.Fleet++
		}
		c.counts.Aired++
		if !frame.Audited {
			c.counts.Unaudited++
		}
		if err := wire.Unpack(&c.pictures[i], frame.Packed); err != nil {
			panic(err) // nothing gets into the ring that wire did not find well-formed
		}
		frames[i] = &c.pictures[i]
	}

	m := wire.Broadcast{
		Generation: c.generation, Stats: c.stats(now),
		Ring: c.ring.Picture(c.ringPieces[:0]), Board: c.board.ranking(c.peers),
	}
	c.ringPieces = m.Ring.Runs
	began := time.Now()
	m.Stream = c.encoder.Append(nil, first, frames, key)
	c.observer.Encoded(time.Since(began))
	message := m.Append(nil)
	c.counts.StreamSize += uint64(len(message))
	c.audience.Broadcast(message, codec.Header{
		Key: key, Number: c.encoder.Number(), First: first, Count: count, Size: len(m.Stream),
	})
}
