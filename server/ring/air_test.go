package ring

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/distributed-donut/donut/wasm/wire"
)

func TestAirIsInOrderOnceAndShowsHoles(t *testing.T) {
	r := at(6, 100)
	ready(t, r, 100, 1, 1, 10)
	r.Lease(101, 1, 2, 2)
	fill(t, r, 102, 1, 3, 30)
	r.Supply(103, picture(103, 0))

	prefix := []Frame{{Owner: 99}}
	got := r.Air(2, false, prefix)
	got = r.Air(3, false, got)
	want := []Frame{
		{Owner: 99},
		{Packed: picture(100, 1), Owner: 1, Audited: true},
		{}, // a lent frame has no picture, and so no owner
		{},
		{Packed: picture(103, 0), Owner: Server, Audited: true},
		{},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("aired another sequence of frames than was ready")
	}
	if r.Cursor() != 105 {
		t.Errorf("the cursor is at %d, want 105", r.Cursor())
	}
	mustPanic(t, "airing behind the horizon", func() { r.Air(2, false, nil) })
	mustPanic(t, "airing backwards", func() { r.Air(-1, false, nil) })
	if r.Cursor() != 105 {
		t.Errorf("a refused Air moved the cursor to %d", r.Cursor())
	}
}

func TestAiredPictureIsNotAppendedInto(t *testing.T) {
	r := New(2)
	r.Supply(0, picture(0, 0))
	r.Supply(1, picture(1, 0))
	frames := r.Air(2, false, nil)
	_ = append(frames[0].Packed, "over the next frame"...)
	if !bytes.Equal(frames[1].Packed, picture(1, 0)) {
		t.Error("appending to one frame changes the next")
	}
}

func TestAdvanceCountsWhatWasLost(t *testing.T) {
	for _, c := range []struct {
		name     string
		air      int
		to       uint64
		lost     uint64
		playhead uint64
		cursor   uint64
	}{
		{"nothing without a step", 0, 100, 0, 100, 100},
		{"nothing backwards", 0, 50, 0, 100, 100},
		{"what did not air", 0, 103, 3, 103, 103},
		{"nothing that aired or stalled", 4, 103, 0, 103, 104},
		{"nothing up to the cursor", 4, 104, 0, 104, 104},
		{"what lies behind the cursor", 4, 106, 2, 106, 106},
		{"the whole ring", 0, 108, 8, 108, 108},
		{"what never came into the ring", 4, 1100, 996, 1100, 1100},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := at(8, 100)
			ready(t, r, 100, 3, 1, 10)
			r.Air(c.air, false, nil)
			if got := r.Advance(c.to); got != c.lost {
				t.Errorf("lost %d frames, want %d", got, c.lost)
			}
			if r.Playhead() != c.playhead || r.Cursor() != c.cursor {
				t.Errorf("playhead %d, cursor %d; want %d, %d", r.Playhead(), r.Cursor(), c.playhead, c.cursor)
			}
		})
	}
}

func TestCompleteWantsAllFramesReady(t *testing.T) {
	r := at(4, 100)
	ready(t, r, 100, 2, 1, 10)
	fill(t, r, 102, 1, 1, 11)
	for count, want := range []bool{true, true, true, false, false, false} {
		if got := r.Complete(count); got != want {
			t.Errorf("%d frames complete: %v, want %v", count, got, want)
		}
	}
	r.Air(1, false, nil)
	if !r.Complete(1) || r.Complete(2) {
		t.Error("frames are not counted from the cursor")
	}
}

func TestAvailableIsWhatHasAiredOrCould(t *testing.T) {
	r := at(8, 100)
	want := func(want bool, first uint64, count int, trust bool) {
		t.Helper()
		if got := r.Available(first, count, trust); got != want {
			t.Errorf("%d frames from %d on of %s, with trust %v: available %v", count, first, states(r), trust, got)
		}
	}
	ready(t, r, 100, 3, 1, 10)
	excused := result(103, 1, 1, 11)
	excused.Must = []bool{false}
	r.Fill(excused)
	fill(t, r, 104, 1, 1, 12)
	r.Air(2, false, nil)
	want(true, 100, 3, false)
	want(false, 100, 4, false)
	want(true, 100, 4, true)
	want(false, 100, 5, true)
	want(true, 102, 0, false)
	want(false, 99, 2, false) // behind the playhead
	want(false, 107, 2, true) // beyond the horizon
	want(false, 200, 0, true)
	r.Air(3, false, nil) // of which 103 and 104 stall
	want(false, 102, 2, true)
	r.Advance(101)
	want(false, 100, 1, false)
	r.Skip(107)
	want(false, 106, 1, true) // aired elsewhere, and not here
}

func TestLeadIsTheUnbrokenStretchFromThePlayhead(t *testing.T) {
	r := at(8, 100)
	wantLead := func(want int) {
		t.Helper()
		if got := r.Lead(false); got != want {
			t.Errorf("the lead of %s is %d, want %d", states(r), got, want)
		}
	}
	wantLead(0)
	ready(t, r, 101, 2, 1, 10)
	wantLead(0)
	ready(t, r, 100, 1, 1, 11)
	wantLead(3)
	r.Air(2, false, nil)
	wantLead(3)
	r.Advance(101)
	wantLead(2)
	fill(t, r, 103, 1, 1, 12)
	wantLead(2)
	r.Air(3, false, nil) // which stalls 103 and 104
	r.Supply(105, picture(105, 0))
	wantLead(2)
	r.Advance(105)
	wantLead(1)
	for n := uint64(106); n < r.End(); n++ {
		r.Supply(n, picture(n, 0))
	}
	wantLead(8)
}

func TestPictureCoversTheWindow(t *testing.T) {
	r := at(10, 1<<40)
	n := r.Playhead()
	r.Supply(n, picture(n, 0))
	r.Air(2, false, nil)
	r.Lease(n+2, 2, 1, 1)
	r.Lease(n+4, 1, 2, 2)
	fill(t, r, n+5, 1, 2, 20)
	got := r.Picture([]wire.RingRun{{Owner: 99}}[:1])
	want := wire.Ring{First: n, Runs: []wire.RingRun{
		{State: wire.RingAired, Owner: Server, Count: 1},
		{State: wire.RingStalled, Count: 1},
		{State: wire.RingLeased, Owner: 1, Count: 2},
		{State: wire.RingLeased, Owner: 2, Count: 1},
		{State: wire.RingFilled, Owner: 2, Count: 1},
		{State: wire.RingFree, Count: 4},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestPictureDoesNotGrowARunThatWasThereBefore(t *testing.T) {
	before := []wire.RingRun{{State: wire.RingFree, Count: 5}}
	got := New(3).Picture(before)
	if before[0].Count != 5 || len(got.Runs) != 1 || got.Runs[0].Count != 3 {
		t.Errorf("the run before became %+v, the picture is %+v", before[0], got)
	}
}

func TestPictureSurvivesTheWire(t *testing.T) {
	for _, size := range []int{1, 60, wire.MaxRingRuns, wire.MaxRingRuns + 1, 3600} {
		for _, base := range bases(size) {
			t.Run(fmt.Sprintf("%d frames from %d on", size, base), func(t *testing.T) {
				r := at(size, base)
				for i := range size { // no two neighbours alike
					r.Lease(base+uint64(i), 1, uint32(1+i%2), uint64(1+i))
				}
				want := r.Picture(nil)
				covered := uint64(0)
				for _, run := range want.Runs {
					covered += run.Count
				}
				if cut := min(size, wire.MaxRingRuns); covered != uint64(cut) || len(want.Runs) != cut {
					t.Errorf("%d runs cover %d frames, want %d", len(want.Runs), covered, cut)
				}
				m := wire.Broadcast{Ring: want, Stream: []byte{1}}
				got, err := wire.ParseBroadcast(m.Append(nil))
				if err != nil || got.Ring.First != want.First || !slices.Equal(got.Ring.Runs, want.Runs) {
					t.Errorf("came back as %+v, %v", got.Ring, err)
				}
			})
		}
	}
}
