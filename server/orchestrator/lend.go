package orchestrator

import (
	"time"

	"github.com/distributed-donut/donut/server/airing"
	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/schedule"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// lend lends everything that there is to lend and somebody to lend it to, and once more what is late.
func (c *core) lend(now timeline.Instant) {
	for {
		l, ok := c.fleet.Next(now, c.work(now))
		if !ok {
			break
		}
		c.send(now, l)
	}
	if c.hedgedAt == c.sweptAt {
		return // leases grow old no faster
	}
	c.hedgedAt = c.sweptAt
	for {
		l, ok := c.fleet.Hedge(now, c.work(now))
		if !ok {
			return
		}
		c.counts.Hedged += uint64(l.Count)
		c.send(now, l)
	}
}

// send sends a lease to its thread.
func (c *core) send(now timeline.Instant, l schedule.Lease) {
	c.ring.Lease(l.First, l.Count, l.Thread.Conn, l.ID)
	p := c.peers[l.Thread.Conn]
	if !c.book.MayRender(now, p.addr) { // another connection from the same address was struck
		c.dismiss(now, l.Thread.Conn, wire.ReasonEvicted)
		return
	}
	if l.Probation {
		c.probation.Lend(now, l.Count, c.cost)
	}
	p.conn.Lend(wire.Lease{
		Lease: l.ID, Thread: l.Thread.Index, Detail: uint8(c.detail), First: l.First, Count: uint16(l.Count),
		Within: uint32(l.Within / time.Millisecond),
	})
}

func (c *core) work(now timeline.Instant) work {
	beside, alone := c.probation.Frames(now, c.cost)
	return work{c.ring, c.plan, c.race, beside, alone}
}

// work shows the ring to the scheduler.
type work struct {
	*ring.Ring
	plan          airing.Plan
	race          *race // nil for none
	beside, alone int
}

// Probation implements schedule.Work.
func (w work) Probation() (beside, alone int) { return w.beside, w.alone }

// Due implements schedule.Work.
func (w work) Due(t timeline.Instant) uint64 {
	if w.race != nil {
		return w.Cursor() + w.race.due(t, w.End()-w.Cursor())
	}
	return w.plan.Due(t, w.Cursor(), w.End())
}

// release frees the frames of leases that ended without an answer.
func (c *core) release(leases []schedule.Lease) {
	for _, l := range leases {
		c.ring.Release(l.First, l.Count, l.ID)
	}
}

// revoke tells threads to stop.
func (c *core) revoke(leases []schedule.Lease) {
	for _, l := range leases {
		if p, ok := c.peers[l.Thread.Conn]; ok {
			p.conn.Send(wire.Revoke{Lease: l.ID}.Append(nil))
		}
	}
}
