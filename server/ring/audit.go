package ring

import "github.com/distributed-donut/donut/wasm/wire"

// approve makes a frame that is Filled ready.
func (s *slot) approve() {
	s.state, s.audited = wire.RingReady, true
	if !s.excused {
		s.result.owed--
	}
}

// A Class is a kind of frames that wait for an audit.
type Class uint8

// The classes.
const (
	// Open frames wait for any audit.
	Open Class = iota
	// Owed ones must be audited before they air, or before others of their result do.
	Owed
	// Sampled ones should be audited at once, so that who forges is found early.
	Sampled

	classes = iota
)

// A Span names frames that one lease filled and whose audit is under way.
type Span struct {
	First uint64
	Count int
	Owner uint32
	Lease uint64
	fill  uint64 // of the first frame; those that are still the same ones have consecutive numbers from here on
}

// Unaudited returns the earliest frame of a class that waits for its audit, and whether there is one.
func (r *Ring) Unaudited(class Class) (n uint64, ok bool) {
	w := &r.waiting[class]
	for n = max(w.begin, r.cursor); n < min(w.end, r.End()); n++ {
		if r.waits(n, class) {
			w.begin = n
			return n, true
		}
	}
	*w = stretch{}
	return 0, false
}

// A stretch is frames from begin on and before end.
type stretch struct{ begin, end uint64 }

// recheck notes that the frames from begin on and before end may wait for their audits.
func (r *Ring) recheck(begin, end uint64) {
	for class, w := range r.waiting {
		if w.begin < w.end {
			r.waiting[class] = stretch{min(w.begin, begin), max(w.end, end)}
		} else {
			r.waiting[class] = stretch{begin, end}
		}
	}
}

// Owes reports whether frame n is here and must still be audited.
func (r *Ring) Owes(n uint64) bool {
	return r.open(n) && r.slot(n).state == wire.RingFilled && !r.slot(n).excused
}

// waits reports whether frame n, which is in the ring, is filled, of the class, and with no auditor.
func (r *Ring) waits(n uint64, class Class) bool {
	s := r.slot(n)
	return s.state == wire.RingFilled && !s.claimed && (class == Open || class == Owed && !s.excused || class == Sampled && s.sampled)
}

// Claim gives the earliest frames of a class to an auditor: at most limit of them, which follow each other and came from
// one lease. It appends their packed pictures to dst. The count is 0 where none wait.
func (r *Ring) Claim(class Class, limit int, dst []byte) (Span, []byte) {
	n, ok := r.Unaudited(class)
	if !ok {
		return Span{}, dst
	}
	head := r.slot(n)
	span := Span{First: n, Owner: head.owner, Lease: head.lease(), fill: head.fill}
	for ; n < r.End() && span.Count < limit && r.waits(n, class); n++ {
		s := r.slot(n)
		if s.result != head.result || s.fill != span.fill+uint64(span.Count) {
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
	r.each(span, (*slot).approve)
}

// Disclaim puts the frames of a claimed span back: the audit came to no result.
func (r *Ring) Disclaim(span Span) {
	r.each(span, func(s *slot) { s.claimed = false })
	r.recheck(span.First, span.First+uint64(span.Count))
}

// Purge frees the frames of owner that have neither aired nor been audited, and all frames of the given lease that have
// not aired. It returns how many.
func (r *Ring) Purge(owner uint32, lease uint64) (purged int) {
	for n := r.cursor; n < r.End(); n++ {
		s := r.slot(n)
		if (s.state == wire.RingFilled || s.state == wire.RingReady) && s.owner == owner && (!s.audited || s.lease() == lease) {
			r.put(n, slot{})
			purged++
		}
	}
	return purged
}
