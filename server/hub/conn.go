package hub

import (
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A conn is one socket. It implements orchestrator.Peer.
type conn struct {
	// Set once.
	hub     *Hub
	socket  *websocket.Conn // reads, and answers pings
	tcp     outlet          // below socket; takes what is written beside that
	number  uint32
	addr    netip.Addr   // that counts for it
	refused gate.Refusal // where it gets a goodbye and nothing else
	entered timeline.Instant

	verified atomic.Uint64 // what Credit said last, for replies

	// Of the goroutine that reads.
	pace    *gate.Ration // of messages
	offers  *gate.Ration // of those that change what the connection offers
	flooded bool         // by control frames, which are not messages

	// Of the hub's mu.
	welcomed, probed bool

	mu      sync.Mutex
	worker  bool // it offered threads, ever
	pending []item
	waiting int    // broadcasts in pending
	frames  int    // that they cover
	last    uint64 // number of the newest broadcast queued or written
	written uint64 // number of the newest broadcast written
	flying  []flight
	behind  time.Time   // since when the viewer gets nothing because it is behind; zero while it is not
	writing bool        // a goroutine writes, or is to
	rest    []byte      // of an item that is written in part, before all others
	owed    *wire.Reply // one that goes with the next message of the stream; nil for none
	leaving bool        // nothing is queued any more
	counted bool        // its end is, under a reason: the first one that anybody gives, be it after a write has failed
	loans   loans

	unanswered int // leases that were sent, and count for answers that are yet to come; at most maxAnswers

	writers sync.WaitGroup // the goroutine that writes, where there is one
}

// A flight is a broadcast that was written, and that the viewer has not acknowledged.
type flight struct {
	number uint64
	at     time.Time
}

// An item is a message that waits to be written, in its frame.
type item struct {
	bytes     []byte
	broadcast uint64 // its number, where it is one
	frames    int    // that the broadcast covers
	last      bool   // nothing follows
}

// Welcome implements orchestrator.Peer.
func (c *conn) Welcome(threads int) {
	now, generation := c.hub.cfg.Clock.Now()
	c.hub.welcome(c, wire.Welcome{
		Detail: uint8(c.hub.cfg.Detail), Threads: uint8(threads), You: c.number, Generation: generation, Now: int64(now),
		Epoch: c.hub.cfg.Clock.Epoch().UnixMicro(), Lead: uint32(c.hub.cfg.Lead.Milliseconds()), Digest: c.hub.cfg.Digest,
	}.Append(nil))
}

// Lend implements orchestrator.Peer.
func (c *conn) Lend(m wire.Lease) {
	c.mu.Lock()
	c.loans.add(m)
	c.unanswered = min(c.unanswered+1, maxAnswers)
	c.mu.Unlock()
	c.send(m.Append(nil))
}

// answered notes that the connection has answered a lease.
func (c *conn) answered(lease uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loans.answered(lease)
}

// limit returns the length in bytes of the longest message that the connection may send now.
func (c *conn) limit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loans.limit()
}

// Credit implements orchestrator.Peer.
func (c *conn) Credit(verified uint64) { c.verified.Store(verified) }

// Send implements orchestrator.Peer.
func (c *conn) Send(message []byte) { c.send(message) }

// send has a message written by somebody else.
func (c *conn) send(message []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.enqueue(message) {
		c.start()
	}
}

// reply answers a probe: at once, or for a viewer that has been here for a while with the next message of the stream, a
// second later at most. That saves a write, and what a probe tells of the clocks does not depend on it.
func (c *conn) reply(m wire.Reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	settled := timeline.Instant(m.Received).Sub(c.entered) > settling
	if settled && !c.worker && c.owed == nil && c.behind.IsZero() && c.last != 0 {
		c.owed = &m
		return
	}
	if c.enqueueReply(m) {
		c.flush()
	}
}

// enqueueReply queues the answer to a probe, and reports what queue does. It is called with mu held.
func (c *conn) enqueueReply(m wire.Reply) (idle bool) {
	replied, generation := c.hub.cfg.Clock.Now()
	m.Replied, m.Generation, m.Verified = int64(replied), generation, c.verified.Load()
	return c.enqueue(m.Append(nil))
}

// enqueue queues a message that is not of the stream, and reports what queue does. It is called with mu held.
func (c *conn) enqueue(message []byte) (idle bool) {
	most := maxReplies
	if c.worker {
		most = maxControl
	}
	if len(c.pending)-c.waiting >= most {
		c.dismiss(wire.Goodbye{Reason: wire.ReasonSlow})
		return false
	}
	return c.queue(item{bytes: framed(message)})
}

// follow has the viewer sent what it lacks of the newest messages of the stream, or the open key group in place of all
// that waits where that is too much. It is called with the hub's mu held.
func (c *conn) follow(newest []aired) {
	c.mu.Lock()
	defer c.mu.Unlock()
	idle := false
	if m := c.owed; m != nil {
		c.owed = nil
		idle = c.enqueueReply(*m)
	}
	if c.last == 0 {
		newest = unbroken(newest)
	}
	for _, a := range newest {
		if !c.behind.IsZero() || a.header.Number <= c.last {
			continue
		}
		if timeline.Span(c.frames) >= maxPending {
			c.hub.stats.Replayed.Add(1)
			c.drop()
			idle = c.queueBroadcasts(c.hub.catchUp(c.last)) || idle
			break
		}
		idle = c.queueBroadcast(a) || idle
	}
	if idle {
		c.flush()
	}
}

// drop takes back the broadcasts that wait. What waits is the newest of the stream, without a gap but before a key. It is
// called with mu held.
func (c *conn) drop() {
	c.last -= uint64(c.waiting)
	c.pending = slices.DeleteFunc(c.pending, func(i item) bool { return i.broadcast != 0 })
	c.waiting, c.frames = 0, 0
}

// acknowledge notes what the viewer has decoded, and holds the stream back from one that is behind. It reports whether
// one that was has caught up and is to be sent the stream again. It is called with the hub's mu held.
func (c *conn) acknowledge(ack uint64, now time.Time) (caughtUp bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ack > c.written {
		return false, &wire.SyntaxError{
			Message: "probe", Field: "ack", Got: strconv.FormatUint(ack, 10), Want: "at most " + strconv.FormatUint(c.written, 10),
		}
	}
	c.flying = slices.DeleteFunc(c.flying, func(f flight) bool { return f.number <= ack })
	switch late := len(c.flying) > 0 && now.Sub(c.flying[0].at) > maxPending; {
	case c.behind.IsZero() && late:
		c.behind = now
		c.drop()
	case !c.behind.IsZero() && len(c.flying) == 0 && c.waiting == 0:
		c.behind = time.Time{}
		c.hub.stats.Replayed.Add(1)
		return true, nil
	case !c.behind.IsZero() && now.Sub(c.behind) > patience:
		c.dismiss(goodbye(wire.ReasonSlow, later()))
	}
	return false, nil
}

// catchUp queues messages of the stream, however many.
func (c *conn) catchUp(messages []aired) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queueBroadcasts(messages) {
		c.start()
	}
}

// queueBroadcasts queues messages of the stream, and reports whether queue did for one of them. It is called with mu held.
func (c *conn) queueBroadcasts(messages []aired) (idle bool) {
	for _, a := range messages {
		idle = c.queueBroadcast(a) || idle
	}
	return idle
}

// queueBroadcast queues a message of the stream, and reports what queue does. It is called with mu held.
func (c *conn) queueBroadcast(a aired) (idle bool) {
	if c.leaving {
		return false
	}
	c.last = a.header.Number
	c.waiting++
	c.frames += a.header.Count
	return c.queue(item{bytes: a.bytes, broadcast: a.header.Number, frames: a.header.Count})
}

// Dismiss implements orchestrator.Peer.
func (c *conn) Dismiss(m wire.Goodbye) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dismiss(m)
}

// dismiss has the goodbye written. It is called with mu held.
func (c *conn) dismiss(m wire.Goodbye) {
	if c.part(m) {
		c.start()
	}
}

// part queues the goodbye and the closing frame in place of all that waits, and reports what queue does.
func (c *conn) part(m wire.Goodbye) (idle bool) {
	c.count(m.Reason)
	if c.leaving {
		return false
	}
	c.pending, c.waiting, c.frames = nil, 0, 0
	idle = c.queue(item{bytes: append(framed(m.Append(nil)), closing(statusOf(m.Reason))...), last: true})
	c.leaving = true
	return idle
}

// queue queues an item, and reports whether nobody writes, so that the caller has to. It is called with mu held.
func (c *conn) queue(i item) (idle bool) {
	if c.leaving {
		return false
	}
	c.pending = append(c.pending, i)
	idle = !c.writing
	c.writing = true
	return idle
}

// abandon ends a connection that no goodbye would reach, and counts it under a reason unless that is 0. The reader
// notices.
func (c *conn) abandon(r wire.Reason) {
	c.mu.Lock()
	if r != 0 {
		c.count(r)
	}
	c.leaving, c.pending, c.waiting, c.frames = true, nil, 0, 0
	c.mu.Unlock()
	c.socket.CloseNow()
}

// count counts the end of the connection. It is called with mu held.
func (c *conn) count(r wire.Reason) {
	if !c.counted {
		c.counted = true
		c.hub.stats.closed[r].Add(1)
	}
}

// statusOf is the WebSocket status that goes with a reason.
func statusOf(r wire.Reason) websocket.StatusCode {
	switch r {
	case wire.ReasonDraining:
		return websocket.StatusGoingAway
	case wire.ReasonSlow, wire.ReasonFull, wire.ReasonCrowded:
		return websocket.StatusTryAgainLater
	case wire.ReasonMalformed:
		return websocket.StatusProtocolError
	}
	return websocket.StatusPolicyViolation
}
