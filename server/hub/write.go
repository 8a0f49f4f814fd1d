package hub

import (
	"errors"
	"os"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

// flush writes what waits as far as the kernel takes it at once, and leaves the rest to a goroutine: it waits for nobody,
// and mostly saves one. It is called with mu held by whom queue told that nobody writes.
func (c *conn) flush() {
	for c.rest == nil && len(c.pending) > 0 && !c.pending[0].last {
		i := c.pending[0]
		n, ok := c.tcp.try(i.bytes, len(c.pending) > 1)
		if !ok {
			break
		}
		c.pending = c.pending[1:]
		c.depart(i)
		if n < len(i.bytes) {
			c.rest = i.bytes[n:]
		}
	}
	if c.rest == nil && len(c.pending) == 0 {
		c.pending, c.writing = nil, false
		return
	}
	c.start()
}

// depart notes that an item is being written. It is called with mu held.
func (c *conn) depart(i item) {
	if i.broadcast != 0 {
		c.waiting--
		c.frames -= i.frames
		// From here on it may be acknowledged: the viewer can have it before its write returns.
		c.written = i.broadcast
		c.flying = append(c.flying, flight{i.broadcast, time.Now()})
	}
}

// start starts the goroutine that writes.
func (c *conn) start() {
	c.writers.Add(1)
	go func() {
		defer c.writers.Done()
		c.write()
	}()
}

// next takes what is to be written at once, the rest of an item or the first one and what fits beside it, or ends the
// writing where there is nothing.
func (c *conn) next() (rest []byte, batch []item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rest != nil {
		rest, c.rest = c.rest, nil
		return rest, nil
	}
	n, size := 0, 0
	for ; n < len(c.pending); n++ {
		i := c.pending[n]
		if size += len(i.bytes); n > 0 && size > maxBatch {
			break
		}
		c.depart(i)
	}
	batch = c.pending[:n:n]
	if c.pending = c.pending[n:]; n == 0 {
		c.pending, c.writing = nil, false
	}
	return nil, batch
}

// write writes until the queue is empty.
func (c *conn) write() {
	for {
		rest, batch := c.next()
		if len(rest)+len(batch) == 0 {
			return
		}
		if err := c.writeBatch(rest, batch); err != nil {
			reason := wire.Reason(0)
			if errors.Is(err, os.ErrDeadlineExceeded) {
				reason = wire.ReasonSlow
			}
			c.abandon(reason)
			return
		}
		if len(batch) > 0 && batch[len(batch)-1].last {
			// The other side is to close, since closing before it has would have its kernel throw the goodbye away.
			c.tcp.SetDeadline(time.Now().Add(farewell))
			c.tcp.CloseWrite()
			return
		}
	}
}

// writeBatch writes the rest of an item, or else a batch.
func (c *conn) writeBatch(rest []byte, batch []item) error {
	c.tcp.SetWriteDeadline(time.Now().Add(c.hub.cfg.Timeouts.Write))
	defer c.tcp.SetWriteDeadline(time.Time{})
	if rest != nil {
		return c.tcp.finish(rest)
	}
	most := len(batch) - 1
	for _, i := range batch[:most] {
		if err := c.tcp.begin(i.bytes); err != nil {
			return err
		}
	}
	_, err := c.tcp.Write(batch[most].bytes)
	return err
}
