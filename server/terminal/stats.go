package terminal

import "sync/atomic"

// Stats counts what happened to streams.
type Stats struct {
	opened, refused, skipped, slow, recordings atomic.Uint64
}

// A Snapshot is what a relay has counted since its start, but for Streams.
type Snapshot struct {
	Streams int    // open now
	Opened  uint64 // let in
	Refused uint64 // not let in, because there were too many
	Skipped uint64 // times that a slow reader missed frames
	Slow    uint64 // streams ended because a write took too long

	Recordings uint64 // handed out
}

// Stats returns what the relay has counted so far.
func (r *Relay) Stats() Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Snapshot{
		Streams: r.open, Opened: r.stats.opened.Load(), Refused: r.stats.refused.Load(),
		Skipped: r.stats.skipped.Load(), Slow: r.stats.slow.Load(),
		Recordings: r.stats.recordings.Load(),
	}
}
