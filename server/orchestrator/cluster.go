package orchestrator

import (
	"time"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A Cluster is the other servers of one timeline, its members, who are numbered from wire.FirstMember on. Its methods
// are called by the orchestrator's loop alone and must not block. What members send comes in through Foreign, and what they
// ask for through Frames.
type Cluster interface {
	// Owner returns who is to render a chunk, ring.Server for this server itself. Where servers disagree, a chunk is
	// rendered twice, or late.
	Owner(now timeline.Instant, chunk uint64) uint32
	// Alive reports whether a member can be counted on: was heard from a moment ago, fits, and is not cut off.
	Alive(now timeline.Instant, member uint32) bool
	// Publish sends frames to all members. It keeps no reference to them.
	Publish(first uint64, packed []byte)
	// Fetch asks the members for frames.
	Fetch(first uint64, count int)
	// Cut shuts a member out for good.
	Cut(member uint32, why string)
	// Others returns what the members that are alive have in all.
	Others() Others
}

// Others is what other servers have.
type Others struct {
	Servers, Viewers, Workers, Threads uint64
	Capacity                           float64 // frames a second that their tabs could render
}

const (
	// fetchAhead is how long before its frames air a member's chunk is asked for that has not come, and reclaimAhead when it
	// is lent to this server's own tabs: there is a second then before the server renders it itself. With a short lead
	// all of them are shorter; see airing.Plan.
	fetchAhead   = 2500 * time.Millisecond
	reclaimAhead = 2 * time.Second

	// rescueLater is how much later than its own a server renders the frames of a member that is alive. Where nobody has
	// tabs, each frame is then rendered by one server, and has that long to get to the others.
	rescueLater = 500 * time.Millisecond
)

// A share is a chunk in the ring, and who renders it.
type share struct {
	owner     uint32 // ring.Server is this server
	marked    uint64 // the member's frames before this one are marked as lent to it
	asked     bool   // for what is missing
	published bool
}

// A sibling is what is known of a member's work.
type sibling struct {
	passes uint64 // its frames that were audited and right
}

// clusterLease is the number under which a chunk is lent to a member. The scheduler's are below.
func clusterLease(chunk uint64) uint64 { return 1<<63 | chunk }

func isMember(owner uint32) bool { return owner >= wire.FirstMember }

// divide gives the frames that have come into the ring to who is to render them, and takes back what does not come.
func (c *core) divide(now timeline.Instant) {
	if c.cluster == nil {
		return
	}
	for chunk := range c.shares {
		if (chunk+1)*timeline.ChunkFrames <= c.ring.Playhead() || chunk*timeline.ChunkFrames >= c.ring.End() {
			delete(c.shares, chunk)
		}
	}
	for chunk := c.ring.Cursor() / timeline.ChunkFrames; chunk*timeline.ChunkFrames < c.ring.End(); chunk++ {
		s, ok := c.shares[chunk]
		if !ok {
			s = &share{owner: c.cluster.Owner(now, chunk)}
			c.shares[chunk] = s
		}
		if s.owner == ring.Server && c.fleet.Threads() == 0 && c.untouched(now, chunk) {
			s.owner = c.cluster.Owner(now, chunk) // somebody who has tabs may have come since
		}
		if s.owner != ring.Server {
			c.entrust(now, chunk, s)
		}
	}
}

// untouched reports whether nothing of a chunk of this server's was begun, and a member has the time to.
func (c *core) untouched(now timeline.Instant, chunk uint64) bool {
	first := max(chunk*timeline.ChunkFrames, c.ring.Cursor())
	end := min((chunk+1)*timeline.ChunkFrames, c.ring.End())
	if now >= c.plan.AirBy(first).Add(-c.plan.Margin(first, fetchAhead)) {
		return false
	}
	free, count := c.ring.FreeRun(first, int(end-first))
	return free == first && count == int(end-first)
}

// entrust leaves a chunk to the member that is to render it, or does something about it.
func (c *core) entrust(now timeline.Instant, chunk uint64, s *share) {
	first := max(chunk*timeline.ChunkFrames, c.ring.Cursor())
	end := min((chunk+1)*timeline.ChunkFrames, c.ring.End())
	airs := c.late(first)
	if !c.cluster.Alive(now, s.owner) {
		c.reclaim(chunk)
		s.owner, s.marked = c.cluster.Owner(now, chunk), 0
	}
	if s.owner != ring.Server && now >= airs.Add(-c.plan.Margin(first, fetchAhead)) && !s.asked && c.lacks(first, end) {
		s.asked = true
		c.cluster.Fetch(first, int(end-first))
	}
	if s.owner != ring.Server && now >= airs.Add(-c.plan.Margin(first, reclaimAhead)) {
		c.reclaim(chunk)
		s.marked = end
	}
	if s.owner == ring.Server || s.marked >= end {
		return
	}
	from := max(first, s.marked)
	c.ring.Lease(from, int(end-from), s.owner, clusterLease(chunk))
	s.marked = end
}

// capacity returns how many frames a second this server's tabs could render. A thread of which nothing is known is taken to
// be like the others here, or if nothing is known of any like those of the other servers. Were it taken to be nothing, a
// server whose tabs have just come would be left nothing beside others, and never find out what they can do.
func (c *core) capacity(now timeline.Instant) float64 {
	perSecond, known, unknown := c.fleet.Capacity(now)
	if unknown == 0 {
		return perSecond
	}
	if known > 0 {
		return perSecond / float64(known) * float64(known+unknown)
	}
	if c.cluster == nil {
		return 0
	}
	others := c.cluster.Others()
	if others.Threads == 0 {
		return 0
	}
	return others.Capacity / float64(others.Threads) * float64(unknown)
}

// reclaim makes what a member has not sent free.
func (c *core) reclaim(chunk uint64) {
	c.ring.Release(chunk*timeline.ChunkFrames, timeline.ChunkFrames, clusterLease(chunk))
}

func (c *core) lacks(first, end uint64) bool {
	for n := first; n < end; n++ {
		if c.ring.Missing(n) {
			return true
		}
	}
	return false
}

// publish sends out the chunks of this server that are complete, each once.
func (c *core) publish(now timeline.Instant) {
	if c.cluster == nil {
		return
	}
	trust := !c.budget.Left(now)
	for first := c.ring.Playhead() / timeline.ChunkFrames * timeline.ChunkFrames; first < c.ring.End(); first += timeline.ChunkFrames {
		s, ok := c.shares[first/timeline.ChunkFrames]
		from := max(first, c.opened)
		count := int(first + timeline.ChunkFrames - from)
		if !ok || s.owner != ring.Server || s.published || !c.ring.Available(from, count, trust) {
			continue
		}
		s.published = true
		c.cluster.Publish(from, c.collect(from, count))
	}
}

// collect returns frames that are in the ring, as they are packed. It is valid until the next call.
func (c *core) collect(first uint64, count int) []byte {
	c.collected = c.collected[:0]
	for n := first; n < first+uint64(count); n++ {
		copy, _ := c.ring.Copy(n)
		c.collected = append(c.collected, copy.Packed...)
	}
	return c.collected
}

// foreign takes in what a member published or was asked for.
func (c *core) foreign(now timeline.Instant, number uint32, first uint64, packed []byte) {
	if !c.streaming || !c.cluster.Alive(now, number) {
		return
	}
	m := c.siblings[number]
	if m == nil {
		m = &sibling{}
		c.siblings[number] = m
	}
	count := len(packed) / wire.PackedSize
	for i := 0; i < count; {
		n := min(wire.MaxChunk, count-i)
		c.take(number, m.passes, wire.Result{
			Lease: clusterLease((first + uint64(i)) / timeline.ChunkFrames), First: first + uint64(i),
			Frames: packed[i*wire.PackedSize : (i+n)*wire.PackedSize],
		})
		i += n
	}
	c.revoke(c.fleet.Delivered(now, first, count))
}

// frames answers what of some frames is in the ring and was audited, in runs.
func (c *core) frames(first uint64, count int, answer func(first uint64, packed []byte)) {
	end := first + uint64(count)
	for n := first; n < end; {
		from := n
		for n < end && c.hasAudited(n) {
			n++
		}
		if n > from {
			answer(from, c.collect(from, int(n-from)))
		}
		n++
	}
}

// hasAudited reports whether frame n is in the ring and was audited.
func (c *core) hasAudited(n uint64) bool {
	copy, ok := c.ring.Copy(n)
	return ok && copy.Audited
}

// awaited reports whether frame n, which is missing, may still come from the member that renders it.
func (c *core) awaited(now timeline.Instant, n uint64) bool {
	s, ok := c.shares[n/timeline.ChunkFrames]
	return ok && s.owner != ring.Server && now < c.plan.AirBy(n).Add(-c.plan.Margin(n, rescueLater))
}

// cut shuts out a member that is proven to have published a forged frame.
func (c *core) cut(number uint32, proof *Forgery) {
	delete(c.siblings, number)
	c.cluster.Cut(number, proof.Error())
}
