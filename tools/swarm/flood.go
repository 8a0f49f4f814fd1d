package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// maxFlood is how many may send what is of no use, and maxFloodRate how many messages each of them a second.
	maxFlood     = 5_000
	maxFloodRate = 1_000
	// floodBeat is how often each of them sends what is due by then.
	floodBeat = 100 * time.Millisecond
)

// flood plays flooder number i, who comes again when it is sent away. Every other one probes, and those in between
// offer a thread and answer the first lease that they get again and again.
func (h *hostiles) flood(ctx context.Context, c *crowd, i int) {
	arrival := time.Duration(i) * spacing
	for rest(ctx, min(arrival, c.cfg.duration/4)) {
		h.pour(ctx, c, i)
		arrival = comeBack
	}
}

// pour sends over one connection, until it ends.
func (h *hostiles) pour(ctx context.Context, c *crowd, i int) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	socket := h.join(ctx, c, flooder, i, i%2)
	if socket == nil {
		return
	}
	defer socket.CloseNow()
	var answer atomic.Pointer[[]byte] // to a lease, once there was one
	var newest atomic.Uint64          // broadcast
	var sending sync.WaitGroup
	defer sending.Wait()
	defer cancel()
	sending.Go(func() {
		defer cancel() // a connection that takes nothing more is over
		h.beat(ctx, c.cfg.floodRate, func() error {
			if result := answer.Load(); result != nil {
				return socket.Write(ctx, websocket.MessageBinary, *result)
			}
			return socket.Write(ctx, websocket.MessageBinary, wire.Probe{Ack: newest.Load()}.Append(nil))
		})
	})
	h.read(ctx, socket, func(message []byte) {
		if m, err := wire.ParseBroadcast(message); err == nil {
			if header, err := codec.ParseHeader(m.Stream); err == nil {
				newest.Store(header.Number)
			}
		} else if m, err := wire.ParseLease(message); err == nil && answer.Load() == nil {
			h.lent.Add(1)
			answer.Store(new(c.honest(m)))
		}
	})
}

// beat sends so many messages a second, until one cannot be sent or ctx is done. Who is late makes up for it.
func (h *hostiles) beat(ctx context.Context, perSecond float64, send func() error) {
	ticker := time.NewTicker(floodBeat)
	defer ticker.Stop()
	start, sent := time.Now(), 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for due := int(time.Since(start).Seconds() * perSecond); sent < due; sent++ {
			if send() != nil {
				return
			}
			h.messages.Add(1)
		}
	}
}

// honest returns the right answer to a lease.
func (c *crowd) honest(m wire.Lease) []byte {
	r := donut.NewRenderer(int(m.Detail))
	result := wire.Result{Lease: m.Lease, First: m.First, Spent: 1000, Frames: make([]byte, int(m.Count)*wire.PackedSize)}
	var picture donut.Picture
	for i := range int(m.Count) {
		r.Render(&picture, m.First+uint64(i))
		wire.Pack(result.Frames[i*wire.PackedSize:], &picture)
	}
	return result.Append(nil)
}
