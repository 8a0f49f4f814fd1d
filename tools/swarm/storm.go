package main

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// maxStorm is how many joins a storm may have, and maxStormRate how many a second.
	maxStorm     = 60_000
	maxStormRate = 2_000
	// maxIntruders is how many of them may be here at once.
	maxIntruders = 4_000
	// leaseWait is how long an intruder waits for a lease before it sends a result for one that it never held, and
	// goodbyeWait how long it waits to be sent away then.
	leaseWait   = time.Second
	goodbyeWait = 2 * time.Second
)

// storm sends all intruders, one after the other as fast as the rate allows: each from a /24 of its own, with one forged
// chunk. It returns when they have left or ctx is done.
func (h *hostiles) storm(ctx context.Context, c *crowd) {
	start := time.Now()
	var here sync.WaitGroup
	defer here.Wait()
	room := make(chan struct{}, maxIntruders)
	for i := range c.cfg.storm {
		due := start.Add(time.Duration(float64(i) / c.cfg.stormRate * float64(time.Second)))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		here.Go(func() {
			defer func() { <-room }()
			h.intrude(ctx, c, i)
		})
	}
}

// intrude plays intruder number i.
func (h *hostiles) intrude(ctx context.Context, c *crowd, i int) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	socket := h.join(ctx, c, stormer, i, 1)
	if socket == nil {
		return
	}
	defer socket.CloseNow()

	// One goroutine reads; the timer sends what is due where no lease has come.
	forgery := func(lease, first uint64, count int) []byte {
		frames := bytes.Repeat([]byte{byte(i) % 10}, count*wire.PackedSize)
		return wire.Result{Lease: lease, First: first, Spent: 1000, Frames: frames}.Append(nil)
	}
	var once sync.Once
	send := func(message []byte) {
		once.Do(func() {
			socket.Write(ctx, websocket.MessageBinary, message)
			time.AfterFunc(goodbyeWait, cancel)
		})
	}
	impatient := time.AfterFunc(leaseWait, func() { send(forgery(uint64(i), 0, 4)) })
	defer impatient.Stop()
	h.read(ctx, socket, func(message []byte) {
		if m, err := wire.ParseLease(message); err == nil {
			h.lent.Add(1)
			send(forgery(m.Lease, m.First, int(m.Count)))
		}
	})
}
