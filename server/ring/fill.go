package ring

import (
	"bytes"

	"github.com/distributed-donut/donut/wasm/wire"
)

// A Result is what came back for a lease.
type Result struct {
	Owner  uint32 // not Server
	Lease  uint64
	First  uint64
	Packed []byte // pictures, wire.PackedSize bytes each
	// Must says which of them must be audited before any of them airs.
	Must []bool
	// Sample is the index of the one whose audit should come first.
	Sample int
}

// Fill keeps copies of those frames of a result that are still missing, and returns how many. They wait for their
// audits. A frame of which another copy is here already is compared with it: the first one that differs is disputed,
// and the copy that is here must be audited before it airs.
func (r *Ring) Fill(res Result) (kept int, disputed uint64, differs bool) {
	b := &batch{lease: res.Lease}
	count := len(res.Packed) / wire.PackedSize
	r.recheck(res.First, res.First+uint64(count))
	for i := range count {
		n, packed := res.First+uint64(i), res.Packed[i*wire.PackedSize:(i+1)*wire.PackedSize]
		if n < r.playhead || n >= r.End() {
			continue
		}
		s := r.slot(n)
		switch s.state {
		case wire.RingFree, wire.RingLeased:
			r.fills++
			r.put(n, slot{
				state: wire.RingFilled, excused: !res.Must[i], sampled: i == res.Sample, owner: res.Owner, result: b, fill: r.fills,
			})
			copy(r.bytes(n), packed)
			if !s.excused {
				b.owed++
			}
			kept++
		case wire.RingFilled, wire.RingReady, wire.RingAired:
			if differs || bytes.Equal(packed, r.bytes(n)) || s.fill == 0 {
				continue
			}
			disputed, differs = n, true
			if s.state == wire.RingFilled && s.excused {
				s.excused = false
				s.result.owed++
			}
		}
	}
	return kept, disputed, differs
}

// A Copy is one copy of a frame and where it came from.
type Copy struct {
	Packed  []byte // the ring's own where it is still there, and valid until its next change
	Owner   uint32
	Lease   uint64 // 0 where the server rendered it
	Claimed bool   // its audit is under way, or was
	Audited bool
}

// Copy returns the copy of a frame that is here, aired or not, and whether there is one.
func (r *Ring) Copy(n uint64) (Copy, bool) {
	if n < r.playhead || n >= r.End() || r.slot(n).fill == 0 {
		return Copy{}, false
	}
	s := r.slot(n)
	return Copy{Packed: r.bytes(n), Owner: s.owner, Lease: s.lease(), Claimed: s.claimed, Audited: s.audited}, true
}

// A Verdict says what became of a frame that the server rendered.
type Verdict uint8

// The verdicts of Supply.
const (
	// Unwanted: an audited copy is here, or none is wanted any more.
	Unwanted Verdict = iota
	// Taken: the frame was missing.
	Taken
	// Confirmed: a copy had come meanwhile, and it is the same. It counts as audited.
	Confirmed
	// Refuted: a copy had come meanwhile that is another picture. The server's has taken its place.
	Refuted
)

// Supply takes in a packed frame, wire.PackedSize long, that the server rendered itself, and that is right therefore.
// Where a copy was here that was not audited, it is returned as it was, with a picture of its own.
func (r *Ring) Supply(n uint64, packed []byte) (v Verdict, here Copy) {
	s := r.slot(n)
	if !r.open(n) || s.state > wire.RingFilled {
		return Unwanted, Copy{}
	}
	v = Taken
	if s.state == wire.RingFilled {
		here = Copy{Owner: s.owner, Lease: s.lease(), Claimed: s.claimed}
		if bytes.Equal(packed, r.bytes(n)) {
			s.approve()
			return Confirmed, here
		}
		v, here.Packed = Refuted, bytes.Clone(r.bytes(n))
	}
	r.fills++
	r.put(n, slot{state: wire.RingReady, audited: true, owner: Server, fill: r.fills})
	copy(r.bytes(n), packed[:wire.PackedSize])
	return v, here
}
