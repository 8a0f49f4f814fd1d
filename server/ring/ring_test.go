package ring

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"testing"

	"github.com/distributed-donut/donut/wasm/wire"
)

// bases are where a ring of size frames is tried out: where frame numbers begin, where a 32-bit number or a float would
// go wrong, and where they end.
func bases(size int) []uint64 {
	return []uint64{0, 1, 1<<32 - 3, 1<<40 - 5, 1<<53 - 1, math.MaxUint64 - uint64(size) - 64, math.MaxUint64 - uint64(size)}
}

// at returns a ring of size frames with the playhead at frame n.
func at(size int, n uint64) *Ring {
	r := New(size)
	r.Reset(n)
	return r
}

// picture returns bytes that no other frame and no other copy has.
func picture(n uint64, version byte) []byte {
	b := bytes.Repeat([]byte{version}, wire.PackedSize)
	binary.LittleEndian.PutUint64(b, n)
	binary.LittleEndian.PutUint64(b[wire.PackedSize-8:], ^n)
	return b
}

// fill fills count frames from first on, and fails the test where one is refused.
func fill(t *testing.T, r *Ring, first uint64, count int, owner uint32, lease uint64) {
	t.Helper()
	if kept, _, _ := r.Fill(result(first, count, owner, lease)); kept != count {
		t.Fatalf("%d of %d frames of lease %d are kept", kept, count, lease)
	}
}

// result is one whose frames must all be audited, each a picture of its owner's.
func result(first uint64, count int, owner uint32, lease uint64) Result {
	res := Result{Owner: owner, Lease: lease, First: first, Must: make([]bool, count), Sample: -1}
	for i := range count {
		res.Packed = append(res.Packed, picture(first+uint64(i), byte(owner))...)
		res.Must[i] = true
	}
	return res
}

// put fills one frame with a picture, and reports whether it was kept.
func put(r *Ring, n uint64, packed []byte, owner uint32, lease uint64) bool {
	kept, _, _ := r.Fill(Result{Owner: owner, Lease: lease, First: n, Packed: packed, Must: []bool{true}, Sample: -1})
	return kept == 1
}

// supply puts in a frame of the server's, and reports whether it was kept.
func supply(r *Ring, n uint64, packed []byte) bool {
	v, _ := r.Supply(n, packed)
	return v == Taken || v == Refuted
}

// ready fills count frames from first on and approves them.
func ready(t *testing.T, r *Ring, first uint64, count int, owner uint32, lease uint64) {
	t.Helper()
	fill(t, r, first, count, owner, lease)
	span, _ := r.Claim(Open, count, nil)
	if span.First != first || span.Count != count {
		t.Fatalf("claimed %d frames from %d on, want %d from %d on", span.Count, span.First, count, first)
	}
	r.Approve(span)
}

// states draws the ring as one letter a frame: free, leased, filled (F), ready, aired and stalled.
func states(r *Ring) string {
	var b []byte
	for _, run := range r.Picture(nil).Runs {
		b = append(b, bytes.Repeat([]byte{".lFras"[run.State]}, int(run.Count))...)
	}
	return string(b)
}

func wantStates(t *testing.T, r *Ring, want string) {
	t.Helper()
	if got := states(r); got != want {
		t.Errorf("the ring is %s, want %s", got, want)
	}
}

func mustPanic(t *testing.T, what string, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	f()
}

func TestFrameMovesThroughItsStates(t *testing.T) {
	const n = 2 // of the ring's frames 0..3; frames 0 and 1 stay free
	lease := func(r *Ring) { r.Lease(n, 1, 7, 7) }
	release := func(r *Ring) { r.Release(n, 1, 7) }
	filled := func(r *Ring) { put(r, n, picture(n, 7), 7, 70) }
	supplied := func(r *Ring) { r.Supply(n, picture(n, 0)) }
	approve := func(r *Ring) { span, _ := r.Claim(Open, 1, nil); r.Approve(span) }
	disclaim := func(r *Ring) { span, _ := r.Claim(Open, 1, nil); r.Disclaim(span) }
	purge := func(r *Ring) { r.Purge(7, 70) }
	purgeOther := func(r *Ring) { r.Purge(8, 80) }
	air := func(r *Ring) { r.Air(3, false, nil) }

	for _, c := range []struct {
		name  string
		steps []func(*Ring)
		want  string
	}{
		{"a new ring is free", nil, "...."},
		{"a free frame is leased", []func(*Ring){lease}, "..l."},
		{"a free frame is not released", []func(*Ring){release}, "...."},
		{"a frame is filled without a lease", []func(*Ring){filled}, "..F."},
		{"a free frame is supplied", []func(*Ring){supplied}, "..r."},
		{"a leased frame is released", []func(*Ring){lease, release}, "...."},
		{"a leased frame is filled", []func(*Ring){lease, filled}, "..F."},
		{"a leased frame is supplied", []func(*Ring){lease, supplied}, "..r."},
		{"a leased frame is not purged", []func(*Ring){lease, purge}, "..l."},
		{"a leased frame has no audit", []func(*Ring){lease, approve}, "..l."},
		{"a filled frame is not leased", []func(*Ring){filled, lease}, "..F."},
		{"a filled frame is not released", []func(*Ring){lease, filled, release}, "..F."},
		{"a filled frame is supplied", []func(*Ring){filled, supplied}, "..r."},
		{"a filled frame is approved", []func(*Ring){filled, approve}, "..r."},
		{"a filled frame stays so without a result of its audit", []func(*Ring){filled, disclaim}, "..F."},
		{"a filled frame is approved in a second audit", []func(*Ring){filled, disclaim, approve}, "..r."},
		{"a filled frame is purged", []func(*Ring){filled, purge}, "...."},
		{"a ready frame is not leased", []func(*Ring){filled, approve, lease}, "..r."},
		{"a ready frame is not released", []func(*Ring){filled, approve, release}, "..r."},
		{"a ready frame of a bad lease is purged", []func(*Ring){filled, approve, purge}, "...."},
		{"a ready frame of others is not purged", []func(*Ring){filled, approve, purgeOther}, "..r."},
		{"a purged frame is leased again", []func(*Ring){filled, approve, purge, lease}, "..l."},
		{"a ready frame airs", []func(*Ring){filled, approve, air}, "ssa."},
		{"a supplied frame airs", []func(*Ring){supplied, air}, "ssa."},
		{"a free frame stalls", []func(*Ring){air}, "sss."},
		{"a leased frame stalls", []func(*Ring){lease, air}, "sss."},
		{"a filled frame stalls", []func(*Ring){filled, air}, "sss."},
		{"an aired frame changes no more", []func(*Ring){supplied, air, lease, release, filled, supplied, approve, purge}, "ssa."},
		{"a stalled frame changes no more", []func(*Ring){air, lease, release, filled, supplied, approve, purge}, "sss."},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(4)
			for _, step := range c.steps {
				step(r)
			}
			wantStates(t, r, c.want)
		})
	}
}

func TestWindowHoldsExactlyItsFrames(t *testing.T) {
	const size = 8
	for _, base := range bases(size) {
		t.Run(fmt.Sprint(base), func(t *testing.T) {
			r := at(size, base)
			if r.Playhead() != base || r.Cursor() != base || r.End() != base+size || r.Size() != size {
				t.Fatalf("the ring is %d, %d, %d, size %d", r.Playhead(), r.Cursor(), r.End(), r.Size())
			}
			for _, n := range []uint64{base - 1, base - size, base + size, base + 2*size, base + 1<<63} {
				if n >= base && n < base+size {
					continue
				}
				r.Lease(n, 1, 1, 1)
				if r.Missing(n) || put(r, n, picture(n, 1), 1, 1) || supply(r, n, picture(n, 0)) {
					t.Errorf("frame %d is taken for one of the ring", n)
				}
			}
			wantStates(t, r, "........")
			before := base - 4 // which is far behind the horizon where it wraps
			r.Lease(before, 3*size, 1, 1)
			if before < base {
				wantStates(t, r, "llllllll")
			} else {
				wantStates(t, r, "........")
			}
			r.Release(before, 3*size, 1)
			wantStates(t, r, "........")
			for i := range uint64(size) {
				n := base + i
				if !r.Missing(n) || !supply(r, n, picture(n, 0)) || r.Missing(n) {
					t.Errorf("frame %d is not taken", n)
				}
			}
			for i, f := range r.Air(size, false, nil) {
				if n := base + uint64(i); !bytes.Equal(f.Packed, picture(n, 0)) {
					t.Errorf("frame %d airs as another", n)
				}
			}
		})
	}
}

func TestRingRefusesNumbersThatWouldWrap(t *testing.T) {
	const last = math.MaxUint64 - 8
	mustPanic(t, "Reset behind the last playhead", func() { New(8).Reset(last + 1) })
	mustPanic(t, "Advance behind the last playhead", func() { New(8).Advance(last + 1) })
	r := at(8, last-3)
	if lost := r.Advance(last); lost != 3 || r.Playhead() != last {
		t.Errorf("advanced to %d with %d lost, want to %d with 3", r.Playhead(), lost, uint64(last))
	}
	if first, count := r.FreeRun(0, 100); first != last || count != 8 {
		t.Errorf("free are %d frames from %d on, want 8 from %d on", count, first, uint64(last))
	}
	if r.Complete(9) || r.Complete(math.MaxInt) {
		t.Error("frames behind the horizon are complete")
	}
	mustPanic(t, "a ring of no frames", func() { New(0) })
}

func TestSlotIsEmptyWhenTheNextFrameTakesIt(t *testing.T) {
	for _, step := range []uint64{1, 3, 7, 8, 9, 1000} {
		r := at(8, 100)
		ready(t, r, 100, 8, 3, 30)
		r.Advance(100 + step)
		kept := 8 - int(min(8, step))
		want := bytes.Repeat([]byte("r"), kept)
		want = append(want, bytes.Repeat([]byte("."), 8-kept)...)
		wantStates(t, r, string(want))
		for n := r.Playhead() + uint64(kept); n < r.End(); n++ {
			if !r.Missing(n) {
				t.Errorf("after %d steps frame %d is not missing", step, n)
			}
		}
	}
}

func TestFillKeepsACopy(t *testing.T) {
	for _, c := range []struct {
		name string
		put  func(r *Ring, packed []byte) bool
	}{
		{"Fill", func(r *Ring, packed []byte) bool { return put(r, 0, packed, 1, 1) }},
		{"Supply", func(r *Ring, packed []byte) bool { return supply(r, 0, packed) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(2)
			buffer := picture(0, 1)
			if !c.put(r, buffer) {
				t.Fatal("refused")
			}
			clear(buffer)
			span, audited := r.Claim(Open, 1, nil)
			if span.Count == 1 && !bytes.Equal(audited, picture(0, 1)) {
				t.Error("the auditor gets what the buffer holds now")
			}
			r.Approve(span)
			if got := r.Air(1, false, nil)[0].Packed; !bytes.Equal(got, picture(0, 1)) {
				t.Error("what airs is what the buffer holds now")
			}
		})
	}
}

func TestFillRefusesAPictureThatIsTooShort(t *testing.T) {
	short := make([]byte, wire.PackedSize-1)
	mustPanic(t, "Supply", func() { New(1).Supply(0, short) })
}

func TestFillRefusesWhatIsThereOrGone(t *testing.T) {
	setup := map[string]func(r *Ring){
		"filled":        func(r *Ring) { put(r, 1, picture(1, 1), 1, 10) },
		"ready":         func(r *Ring) { r.Supply(1, picture(1, 1)) },
		"aired":         func(r *Ring) { r.Supply(1, picture(1, 1)); r.Air(2, false, nil) },
		"stalled":       func(r *Ring) { r.Air(2, false, nil) },
		"passed":        func(r *Ring) { r.Advance(2) },
		"not yet there": func(r *Ring) { r.Reset(math.MaxUint64 - 100) },
	}
	for name, f := range setup {
		t.Run(name, func(t *testing.T) {
			r := New(4)
			f(r)
			before := states(r)
			if put(r, 1, picture(1, 2), 2, 20) {
				t.Error("the late duplicate is taken")
			}
			wantStates(t, r, before)
		})
	}
}

func TestLateDuplicateChangesNothing(t *testing.T) {
	r := New(4)
	fill(t, r, 0, 4, 1, 10)
	if put(r, 2, picture(2, 2), 2, 20) || put(r, 2, picture(2, 3), 1, 10) {
		t.Error("a second copy is taken")
	}
	span, packed := r.Claim(Open, 4, nil)
	if span.Count != 4 || span.Owner != 1 || span.Lease != 10 {
		t.Errorf("claimed %+v, want all 4 frames of lease 10", span)
	}
	if got := packed[2*wire.PackedSize : 3*wire.PackedSize]; !bytes.Equal(got, picture(2, 1)) {
		t.Error("the second copy took the place of the first")
	}
}

func TestFrameIsFreeWhenItsLastLeaseIsReleased(t *testing.T) {
	r := New(6)
	r.Lease(0, 4, 1, 10)
	r.Lease(2, 4, 2, 20)
	wantStates(t, r, "llllll")
	r.Release(0, 6, 30) // of nobody's
	wantStates(t, r, "llllll")
	r.Release(0, 4, 10)
	wantStates(t, r, "..llll")
	if first, count := r.FreeRun(0, 6); first != 0 || count != 2 {
		t.Errorf("free are %d frames from %d on, want 2 from 0 on", count, first)
	}
	r.Release(0, 4, 10) // a second time
	wantStates(t, r, "..llll")
	r.Release(2, 4, 20)
	wantStates(t, r, "......")
	r.Lease(0, 1, 3, 30)
	r.Release(0, 1, 30)
	wantStates(t, r, "......")
}

// TestReleaseOfALeaseFromBeforeAPurge has a frame thrown out and lent again while an older lease of it still runs.
func TestReleaseOfALeaseFromBeforeAPurge(t *testing.T) {
	r := New(2)
	r.Lease(0, 1, 1, 10)
	r.Lease(0, 1, 2, 20)
	fill(t, r, 0, 1, 2, 20)
	r.Purge(2, 20)
	r.Lease(0, 1, 3, 30)
	r.Release(0, 1, 10)
	wantStates(t, r, "l.")
	if got := r.Picture(nil).Runs[0].Owner; got != 3 {
		t.Errorf("the frame is lent to %d, want 3", got)
	}
}

func TestFrameIsLentToTwoAtMost(t *testing.T) {
	r := New(2)
	for owner := range uint32(3) {
		r.Lease(0, 1, owner+1, uint64(owner+1)*10)
	}
	owner := func() uint32 { return r.Picture(nil).Runs[0].Owner }
	if got := owner(); got != 2 {
		t.Errorf("the frame is lent to %d last, want 2", got)
	}
	r.Release(0, 1, 20)
	if got := owner(); got != 1 {
		t.Errorf("the frame is lent to %d, want 1, who still has it", got)
	}
	r.Release(0, 1, 30)
	wantStates(t, r, "l.")
	r.Release(0, 1, 10)
	wantStates(t, r, "..")
}

func TestFreeRun(t *testing.T) {
	r := at(12, 100)
	r.Lease(100, 2, 1, 1)
	r.Lease(105, 2, 1, 1)
	ready(t, r, 109, 1, 1, 1) // ll...ll..r..
	for _, c := range []struct {
		name  string
		from  uint64
		limit int
		first uint64
		count int
	}{
		{"from before the ring", 0, 100, 102, 3},
		{"of a limited length", 100, 2, 102, 2},
		{"from the middle of a run", 103, 100, 103, 2},
		{"from a lent frame", 105, 100, 107, 2},
		{"up to the horizon", 109, 100, 110, 2},
		{"from the last frame", 111, 100, 111, 1},
		{"from the horizon", 112, 100, 112, 0},
		{"from behind the horizon", 500, 100, 500, 0},
		{"of no length", 100, 0, 102, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if first, count := r.FreeRun(c.from, c.limit); first != c.first || count != c.count {
				t.Errorf("got %d frames from %d on, want %d from %d on", count, first, c.count, c.first)
			}
		})
	}
	t.Run("what has aired is not free", func(t *testing.T) {
		r.Air(4, false, nil)
		if first, count := r.FreeRun(0, 100); first != 104 || count != 1 {
			t.Errorf("got %d frames from %d on, want 1 from 104 on", count, first)
		}
	})
}

func TestSkipMovesTheCursorOverWhatHasAired(t *testing.T) {
	r := New(10)
	r.Reset(100)
	r.Skip(99) // behind the playhead: nothing
	if r.Cursor() != 100 {
		t.Fatalf("the cursor is at %d, want 100", r.Cursor())
	}
	r.Skip(104)
	if r.Cursor() != 104 || r.Playhead() != 100 || r.Lead(false) != 4 {
		t.Errorf("cursor %d, playhead %d, lead %d; want 104, 100, 4", r.Cursor(), r.Playhead(), r.Lead(false))
	}
	if first, count := r.FreeRun(0, 100); first != 104 || count != 6 {
		t.Errorf("free are %d frames from %d on, want 6 from 104", count, first)
	}
	r.Skip(1000)
	if r.Cursor() != 110 {
		t.Errorf("the cursor is at %d, want the horizon, 110", r.Cursor())
	}
}
