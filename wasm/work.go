package main

import (
	"github.com/distributed-donut/donut/wasm/wire"
)

// work is a lease that a thread is rendering, in slices, straight into its result.
type work struct {
	lease   wire.Lease
	count   int // frames to render, 0 before the first lease
	done    int
	message [wire.MaxResult]byte
}

func (w *work) begin(lease wire.Lease) {
	w.lease, w.count, w.done = lease, int(lease.Count), 0
}

func (w *work) left() int { return w.count - w.done }

func (w *work) renderNext() {
	useDetail(int(w.lease.Detail)) // a Render in between may have asked for another
	renderer.Render(&picture, w.lease.First+uint64(w.done))
	wire.Pack(w.frame(w.done), &picture)
	w.done++
}

// frame is where frame i of the lease stands in the message.
func (w *work) frame(i int) []byte {
	start := wire.MaxResult - wire.MaxChunk*wire.PackedSize + i*wire.PackedSize
	return w.message[start : start+wire.PackedSize]
}

// result completes the message and returns it; it is valid until the next begin.
func (w *work) result(spentMicros float64) []byte {
	m := wire.Result{Lease: w.lease.Lease, First: w.lease.First, Spent: uint32(max(0, min(spentMicros, 1<<32-1)))}
	header := m.AppendHeader(w.message[:0], w.count)
	return w.message[:len(header)+w.count*wire.PackedSize]
}
