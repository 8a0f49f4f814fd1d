package ring

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/distributed-donut/donut/wasm/wire"
)

func TestClaimKeepsACopy(t *testing.T) {
	r := New(2)
	fill(t, r, 0, 1, 1, 1)
	_, audited := r.Claim(Open, 1, nil)
	r.Supply(0, picture(0, 9))
	if !bytes.Equal(audited, picture(0, 1)) {
		t.Error("the picture changes while it is audited")
	}
}

func TestClaimGivesContiguousFramesOfOneLease(t *testing.T) {
	r := at(12, 100)
	fill(t, r, 100, 2, 1, 10)
	fill(t, r, 102, 4, 1, 11) // of the same owner
	fill(t, r, 106, 1, 2, 20)
	fill(t, r, 108, 1, 2, 20) // behind a gap
	r.Supply(109, picture(109, 0))
	fill(t, r, 111, 1, 3, 30)

	type claim struct {
		First uint64
		Count int
		Owner uint32
		Lease uint64
	}
	var got []claim
	buffer := []byte("kept")
	for range r.Size() {
		span, packed := r.Claim(Open, 3, buffer)
		if !bytes.HasPrefix(packed, buffer) || len(packed) != len(buffer)+span.Count*wire.PackedSize {
			t.Fatalf("%d frames are appended to %d bytes as %d", span.Count, len(buffer), len(packed))
		}
		if span.Count == 0 {
			break
		}
		for i := range span.Count {
			n := span.First + uint64(i)
			if !bytes.Equal(packed[len(buffer)+i*wire.PackedSize:][:wire.PackedSize], picture(n, byte(span.Owner))) {
				t.Errorf("frame %d is claimed as another", n)
			}
		}
		got = append(got, claim{span.First, span.Count, span.Owner, span.Lease})
	}
	want := []claim{{100, 2, 1, 10}, {102, 3, 1, 11}, {105, 1, 1, 11}, {106, 1, 2, 20}, {108, 1, 2, 20}, {111, 1, 3, 30}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("claimed\n%v, want\n%v", got, want)
	}
}

func TestDisclaimedFramesAreClaimedAgain(t *testing.T) {
	r := New(8)
	fill(t, r, 0, 4, 1, 10)
	first, _ := r.Claim(Open, 2, nil)
	second, _ := r.Claim(Open, 2, nil)
	r.Disclaim(first)
	if again, _ := r.Claim(Open, 4, nil); again != first {
		t.Errorf("claimed %+v, want %+v again and nothing of %+v", again, first, second)
	}
	if span, _ := r.Claim(Open, 4, nil); span.Count != 0 {
		t.Errorf("%+v is claimed twice", span)
	}
}

func TestAuditSaysNothingAboutAnotherCopy(t *testing.T) {
	for _, c := range []struct {
		name    string
		between func(t *testing.T, r *Ring) // what happens to frames 0..3 while they are audited
		want    string                      // once they are approved
		waiting int                         // frames that can be claimed then
	}{
		{"purged", func(t *testing.T, r *Ring) { r.Purge(1, 10) }, "........", 0},
		{"purged and leased", func(t *testing.T, r *Ring) { r.Purge(1, 10); r.Lease(0, 4, 2, 2) }, "llll....", 0},
		{"purged and refilled", func(t *testing.T, r *Ring) { r.Purge(1, 10); fill(t, r, 0, 4, 2, 20) }, "FFFF....", 4},
		{"purged and refilled for the same lease", func(t *testing.T, r *Ring) {
			r.Purge(1, 10)
			fill(t, r, 0, 4, 1, 10)
		}, "FFFF....", 4},
		{"refilled in part", func(t *testing.T, r *Ring) {
			r.Purge(1, 10)
			fill(t, r, 1, 2, 2, 20)
		}, ".FF.....", 2},
		{"supplied in part", func(t *testing.T, r *Ring) { r.Supply(1, picture(1, 0)) }, "rrrr....", 0},
		{"stalled in part", func(t *testing.T, r *Ring) { r.Air(2, false, nil) }, "ssrr....", 0},
		{"passed in part", func(t *testing.T, r *Ring) { r.Advance(2) }, "rr......", 0},
		{"passed, and the slots refilled", func(t *testing.T, r *Ring) {
			r.Advance(8)
			fill(t, r, 8, 4, 2, 20)
		}, "FFFF....", 4},
		{"emptied and refilled", func(t *testing.T, r *Ring) { r.Reset(0); fill(t, r, 0, 4, 1, 10) }, "FFFF....", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(8)
			fill(t, r, 0, 4, 1, 10)
			span, _ := r.Claim(Open, 4, nil)
			c.between(t, r)
			r.Approve(span)
			wantStates(t, r, c.want)
			r.Disclaim(span) // for nothing that the span still names may wait a second time
			waiting := 0
			for range r.Size() {
				s, _ := r.Claim(Open, 8, nil)
				waiting += s.Count
			}
			if waiting != c.waiting {
				t.Errorf("%d frames wait for their audit, want %d", waiting, c.waiting)
			}
		})
	}
	t.Run("and Disclaim does not take away another's claim", func(t *testing.T) {
		r := New(8)
		fill(t, r, 0, 4, 1, 10)
		old, _ := r.Claim(Open, 4, nil)
		r.Purge(1, 10)
		fill(t, r, 0, 4, 2, 20)
		r.Claim(Open, 4, nil)
		r.Disclaim(old)
		if span, _ := r.Claim(Open, 4, nil); span.Count != 0 {
			t.Errorf("%+v is claimed twice", span)
		}
	})
}

func TestAuditIsOfNoConsequenceAfterTheFrameAired(t *testing.T) {
	r := New(2)
	fill(t, r, 0, 1, 1, 10)
	span, _ := r.Claim(Open, 1, nil)
	r.Approve(span)
	r.Air(1, false, nil)
	r.Approve(span)
	r.Disclaim(span)
	wantStates(t, r, "a.")
}

func TestPurgeTakesWhatIsNotTrusted(t *testing.T) {
	r := at(16, 100)
	ready(t, r, 100, 1, 1, 10)
	r.Air(1, false, nil)
	ready(t, r, 101, 1, 1, 10)     // of the bad lease, audited
	ready(t, r, 103, 1, 1, 11)     // of the same owner, audited
	fill(t, r, 102, 1, 1, 10)      // of the bad lease
	r.Claim(Open, 1, nil)          // and its audit is under way
	fill(t, r, 104, 1, 1, 11)      // of the same owner
	r.Supply(105, picture(105, 0)) // the server's
	fill(t, r, 106, 1, 2, 20)      // of another
	r.Lease(107, 1, 1, 1)          // lent to the same owner
	r.Lease(108, 1, 2, 2)          // lent to another
	wantStates(t, r, "arFrFrFll.......")
	if got := r.Purge(1, 10); got != 3 {
		t.Errorf("purged %d frames, want 3", got)
	}
	wantStates(t, r, "a..r.rFll.......")
	if got := r.Purge(1, 10); got != 0 {
		t.Errorf("purged %d frames the second time, want 0", got)
	}
}

func TestSupplyTakesTheUnauditedFramesPlaceAlone(t *testing.T) {
	r := New(4)
	r.Lease(0, 1, 1, 1)
	ready(t, r, 2, 1, 1, 11)
	fill(t, r, 1, 1, 1, 10)
	for n, want := range []bool{true, true, false, true} {
		if got := supply(r, uint64(n), picture(uint64(n), 0)); got != want {
			t.Errorf("frame %d supplied: %v, want %v", n, got, want)
		}
		if supply(r, uint64(n), picture(uint64(n), 9)) {
			t.Errorf("frame %d is supplied twice", n)
		}
	}
	for n, f := range r.Air(4, false, nil) {
		owner := Server
		if n == 2 {
			owner = 1
		}
		if f.Owner != owner || !f.Audited || !bytes.Equal(f.Packed, picture(uint64(n), byte(owner))) {
			t.Errorf("frame %d airs as one of %d, audited %v; want one of %d", n, f.Owner, f.Audited, owner)
		}
	}
}

// excused returns a result of which only the frames at the given indices must be audited.
func excused(first uint64, count int, owner uint32, lease uint64, must ...int) Result {
	res := result(first, count, owner, lease)
	clear(res.Must)
	for _, i := range must {
		res.Must[i] = true
	}
	return res
}

func TestFramesAirOnTrustWhenAllThatIsOwedIsAudited(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(r *Ring)
		trust bool
		aired int // of the result's 4 frames, of which the third must be audited
	}{
		{"not before", func(*Ring) {}, true, 0},
		{"afterwards", func(r *Ring) { span, _ := r.Claim(Owed, 9, nil); r.Approve(span) }, true, 4},
		{"the audited one alone without trust", func(r *Ring) { span, _ := r.Claim(Owed, 9, nil); r.Approve(span) }, false, 1},
		{"not when others were audited", func(r *Ring) { span, _ := r.Claim(Open, 2, nil); r.Approve(span) }, true, 2},
		{"not when the audit came to nothing", func(r *Ring) { span, _ := r.Claim(Owed, 9, nil); r.Disclaim(span) }, true, 0},
		{"when the server rendered the same", func(r *Ring) { r.Supply(2, picture(2, 1)) }, true, 4},
		{"not when the server rendered another", func(r *Ring) { r.Supply(2, picture(2, 0)) }, true, 1}, // the server's own
		{"not when somebody sent another copy of one that was excused", func(r *Ring) {
			span, _ := r.Claim(Owed, 9, nil)
			r.Approve(span)
			other := excused(1, 1, 2, 20)
			if _, n, differs := r.Fill(other); !differs || n != 1 {
				panic("no dispute")
			}
		}, true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := New(8)
			r.Fill(excused(0, 4, 1, 10, 2))
			c.do(r)
			aired := 0
			for _, frame := range r.Air(4, c.trust, nil) {
				if frame.Packed != nil {
					aired++
				}
			}
			if aired != c.aired {
				t.Errorf("%d frames aired, want %d", aired, c.aired)
			}
		})
	}
}

// TestWhatIsOwedIsNotForgottenWithItsFrame lets the frame that must be audited stall: the rest of its result is not to be
// trusted for that.
func TestWhatIsOwedIsNotForgottenWithItsFrame(t *testing.T) {
	r := New(8)
	r.Fill(excused(0, 4, 1, 10, 0))
	for i, frame := range append(r.Air(1, true, nil), r.Air(3, true, nil)...) {
		if frame.Packed != nil {
			t.Errorf("frame %d aired", i)
		}
	}
}

func TestClassesOfAudits(t *testing.T) {
	r := New(16)
	first := excused(0, 4, 1, 10, 1, 2)
	first.Sample = 3
	r.Fill(first)
	second := excused(4, 4, 2, 20)
	second.Sample = 0
	r.Fill(second)
	for _, c := range []struct {
		class        Class
		first, count int
	}{{Sampled, 3, 1}, {Owed, 1, 2}, {Sampled, 4, 1}, {Open, 0, 1}, {Open, 5, 3}} {
		if n, ok := r.Unaudited(c.class); !ok || n != uint64(c.first) {
			t.Errorf("the first frame of class %d is %d, %v, want %d", c.class, n, ok, c.first)
		}
		span, _ := r.Claim(c.class, 9, nil)
		if span.First != uint64(c.first) || span.Count != c.count {
			t.Errorf("claimed %d frames from %d on of class %d, want %d from %d on", span.Count, span.First, c.class, c.count, c.first)
		}
	}
	for _, class := range []Class{Open, Owed, Sampled} {
		if n, ok := r.Unaudited(class); ok {
			t.Errorf("frame %d is left of class %d", n, class)
		}
	}
}

func TestOwes(t *testing.T) {
	r := New(8)
	r.Fill(excused(0, 2, 1, 10, 1))
	if r.Owes(0) || !r.Owes(1) || r.Owes(2) || r.Owes(99) {
		t.Error("the second frame alone must be audited")
	}
	span, _ := r.Claim(Owed, 1, nil)
	r.Approve(span)
	if r.Owes(1) {
		t.Error("it was audited")
	}
}
