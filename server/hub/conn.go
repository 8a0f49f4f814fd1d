package hub

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A conn is one socket. It implements orchestrator.Peer.
type conn struct {
	// Set once.
	hub    *Hub
	socket *websocket.Conn
	number uint32
	addr   netip.Addr
	worker bool // offers threads; set before anybody else knows of the connection

	mu      sync.Mutex
	queue   []item
	waiting int    // broadcasts in queue
	frames  int    // that they cover
	last    uint64 // number of the newest broadcast queued or written
	writing bool   // a goroutine writes
	leaving bool   // nothing is queued any more

	writers sync.WaitGroup // the goroutine that writes, where there is one
}

// An item is a message that waits to be written.
type item struct {
	bytes     []byte
	broadcast bool
	frames    int         // that the broadcast covers
	goodbye   wire.Reason // where it is the last message
}

// Welcome implements orchestrator.Peer.
func (c *conn) Welcome(threads int) {
	now, generation := c.hub.cfg.Clock.Now()
	c.hub.welcome(c, wire.Welcome{
		Detail: uint8(c.hub.cfg.Detail), Threads: uint8(threads), You: c.number, Generation: generation, Now: int64(now),
		Epoch: c.hub.cfg.Clock.Epoch().UnixMicro(), Lead: uint32(c.hub.cfg.Lead.Milliseconds()), Digest: c.hub.cfg.Digest,
	}.Append(nil))
}

// Send implements orchestrator.Peer.
func (c *conn) Send(message []byte) { c.send(message) }

func (c *conn) send(message []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue)-c.waiting >= maxControl {
		c.dismiss(wire.Goodbye{Reason: wire.ReasonSlow})
		return
	}
	c.push(item{bytes: message})
}

// broadcast queues the next message of the stream, or the open key group in place of all that waits where that is too
// much. It is called with the hub's mu held.
func (c *conn) broadcast(a aired) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if timeline.Span(c.frames) < maxPending {
		c.pushBroadcast(a)
		return
	}
	c.hub.stats.Replayed.Add(1)
	c.last -= uint64(c.waiting) // what waits is the newest of the stream, without a gap but before a key
	c.queue = slices.DeleteFunc(c.queue, func(i item) bool { return i.broadcast })
	c.waiting, c.frames = 0, 0
	for _, a := range c.hub.catchUp(c.last) {
		c.pushBroadcast(a)
	}
}

// catchUp queues messages of the stream, however many.
func (c *conn) catchUp(messages []aired) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range messages {
		c.pushBroadcast(a)
	}
}

func (c *conn) pushBroadcast(a aired) {
	if c.leaving {
		return
	}
	c.last = a.header.Number
	c.waiting++
	c.frames += a.header.Count
	c.push(item{bytes: a.bytes, broadcast: true, frames: a.header.Count})
}

// Dismiss implements orchestrator.Peer.
func (c *conn) Dismiss(m wire.Goodbye) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dismiss(m)
}

// dismiss queues the goodbye in place of all that waits.
func (c *conn) dismiss(m wire.Goodbye) {
	if c.leaving {
		return
	}
	c.hub.stats.closed[m.Reason].Add(1)
	c.queue, c.waiting, c.frames = nil, 0, 0
	c.push(item{bytes: m.Append(nil), goodbye: m.Reason})
	c.leaving = true
}

// push queues an item and sees to it that somebody writes. It is called with mu held.
func (c *conn) push(i item) {
	if c.leaving {
		return
	}
	c.queue = append(c.queue, i)
	if !c.writing {
		c.writing = true
		c.writers.Add(1)
		c.hub.running.Go(func() {
			defer c.writers.Done()
			c.write()
		})
	}
}

// next takes the first item, or ends the writing where there is none.
func (c *conn) next() (item, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 {
		c.queue, c.writing = nil, false
		return item{}, false
	}
	i := c.queue[0]
	c.queue = c.queue[1:]
	if i.broadcast {
		c.waiting--
		c.frames -= i.frames
	}
	return i, true
}

// write writes until the queue is empty.
func (c *conn) write() {
	for {
		i, ok := c.next()
		if !ok {
			return
		}
		ctx, cancel := context.WithTimeout(c.hub.life, writeTimeout)
		err := c.socket.Write(ctx, websocket.MessageBinary, i.bytes)
		cancel()
		if err != nil {
			c.abandon(errors.Is(err, context.DeadlineExceeded))
			return
		}
		if i.goodbye != 0 {
			c.socket.Close(statusOf(i.goodbye), i.goodbye.String())
			return
		}
	}
}

// abandon ends a connection that cannot be written to. The reader notices.
func (c *conn) abandon(slow bool) {
	c.mu.Lock()
	if slow && !c.leaving {
		c.hub.stats.closed[wire.ReasonSlow].Add(1)
	}
	c.leaving, c.queue, c.waiting, c.frames = true, nil, 0, 0
	c.mu.Unlock()
	c.socket.CloseNow()
}

// statusOf is the WebSocket status that goes with a reason.
func statusOf(r wire.Reason) websocket.StatusCode {
	switch r {
	case wire.ReasonDraining:
		return websocket.StatusGoingAway
	case wire.ReasonSlow, wire.ReasonFull:
		return websocket.StatusTryAgainLater
	case wire.ReasonMalformed:
		return websocket.StatusProtocolError
	}
	return websocket.StatusPolicyViolation
}
