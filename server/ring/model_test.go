package ring

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/distributed-donut/donut/tools/seeds"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A model is the ring as one would write it without a thought of cost: a map without an end, in which every copy of a
// frame is an object of its own.
type model struct {
	frames           map[uint64]*frame // absent: free
	size             int
	playhead, cursor uint64
	turns            int // how many frames came
}

type frame struct {
	state   wire.RingState
	holders []holder // in the order in which it was lent
	owner   uint32
	lease   uint64
	turn    int // in the order in which frames came
	audited bool
	claimed bool
	excused bool
	sampled bool
	packed  []byte
	mates   *[]*frame // all frames that were kept of its result; nil for the server's
}

// airable says it as the documentation does.
func (f *frame) airable(trust bool) bool {
	switch {
	case f == nil:
		return false
	case f.state == wire.RingReady:
		return true
	case f.state != wire.RingFilled || !trust || !f.excused:
		return false
	}
	for _, mate := range *f.mates {
		if !mate.excused && !mate.audited {
			return false
		}
	}
	return true
}

func (f *frame) waits(class Class) bool {
	if f == nil || f.state != wire.RingFilled || f.claimed {
		return false
	}
	return class == Open || class == Owed && !f.excused || class == Sampled && f.sampled
}

func (m *model) end() uint64 { return m.playhead + uint64(m.size) }

func (m *model) state(n uint64) wire.RingState {
	if f, ok := m.frames[n]; ok {
		return f.state
	}
	return wire.RingFree
}

func (m *model) open(n uint64) bool { return m.cursor <= n && n < m.end() }

func (m *model) advance(n uint64) (lost uint64) {
	for ; m.playhead < n; m.playhead++ {
		delete(m.frames, m.playhead)
		if m.cursor == m.playhead {
			m.cursor++
			lost++
		}
	}
	return lost
}

func (m *model) lend(n uint64, h holder) {
	if !m.open(n) || m.state(n) > wire.RingLeased {
		return
	}
	f := m.frames[n]
	if f == nil {
		f = &frame{state: wire.RingLeased}
		m.frames[n] = f
	}
	if len(f.holders) < 2 {
		f.holders = append(f.holders, h)
		f.owner = h.owner
	}
}

func (m *model) release(n, lease uint64) {
	if !m.open(n) || m.state(n) != wire.RingLeased {
		return
	}
	f := m.frames[n]
	i := slices.IndexFunc(f.holders, func(h holder) bool { return h.lease == lease })
	if i < 0 {
		return
	}
	if f.holders = slices.Delete(f.holders, i, i+1); len(f.holders) == 0 {
		delete(m.frames, n)
		return
	}
	f.owner = f.holders[0].owner
}

// put puts a copy in the place of whatever is there.
func (m *model) put(n uint64, f *frame) {
	m.turns++
	f.turn = m.turns
	m.frames[n] = f
}

func (m *model) fill(res Result) (kept int, disputed uint64, differs bool) {
	mates := new([]*frame)
	for i := range res.Must {
		n := res.First + uint64(i)
		packed := res.Packed[i*wire.PackedSize : (i+1)*wire.PackedSize]
		here := m.frames[n]
		switch {
		case n < m.playhead || n >= m.end():
		case here != nil && here.packed != nil:
			if bytes.Equal(here.packed, packed) || differs {
				break
			}
			disputed, differs = n, true
			here.excused = here.excused && here.state != wire.RingFilled
		case m.open(n):
			f := &frame{
				state: wire.RingFilled, owner: res.Owner, lease: res.Lease, packed: packed, excused: !res.Must[i],
				sampled: i == res.Sample, mates: mates,
			}
			m.put(n, f)
			*mates = append(*mates, f)
			kept++
		}
	}
	return kept, disputed, differs
}

func (m *model) supply(n uint64, packed []byte) Verdict {
	here := m.frames[n]
	switch {
	case !m.open(n) || m.state(n) > wire.RingFilled:
		return Unwanted
	case m.state(n) < wire.RingFilled:
		m.put(n, &frame{state: wire.RingReady, audited: true, packed: packed})
		return Taken
	case bytes.Equal(here.packed, packed):
		here.state, here.audited = wire.RingReady, true
		return Confirmed
	}
	m.put(n, &frame{state: wire.RingReady, audited: true, packed: packed})
	return Refuted
}

// claim returns the frames that the next auditor gets.
func (m *model) claim(class Class, limit int) (first uint64, claimed []*frame) {
	for n := m.cursor; n < m.end() && len(claimed) < limit; n++ {
		f := m.frames[n]
		switch {
		case f.waits(class) && len(claimed) == 0:
			first, claimed = n, append(claimed, f)
		case f.waits(class) && f.mates == claimed[0].mates && f.turn == claimed[0].turn+len(claimed):
			claimed = append(claimed, f)
		case len(claimed) > 0:
			return first, claimed
		}
	}
	return first, claimed
}

// TestRandomFire calls a ring and its model in the same random way, and wants the same answers.
func TestRandomFire(t *testing.T) {
	const size = 24
	for seed := range seeds.Count(t, 20) {
		for _, base := range []uint64{0, 1<<40 - 50, math.MaxUint64 - 3000} {
			t.Run(fmt.Sprintf("seed %d from %d on", seed, base), func(t *testing.T) {
				fire(t, rand.New(rand.NewPCG(seed, base)), size, base)
			})
		}
	}
}

func fire(t *testing.T, rng *rand.Rand, size int, base uint64) {
	r := at(size, base)
	m := &model{frames: make(map[uint64]*frame), size: size, playhead: base, cursor: base}

	type audit struct {
		span   Span
		frames []*frame
	}
	var audits []audit
	var steps []string
	check := func(what string, got, want any) {
		if got != want {
			t.Helper()
			t.Fatalf("%s: got %v, want %v after\n%v", what, got, want, steps[max(0, len(steps)-12):])
		}
	}
	step := func(format string, args ...any) { steps = append(steps, fmt.Sprintf(format, args...)) }

	lastLease, lent := uint64(0), uint64(0)
	for i := range 600 {
		// A chunk around the window: now and then before the cursor or behind the end.
		first := m.playhead + rng.Uint64N(uint64(size)+6)
		if first >= 3 {
			first -= 3
		}
		count := 1 + rng.IntN(6)
		owner := uint32(1 + rng.IntN(4))
		switch op := rng.IntN(14); op {
		case 0, 1:
			lent++
			step("Lease(%d, %d, %d, %d)", first, count, owner, lent)
			r.Lease(first, count, owner, lent)
			for j := range uint64(count) {
				m.lend(first+j, holder{owner, lent})
			}
		case 2:
			lease := lent - min(lent, rng.Uint64N(8))
			step("Release(%d, %d, %d)", first, count, lease)
			r.Release(first, count, lease)
			for j := range uint64(count) {
				m.release(first+j, lease)
			}
		case 3, 4, 5, 6:
			lease := lastLease - min(lastLease, rng.Uint64N(3)) // now and then one that was answered before
			if rng.IntN(4) > 0 {
				lastLease++
				lease = lastLease
			}
			owner = uint32(1 + lease%4)
			res := result(first, count, owner, lease)
			res.Sample = rng.IntN(count)
			for j := range count {
				res.Must[j] = rng.IntN(3) == 0
				if rng.IntN(8) == 0 {
					copy(res.Packed[j*wire.PackedSize:], picture(first+uint64(j), byte(i)))
				}
			}
			step("Fill(%d.., %d) of %d for %d, must %v", first, count, owner, lease, res.Must)
			kept, disputed, differs := r.Fill(res)
			wantKept, wantDisputed, wantDiffers := m.fill(res)
			check("frames kept", kept, wantKept)
			check("a dispute", differs, wantDiffers)
			check("disputed frame", disputed, wantDisputed)
		case 7:
			packed := picture(first, byte(1+rng.IntN(4)))
			step("Supply(%d)", first)
			got, here := r.Supply(first, packed)
			was := m.frames[first]
			check("Supply", got, m.supply(first, packed))
			if got == Confirmed || got == Refuted {
				check("owner of the copy that was here", here.Owner, was.owner)
				check("lease of the copy that was here", here.Lease, was.lease)
				check("claim of the copy that was here", here.Claimed, was.claimed)
			}
		case 8, 9:
			limit, class := 1+rng.IntN(8), Class(rng.IntN(3))
			step("Claim(%d, %d)", class, limit)
			span, packed := r.Claim(class, limit, nil)
			first, claimed := m.claim(class, limit)
			check("claimed frames", span.Count, len(claimed))
			if len(claimed) == 0 {
				break
			}
			check("first claimed frame", span.First, first)
			var want []byte
			for _, f := range claimed {
				check("owner of a claimed frame", span.Owner, f.owner)
				check("lease of a claimed frame", span.Lease, f.lease)
				f.claimed = true
				want = append(want, f.packed...)
			}
			check("claimed pictures are right", bytes.Equal(packed, want), true)
			audits = append(audits, audit{span, claimed})
		case 10, 11:
			if len(audits) == 0 {
				break
			}
			k := rng.IntN(len(audits))
			a := audits[k]
			audits = slices.Delete(audits, k, k+1)
			good := rng.IntN(4) > 0
			step("Approve or disclaim (%v) %+v", good, a.span)
			if good {
				r.Approve(a.span)
			} else {
				r.Disclaim(a.span)
			}
			for j, f := range a.frames {
				n := a.span.First + uint64(j)
				if m.frames[n] != f || !m.open(n) || f.state != wire.RingFilled {
					continue // another copy, or none
				}
				if f.claimed = good; good {
					f.state, f.audited = wire.RingReady, true
				}
			}
		case 12:
			lease := lastLease - min(lastLease, rng.Uint64N(8))
			owner = uint32(1 + lease%4)
			if rng.IntN(3) > 0 {
				break
			}
			step("Purge(%d, %d)", owner, lease)
			purged := 0
			for n := m.cursor; n < m.end(); n++ {
				f := m.frames[n]
				if f == nil || f.owner != owner || f.state < wire.RingFilled {
					continue
				}
				if unaudited := !f.audited; unaudited || f.lease == lease {
					delete(m.frames, n) // its result has lost it for ever
					purged++
				}
			}
			check("Purge", r.Purge(owner, lease), purged)
		case 13:
			if rng.IntN(40) == 0 {
				n := m.playhead + rng.Uint64N(30)
				step("Reset(%d)", n)
				r.Reset(n)
				m.playhead, m.cursor = n, n
				clear(m.frames)
				break
			}
			count := min(rng.IntN(6), int(m.end()-m.cursor))
			trust := rng.IntN(2) == 0
			step("Air(%d, %v)", count, trust)
			complete := true
			for n := m.cursor; n < m.cursor+uint64(count); n++ {
				complete = complete && m.state(n) == wire.RingReady
			}
			check("Complete", r.Complete(count), complete)
			for _, got := range r.Air(count, trust, nil) {
				f := m.frames[m.cursor]
				if f.airable(trust) {
					check("aired picture is right", bytes.Equal(got.Packed, f.packed), true)
					check("aired owner", got.Owner, f.owner)
					check("aired as audited", got.Audited, f.audited)
					f.state = wire.RingAired
				} else {
					check("a hole has no picture", got.Packed == nil, true)
					m.frames[m.cursor] = &frame{state: wire.RingStalled}
				}
				m.cursor++
			}
			if to := m.cursor - min(m.cursor, rng.Uint64N(12)) + rng.Uint64N(4); rng.IntN(2) == 0 {
				step("Advance(%d)", to)
				check("Advance", r.Advance(to), m.advance(to))
			}
		}
		m.compare(check, r)
	}
}

// compare holds everything that can be asked of a ring against the model.
func (m *model) compare(check func(what string, got, want any), r *Ring) {
	check("Playhead", r.Playhead(), m.playhead)
	check("Cursor", r.Cursor(), m.cursor)
	n := r.Playhead()
	for _, run := range r.Picture(nil).Runs {
		for range run.Count {
			owner := uint32(0)
			if f := m.frames[n]; f != nil {
				owner = f.owner
			}
			check(fmt.Sprintf("state of frame %d", n), run.State, m.state(n))
			check(fmt.Sprintf("owner of frame %d", n), run.Owner, owner)
			check(fmt.Sprintf("Missing(%d)", n), r.Missing(n), m.open(n) && m.state(n) <= wire.RingLeased)
			here, ok := r.Copy(n)
			f := m.frames[n]
			check(fmt.Sprintf("Copy(%d)", n), ok, f != nil && f.packed != nil)
			if ok {
				check("owner of a copy", here.Owner, f.owner)
				check("lease of a copy", here.Lease, f.lease)
				check("copy is audited", here.Audited, f.audited)
				check("picture of a copy is right", bytes.Equal(here.Packed, f.packed), true)
			}
			n++
		}
	}
	check("end of the picture", n, m.end())

	for _, trust := range []bool{false, true} {
		lead := 0
		for n := m.playhead; n < m.end() && (m.frames[n].airable(trust) || m.state(n) == wire.RingAired); n++ {
			lead++
		}
		check("Lead", r.Lead(trust), lead)
	}

	first := m.cursor
	for first < m.end() && m.state(first) != wire.RingFree {
		first++
	}
	count := 0
	for n := first; n < m.end() && m.state(n) == wire.RingFree; n++ {
		count++
	}
	gotFirst, gotCount := r.FreeRun(0, m.size)
	check("first free frame", gotFirst, first)
	check("free frames", gotCount, count)
}
