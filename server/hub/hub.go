// Package hub holds the sockets: it lets tabs in, reads what they send, and writes what they are to get.
//
// A connection has one goroutine that reads, and a second one only while something waits that the kernel does not take at
// once. What everybody gets is encoded once, and its bytes are shared.
//
// # Slow viewers
//
// A write blocks while its reader stalls, and is never cancelled, because half a message cannot be taken back. So what is
// not worth sending any more is dropped before it is written. A viewer with maxPending of the stream waiting loses it all,
// and is sent the stream again from the key group that is on screen. What the kernel holds is seen by what the viewer
// acknowledges: one that has not decoded what was written maxPending ago is sent nothing more until it has, and then the
// group on screen. One that does not catch up for patience, or whose write takes longer than Timeouts.Write, is closed. All
// are counted.
package hub

import (
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// silence is how long a connection may say nothing before it counts as dead: tabs probe every 5 s.
	silence = 9 * time.Second
	// patience is how long a viewer may take to catch up.
	patience = 10 * time.Second
	// maxPending is how much of the stream may wait for a viewer before more is too much.
	maxPending = 4 * time.Second
	// firstWord is how long a connection that is not let in may take to say something, before it is told.
	firstWord = time.Second
	// farewell is how long a connection that was said goodbye to may take to close.
	farewell = 5 * time.Second
	// groupsPerSecond is how many of those who join are sent the open key group unasked, and groupsAtOnce how many at
	// once. A group is a hundred times what a hostile crowd sends to get it.
	groupsPerSecond = 100
	groupsAtOnce    = 300
	// maxBatch is how many bytes are written at once where there is more than one message.
	maxBatch = 16 << 10
	// maxIgnored is how many bytes are read of who is sent away. A tab that does not know yet sends a hello and probes.
	maxIgnored = 4 << 10
	// settling is for how long the probes of a viewer are answered at once: tabs send several when they come.
	settling = 5 * time.Second
	// maxReplies is how many other messages may wait for a viewer, and maxControl how many for a worker, who is sent
	// leases.
	maxReplies = 32
	maxControl = 256
	// offersPerSecond is how often a connection may change how many threads it offers, and offersAtOnce how often in a row.
	offersPerSecond = 5
	offersAtOnce    = 20
)

// A Fleet is told what connections do. Its methods may be called concurrently; see orchestrator.Orchestrator.
type Fleet interface {
	Join(number uint32, p orchestrator.Peer, addr netip.Addr, threads int)
	Offer(number uint32, threads int)
	Leave(number uint32)
	Result(number uint32, m wire.Result)
}

// Config says whom the hub lets in and what it tells them.
type Config struct {
	Clock  *timeline.Clock
	Log    *slog.Logger
	Digest wire.Digest // of the module that tabs must run
	Detail int
	Lead   time.Duration
	// Limits are how many connections may come, and Addresses say from where they do.
	Limits    gate.Limits
	Addresses *gate.Addresses
	// Messages is how many messages a second a connection may send beside its answers to leases, MinMessages to
	// MaxMessages. What it does not use it saves up for ten seconds.
	Messages int
	// SendBuffer is how many bytes the kernel is asked to hold for a connection at most, MinSendBuffer to MaxSendBuffer.
	// They take twice as much memory, and on top of that a message. Left to itself the kernel hides minutes of the stream.
	SendBuffer int
	Timeouts   Timeouts
	// Origins are patterns of hosts, as in path.Match, whose pages may connect beside the server's own.
	Origins []string
	// Served, where it is set, is told how long after its broadcast the last part of the audience was handed a message. It
	// must not block, nor call the hub.
	Served func(took time.Duration)
	// Probed, where it is set, is told every round trip that a tab measured, by the tab's own word: up to a minute. It may be
	// called concurrently, and must not block.
	Probed func(took time.Duration)
}

// The range of Config.Messages.
const (
	MinMessages = 1
	MaxMessages = 10_000
)

// Timeouts say how long a connection may take, each more than 0.
type Timeouts struct {
	// Hello is how long it has to say hello.
	Hello time.Duration
	// Message is how long a message may take to arrive whole once it has begun.
	Message time.Duration
	// Write is how long what is written at once may take to leave.
	Write time.Duration
}

// A Hub is all connections. Its methods may be called concurrently.
type Hub struct {
	cfg     Config
	running sync.WaitGroup // every goroutine that none of the visits waits for
	numbers atomic.Uint32
	stats   Stats
	door    door

	mu       sync.Mutex
	conns    map[*conn]struct{} // all whose sockets are open
	audience audience           // those of them that the stream goes to
	backlog  []aired            // from the key group on screen on
	groups   *gate.Ration       // of those that are sent unasked
	visits   int                // connections from their request to their end
	draining bool
	returns  returns
	closed   bool          // nobody is let in any more, not even to be told goodbye
	left     chan struct{} // closed with closed
}

// aired is a message as it went out, in its frame.
type aired struct {
	bytes  []byte
	header codec.Header
}

// end is the number of the first frame behind the message.
func (a aired) end() uint64 { return a.header.First + uint64(a.header.Count) }

// New returns a hub without connections.
func New(cfg Config) *Hub {
	return &Hub{
		cfg: cfg, door: door{gate: gate.New(cfg.Limits)},
		conns: make(map[*conn]struct{}), left: make(chan struct{}),
		groups: gate.NewRation(groupsPerSecond, groupsAtOnce),
	}
}

// Stats returns the hub's counters, which go on counting.
func (h *Hub) Stats() *Stats { return &h.stats }

// trim drops what nobody who joins now needs: all before the last key group that begins at or before the playhead. It
// is called with mu held.
func (h *Hub) trim() {
	now, _ := h.cfg.Clock.Now()
	keep := 0
	for i, a := range h.backlog {
		if a.header.Key && a.header.First <= now.Frame() {
			keep = i
		}
	}
	h.backlog = append(h.backlog[:0:0], h.backlog[keep:]...)
}

// catchUp returns what a viewer needs who has the stream up to message number last (0 for none). Where all of it is off
// the screen the stream is late or has stopped, and only its next message tells which: that brings what it needs along;
// see follow. It is called with mu held.
func (h *Hub) catchUp(last uint64) []aired {
	h.trim()
	now, _ := h.cfg.Clock.Now()
	if n := len(h.backlog); n == 0 || h.backlog[n-1].end() <= now.Frame() {
		return nil
	}
	if last == 0 {
		return unbroken(h.backlog)
	}
	for i, a := range h.backlog {
		if a.header.Number == last+1 {
			return h.backlog[i:]
		}
	}
	return h.backlog
}

// unbroken returns the end of a stream in which no frames are left out: all of it, or what a stream that had stopped
// has aired since, from a key on.
func unbroken(stream []aired) []aired {
	for i := len(stream) - 1; i > 0; i-- {
		if stream[i].header.First != stream[i-1].end() {
			return stream[i:]
		}
	}
	return stream
}

// begin notes a visit, unless the hub is closed.
func (h *Hub) begin() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.visits++
	return true
}

// end notes the end of a visit.
func (h *Hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.visits--
	h.closeIfEmpty()
}

// closeIfEmpty closes a hub that is draining when the last one has left it. It is called with mu held.
func (h *Hub) closeIfEmpty() {
	if h.draining && h.visits == 0 && !h.closed {
		h.closed = true
		close(h.left)
	}
}

// enter notes a connection whose socket is open. Where the hub is draining it says when to come back instead.
func (h *Hub) enter(c *conn) (retry time.Duration, draining bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns[c] = struct{}{}
	if h.draining {
		retry = h.returns.next()
	}
	return retry, h.draining
}

// welcome lets a connection in and sends it the open key group. From here on it gets every broadcast. In a rush that waits
// for its first probe, which tabs send at once.
func (h *Hub) welcome(c *conn, message []byte) {
	now, _ := h.cfg.Clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.conns[c]; !ok {
		return // gone meanwhile
	}
	c.send(message)
	c.welcomed = true
	if c.probed || h.groups.Take(now) {
		h.tuneIn(c)
	}
}

// tuneIn sends a connection the stream from the open key group on. It is called with mu held.
func (h *Hub) tuneIn(c *conn) {
	h.audience.add(c)
	c.catchUp(h.catchUp(0))
}

// acknowledge notes that a viewer has decoded message number ack, 0 for none. It returns an error where that was never
// sent.
func (h *Hub) acknowledge(c *conn, ack uint64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	caughtUp, err := c.acknowledge(ack, time.Now())
	if err != nil {
		return err
	}
	c.probed = true
	switch viewer := h.audience.has(c); {
	case !viewer && c.welcomed:
		h.tuneIn(c)
	case caughtUp:
		c.catchUp(h.catchUp(ack))
	}
	return nil
}

// forget drops a connection whose socket is closed.
func (h *Hub) forget(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
	h.audience.remove(c)
}
