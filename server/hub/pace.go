package hub

import (
	"errors"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// savedSeconds is for how long a connection saves up the messages that it may send: so many seconds' worth may come
	// at once.
	savedSeconds = 10
	// maxAnswers is how many leases that were not answered yet a connection may answer at once. The schedule lends fewer:
	// eight threads may hold 18 leases each, and owe eight.
	maxAnswers = 256
)

// errFlood is the error for a connection that sends more than it may.
var errFlood = errors.New("hub: more messages than a connection may send")

// afford takes what a message costs from the connection's ration, and reports whether there was enough. An answer is
// paid for by the lease, so that how quickly a tab renders is no matter of the ration. The goroutine that reads calls it.
func (c *conn) afford(kind wire.Kind) bool {
	if kind == wire.KindResult && c.redeem() {
		return true
	}
	now, _ := c.hub.cfg.Clock.Now()
	return c.pace.Take(now)
}

// redeem takes a lease that was sent and not answered yet, and reports whether there was one.
func (c *conn) redeem() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unanswered == 0 {
		return false
	}
	c.unanswered--
	return true
}

// control counts a control frame, and reports whether it may be answered. Where it is one too many, nothing more is
// read.
func (c *conn) control() bool {
	if c.flooded || !c.afford(0) {
		c.flooded = true
		c.tcp.SetReadDeadline(time.Unix(1, 0))
	}
	return !c.flooded
}
