package main

import (
	"testing"

	"github.com/distributed-donut/donut/wasm/wire"
)

// TestHonestWorkerIsFarFromTheLimit has a worker of as many threads as may be carry the stream at detail 1, under the
// tightest limit of all.
func TestHonestWorkerIsFarFromTheLimit(t *testing.T) {
	p := start(t, "-messages-per-connection", "1")
	worker := join(t, p, wire.MaxThreads)
	ended := make(chan error, 1)
	go func() { ended <- worker.play() }()
	// Of the ring's 600 frames a thread is lent a sixteenth at once, so this takes more answers than it may send messages.
	const frames = 12 * 600 / 16
	await(t, "it has rendered more than its messages would do for", func() bool {
		return p.statistic(t, "fleet_frames") > frames || len(ended) > 0
	})
	if len(ended) > 0 {
		t.Errorf("it was told %v, and ended with %v", worker.goodbye.Reason, <-ended)
	}
	if got := p.counters(t, "closed")["flooding"]; got != 0 {
		t.Errorf("%d connections are counted as flooding, want 0", got)
	}
}
