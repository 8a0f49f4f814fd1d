package ring

import (
	"fmt"

	"github.com/distributed-donut/donut/wasm/wire"
)

// airable reports whether a frame may air as it is: where it may on trust, an audit of its own is not needed.
func (s *slot) airable(trust bool) bool {
	return s.state == wire.RingReady || trust && s.state == wire.RingFilled && s.excused && s.result.owed == 0
}

// A Frame is one frame as it airs.
type Frame struct {
	// Packed is the picture, nil where it was not there to air. It is the ring's own and valid until its next change.
	Packed []byte
	// Owner rendered the picture, and Audited says that it was found to be right. Both are zero where there is none.
	Owner   uint32
	Audited bool
}

// Complete reports whether the next count frames are all audited.
func (r *Ring) Complete(count int) bool {
	if uint64(count) > r.End()-r.cursor {
		return false
	}
	for n := r.cursor; n < r.cursor+uint64(count); n++ {
		if r.slot(n).state != wire.RingReady {
			return false
		}
	}
	return true
}

// Available reports whether count frames from first on are all in the ring, and have aired or could, with trust or
// without.
func (r *Ring) Available(first uint64, count int, trust bool) bool {
	if first < r.playhead || first > r.End() || uint64(count) > r.End()-first {
		return false
	}
	for n := first; n < first+uint64(count); n++ {
		if s := r.slot(n); s.state != wire.RingAired && !s.airable(trust) || s.fill == 0 {
			return false
		}
	}
	return true
}

// Air airs the next count frames, ready or not, and appends them to dst. The count must not reach behind the horizon.
// With trust, frames that are excused may air as well.
func (r *Ring) Air(count int, trust bool, dst []Frame) []Frame {
	if count < 0 || uint64(count) > r.End()-r.cursor {
		panic(fmt.Sprintf("ring: airing %d frames from %d on, but the ring ends at %d", count, r.cursor, r.End()))
	}
	for range count {
		s := r.slot(r.cursor)
		if s.airable(trust) {
			s.state = wire.RingAired
			dst = append(dst, Frame{Packed: r.bytes(r.cursor), Owner: s.owner, Audited: s.audited})
		} else {
			r.put(r.cursor, slot{state: wire.RingStalled})
			dst = append(dst, Frame{})
		}
		r.cursor++
	}
	return dst
}

// Lead returns the length of the unbroken stretch of frames from the playhead on that have aired or could now, with trust
// or without.
func (r *Ring) Lead(trust bool) (frames int) {
	for n := r.playhead; n < r.End(); n++ {
		if s := r.slot(n); s.state != wire.RingAired && !s.airable(trust) {
			break
		}
		frames++
	}
	return frames
}

// Picture returns the ring as viewers are shown it, in runs that it appends to runs.
func (r *Ring) Picture(runs []wire.RingRun) wire.Ring {
	start := len(runs)
	for n := r.playhead; n < r.End(); n++ {
		s := r.slot(n)
		if last := len(runs) - 1; last >= start && runs[last].State == s.state && runs[last].Owner == s.owner {
			runs[last].Count++
			continue
		}
		if len(runs)-start == wire.MaxRingRuns {
			break // nobody draws that fine
		}
		runs = append(runs, wire.RingRun{State: s.state, Owner: s.owner, Count: 1})
	}
	return wire.Ring{First: r.playhead, Runs: runs[start:]}
}
