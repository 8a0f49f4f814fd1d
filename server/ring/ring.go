// Package ring holds the frames from the playhead to the lead: which are lent, which came back, which may air.
//
// A ring is a plain state machine. It has no lock and no clock: its owner tells it where the playhead is, and may call
// it from one goroutine at a time. A frame moves through these states:
//
//	Free ──Lease──▶ Leased ──Fill──▶ Filled ──Approve──▶ Ready ──Air──▶ Aired
//	 ▲ ◀──Release───┘                  │                    │
//	 └───────────────Purge─────────────┴────────────────────┘
//
// A frame that is Filled can air on trust if it is excused from audits, and if all frames of its result that are not were
// audited. Air ends the life of a frame in any other state as Stalled. Frames behind the playhead leave the
// ring.
//
// Frame numbers do not wrap: the playhead must stay so low that the ring's end is a frame number too.
package ring

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

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

	free    []uint64         // a bit for each slot, set where it is free
	waiting [classes]stretch // where all frames are that wait for an audit, by class
}

type slot struct {
	state   wire.RingState
	audited bool
	claimed bool   // its audit is under way
	excused bool   // it needs no audit to air
	sampled bool   // its audit should come first
	owner   uint32 // who renders or rendered it
	result  *batch // what it came with; nil before, and where the server rendered it
	fill    uint64 // the number of its fill; 0 before
	holders [maxHolders]holder
}

// maxHolders is how many a frame can be lent to at once: one who has it, and one who is to hurry.
const maxHolders = 2

// A holder is a lease of a frame. Its zero value is none.
type holder struct {
	owner uint32
	lease uint64 // never 0
}

// A batch is the frames that came with one result.
type batch struct {
	lease uint64
	owed  int // frames that must be audited and are not; those that are lost unaudited count for ever
}

// lease returns the number of the lease that filled the slot, 0 where none did.
func (s *slot) lease() uint64 {
	if s.result == nil {
		return 0
	}
	return s.result.lease
}

// New returns a ring of size frames, at least 1, with the playhead at frame 0.
func New(size int) *Ring {
	if size < 1 {
		panic(fmt.Sprintf("ring: size %d, want at least 1", size))
	}
	r := &Ring{slots: make([]slot, size), packed: make([]byte, size*wire.PackedSize), free: make([]uint64, (size+63)/64)}
	r.clear()
	return r
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

// put sets the slot of frame n.
func (r *Ring) put(n uint64, s slot) {
	*r.slot(n) = s
	i := n % uint64(len(r.slots))
	if s.state == wire.RingFree {
		r.free[i/64] |= 1 << (i % 64)
	} else {
		r.free[i/64] &^= 1 << (i % 64)
	}
}

// clear frees all slots.
func (r *Ring) clear() {
	clear(r.slots)
	for i := range r.free {
		r.free[i] = math.MaxUint64
	}
	r.free[len(r.free)-1] >>= -len(r.slots) & 63 // there are no slots behind the last one
}

// nextFree returns the first frame from n on whose slot is free. Where there is none it is the horizon, or n behind that.
func (r *Ring) nextFree(n uint64) uint64 {
	size := uint64(len(r.slots))
	for n < r.End() {
		i := n % size
		if rest := r.free[i/64] >> (i % 64); rest != 0 {
			return min(n+uint64(bits.TrailingZeros64(rest)), r.End())
		}
		n = min(n+min(64-i%64, size-i), r.End())
	}
	return n
}

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
	r.clear()
	r.playhead, r.cursor = n, n
}

// Skip moves the cursor forward to frame n, at most to the horizon: the frames before it have aired already, as where a
// stream goes on from an earlier one.
func (r *Ring) Skip(n uint64) {
	for n = min(n, r.End()); r.cursor < n; r.cursor++ {
		r.put(r.cursor, slot{state: wire.RingAired})
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
		r.clear()
	} else {
		for ; r.playhead < n; r.playhead++ {
			r.put(r.playhead, slot{})
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
	first = r.nextFree(max(from, r.cursor))
	for n := first; n < r.End() && count < limit && r.slot(n).state == wire.RingFree; n++ {
		count++
	}
	return first, count
}

// Lease notes that owner renders count frames from first on for a lease, whose number is not 0. Frames that are lent
// already are lent once more, to two at the most; those that are there, or out of the ring, are left alone.
func (r *Ring) Lease(first uint64, count int, owner uint32, lease uint64) {
	begin, end := r.clip(first, count)
	for n := begin; n < end; n++ {
		s := *r.slot(n)
		i := slices.Index(s.holders[:], holder{})
		if s.state > wire.RingLeased || i < 0 {
			continue
		}
		s.state, s.owner = wire.RingLeased, owner
		s.holders[i] = holder{owner, lease}
		r.put(n, s)
	}
}

// Release ends a lease of count frames from first on. A frame that is lent to nobody any more is free.
func (r *Ring) Release(first uint64, count int, lease uint64) {
	begin, end := r.clip(first, count)
	for n := begin; n < end; n++ {
		s := r.slot(n)
		i := slices.IndexFunc(s.holders[:], func(h holder) bool { return h.lease == lease })
		if s.state != wire.RingLeased || i < 0 {
			continue
		}
		s.holders[i] = holder{}
		if other := s.holders[maxHolders-1-i]; other != (holder{}) {
			s.owner = other.owner
		} else {
			r.put(n, slot{})
		}
	}
}

// Missing reports whether frame n is yet to air and nobody has sent it.
func (r *Ring) Missing(n uint64) bool {
	return r.open(n) && r.slot(n).state <= wire.RingLeased
}
