package terminal

import (
	"sync/atomic"

	"github.com/distributed-donut/donut/server/gate"
)

// Stats counts what happened to streams.
type Stats struct {
	opened, skipped, slow, talked, recordings atomic.Uint64
	refused                                   gate.Tally
}

// A Snapshot is what a relay has counted since its start, but for Streams.
type Snapshot struct {
	Streams int               // open now
	Opened  uint64            // let in
	Refused map[string]uint64 // not let in, by the name of a gate.Refusal
	Skipped uint64            // times that a slow reader missed frames
	Slow    uint64            // streams ended because a write took too long
	Talked  uint64            // ended because their client sent something, while streams are only for listening

	Recordings uint64 // handed out
}

// Stats returns what the relay has counted so far.
func (r *Relay) Stats() Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Snapshot{
		Streams: r.open, Opened: r.stats.opened.Load(), Refused: r.stats.refused.ByName(),
		Skipped: r.stats.skipped.Load(), Slow: r.stats.slow.Load(), Talked: r.stats.talked.Load(),
		Recordings: r.stats.recordings.Load(),
	}
}
