// Package ring holds the frames from the playhead to the lead: which are lent, which came back, which may air.
//
// A ring is a plain state machine. It has no lock and no clock: its owner tells it where the playhead is, and may call
// it from one goroutine at a time. A frame moves through these states:
//
//	Free ──Lease──▶ Leased ──Fill──▶ Filled ──Approve──▶ Ready ──Air──▶ Aired
//	 ▲ ◀──Release───┘                  │                    │
//	 └───────────────Purge─────────────┴────────────────────┘
//
// Air ends the life of a frame in any other state as Stalled. Frames behind the playhead leave the ring.
//
// Frame numbers do not wrap: the playhead must stay so low that the ring's end is a frame number too.
package ring

import (
	"fmt"
	"math"

	"github.com/distributed-donut/donut/wasm/wire"
)

// Server is the owner of frames that the server rendered itself. Connections are numbered from 1.
const Server uint32 = 0

// A Ring is a window of consecutive frames. New makes one.
type Ring struct {
	slots  []slot // frame n is in slot n % len(slots)
	packed []byte // slot i's frame is packed[i*PackedSize:][:PackedSize]

	playhead uint64 // the first frame in the ring
	cursor   uint64 // the first frame that has neither aired nor stalled; never before playhead
	fills    uint64 // how often a frame was filled, which numbers the fills
}

type slot struct {
	state   wire.RingState
	audited bool
	claimed bool   // its audit is under way
	leases  uint8  // how many hold a frame that is Leased, at most 255
	owner   uint32 // who renders or rendered it
	result  uint64 // the lease that filled it
	fill    uint64 // the number of that fill; 0 before
}

// New returns a ring of size frames, at least 1, with the playhead at frame 0.
func New(size int) *Ring {
	if size < 1 {
		panic(fmt.Sprintf("ring: size %d, want at least 1", size))
	}
	return &Ring{slots: make([]slot, size), packed: make([]byte, size*wire.PackedSize)}
}

// Size returns how many frames the ring holds.
func (r *Ring) Size() int { return len(r.slots) }

// Playhead returns the first frame in the ring.
func (r *Ring) Playhead() uint64 { return r.playhead }

// Cursor returns the next frame to air.
func (r *Ring) Cursor() uint64 { return r.cursor }

// End returns the first frame behind the ring's horizon.
func (r *Ring) End() uint64 { return r.playhead + uint64(len(r.slots)) }

func (r *Ring) slot(n uint64) *slot { return &r.slots[n%uint64(len(r.slots))] }

func (r *Ring) bytes(n uint64) []byte {
	i := int(n%uint64(len(r.slots))) * wire.PackedSize
	return r.packed[i : i+wire.PackedSize : i+wire.PackedSize]
}

// open reports whether frame n is in the ring and yet to air.
func (r *Ring) open(n uint64) bool { return n >= r.cursor && n < r.End() }

// clip returns which of count frames from first on are open: those from begin on and before end.
func (r *Ring) clip(first uint64, count int) (begin, end uint64) {
	if first >= r.End() {
		return r.End(), r.End()
	}
	return max(first, r.cursor), first + min(uint64(count), r.End()-first)
}

// check panics where the playhead cannot be at frame n.
func (r *Ring) check(n uint64) {
	if n > math.MaxUint64-uint64(len(r.slots)) {
		panic(fmt.Sprintf("ring: playhead at %d, but the last frame number is %d", n, uint64(math.MaxUint64)))
	}
}

// Reset empties the ring and puts playhead and cursor at frame n.
func (r *Ring) Reset(n uint64) {
	r.check(n)
	clear(r.slots)
	r.playhead, r.cursor = n, n
}

// Skip moves the cursor forward to frame n, at most to the horizon: the frames before it have aired already, as where a
// stream goes on from an earlier one.
func (r *Ring) Skip(n uint64) {
	for n = min(n, r.End()); r.cursor < n; r.cursor++ {
		*r.slot(r.cursor) = slot{state: wire.RingAired}
	}
}

// Advance moves the playhead forward to frame n; it never moves back. It returns how many frames the playhead passed
// that were still to air. They are gone.
func (r *Ring) Advance(n uint64) (lost uint64) {
	if n <= r.playhead {
		return 0
	}
	r.check(n)
	if n-r.playhead >= uint64(len(r.slots)) {
		clear(r.slots)
	} else {
		for ; r.playhead < n; r.playhead++ {
			*r.slot(r.playhead) = slot{}
		}
	}
	r.playhead = n
	if r.cursor < n {
		lost, r.cursor = n-r.cursor, n
	}
	return lost
}

// FreeRun returns the earliest run of free frames that starts at frame from or later and is yet to air: its first
// frame and its length, at most limit. The length is 0 where there is none.
func (r *Ring) FreeRun(from uint64, limit int) (first uint64, count int) {
	n := max(from, r.cursor)
	for n < r.End() && r.slot(n).state != wire.RingFree {
		n++
	}
	first = n
	for n < r.End() && count < limit && r.slot(n).state == wire.RingFree {
		n++
		count++
	}
	return first, count
}

// Lease notes that owner renders count frames from first on. Frames that are already lent are lent once more; those
// that are there, or out of the ring, are left alone.
func (r *Ring) Lease(first uint64, count int, owner uint32) {
	begin, end := r.clip(first, count)
	for n := begin; n < end; n++ {
		if s := r.slot(n); s.state <= wire.RingLeased {
			s.state, s.owner = wire.RingLeased, owner
			s.leases++
		}
	}
}

// Release takes back one lease of each of count frames from first on. A frame that is lent to nobody any more is free.
func (r *Ring) Release(first uint64, count int) {
	begin, end := r.clip(first, count)
	for n := begin; n < end; n++ {
		if s := r.slot(n); s.state == wire.RingLeased {
			if s.leases--; s.leases == 0 {
				*s = slot{}
			}
		}
	}
}

// Fill keeps a copy of a packed frame, wire.PackedSize long, that came back for a lease. It waits for its audit. Fill
// reports false, and does nothing, where the frame is already there or no longer wanted.
func (r *Ring) Fill(n uint64, packed []byte, owner uint32, lease uint64) bool {
	s := r.slot(n)
	if !r.open(n) || s.state > wire.RingLeased {
		return false
	}
	r.fills++
	*s = slot{state: wire.RingFilled, owner: owner, result: lease, fill: r.fills}
	copy(r.bytes(n), packed[:wire.PackedSize])
	return true
}

// Supply keeps a copy of a packed frame, wire.PackedSize long, that the server rendered itself. It is ready at once, and
// takes the place of one that is not audited yet. It reports false, and does nothing, where a ready one is there or none is wanted.
func (r *Ring) Supply(n uint64, packed []byte) bool {
	s := r.slot(n)
	if !r.open(n) || s.state > wire.RingFilled {
		return false
	}
	r.fills++
	*s = slot{state: wire.RingReady, audited: true, owner: Server, fill: r.fills}
	copy(r.bytes(n), packed[:wire.PackedSize])
	return true
}

// A Span names frames that one lease filled and whose audit is under way.
type Span struct {
	First uint64
	Count int
	Owner uint32
	Lease uint64
	fill  uint64 // of the first frame; those that are still the same ones have consecutive numbers from here on
}

// Unaudited returns the earliest frame that waits for its audit, and whether there is one.
func (r *Ring) Unaudited() (n uint64, ok bool) {
	for n = r.cursor; n < r.End(); n++ {
		if r.waits(n) {
			return n, true
		}
	}
	return 0, false
}

// waits reports whether frame n, which is in the ring, is filled and with no auditor.
func (r *Ring) waits(n uint64) bool {
	s := r.slot(n)
	return s.state == wire.RingFilled && !s.claimed
}

// Claim gives the earliest frames that wait for their audit to an auditor: at most limit of them, which came from one
// lease. It appends their packed pictures to dst. The count is 0 where none wait.
func (r *Ring) Claim(limit int, dst []byte) (Span, []byte) {
	n, ok := r.Unaudited()
	if !ok {
		return Span{}, dst
	}
	head := r.slot(n)
	span := Span{First: n, Owner: head.owner, Lease: head.result, fill: head.fill}
	for ; n < r.End() && span.Count < limit && r.waits(n); n++ {
		s := r.slot(n)
		if s.result != span.Lease || s.fill != span.fill+uint64(span.Count) {
			break
		}
		s.claimed = true
		dst = append(dst, r.bytes(n)...)
		span.Count++
	}
	return span, dst
}

// each calls f for the frames of a span that are still the ones that it names and have not aired.
func (r *Ring) each(span Span, f func(*slot)) {
	for i := range uint64(span.Count) {
		n := span.First + i
		if s := r.slot(n); r.open(n) && s.state == wire.RingFilled && s.fill == span.fill+i {
			f(s)
		}
	}
}

// Approve makes the frames of a claimed span ready: they are what they should be.
func (r *Ring) Approve(span Span) {
	r.each(span, func(s *slot) { s.state, s.audited = wire.RingReady, true })
}

// Disclaim puts the frames of a claimed span back: the audit came to no result.
func (r *Ring) Disclaim(span Span) {
	r.each(span, func(s *slot) { s.claimed = false })
}

// Missing reports whether frame n is yet to air and nobody has sent it.
func (r *Ring) Missing(n uint64) bool {
	return r.open(n) && r.slot(n).state <= wire.RingLeased
}

// Purge frees the frames of owner that have neither aired nor been audited, and all frames of the given lease that have
// not aired. It returns how many.
func (r *Ring) Purge(owner uint32, lease uint64) (purged int) {
	for n := r.cursor; n < r.End(); n++ {
		s := r.slot(n)
		if (s.state == wire.RingFilled || s.state == wire.RingReady) && s.owner == owner && (!s.audited || s.result == lease) {
			*s = slot{}
			purged++
		}
	}
	return purged
}

// A Frame is one frame as it airs.
type Frame struct {
	// Packed is the picture, nil where it was not there to air. It is the ring's own and valid until its next change.
	Packed []byte
	// Owner rendered the picture, and Audited says that it was found to be right. Both are zero where there is none.
	Owner   uint32
	Audited bool
}

// Complete reports whether the next count frames are all ready to air.
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

// Air airs the next count frames, ready or not, and appends them to dst. The count must not reach behind the horizon.
func (r *Ring) Air(count int, dst []Frame) []Frame {
	if count < 0 || uint64(count) > r.End()-r.cursor {
		panic(fmt.Sprintf("ring: airing %d frames from %d on, but the ring ends at %d", count, r.cursor, r.End()))
	}
	for range count {
		s := r.slot(r.cursor)
		if s.state == wire.RingReady {
			s.state = wire.RingAired
			dst = append(dst, Frame{Packed: r.bytes(r.cursor), Owner: s.owner, Audited: s.audited})
		} else {
			*s = slot{state: wire.RingStalled}
			dst = append(dst, Frame{})
		}
		r.cursor++
	}
	return dst
}

// Lead returns the length of the unbroken stretch of frames from the playhead on that have aired or are ready to.
func (r *Ring) Lead() (frames int) {
	for n := r.playhead; n < r.End(); n++ {
		if s := r.slot(n).state; s != wire.RingReady && s != wire.RingAired {
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
