package schedule

import (
	"slices"
	"testing"
	"time"
)

func TestExpiryFreesAtOnceAndNotBefore(t *testing.T) {
	st := newStage(t, 1)
	l := st.must()
	st.pass(2*time.Second - time.Microsecond)
	if freed := st.expire(); len(freed) != 0 {
		t.Errorf("%+v is taken back before its time", freed)
	}
	st.pass(time.Microsecond)
	if freed := st.expire(); len(freed) != 1 || freed[0] != l {
		t.Errorf("%+v is taken back, want %+v", freed, l)
	}
	if freed := st.expire(); len(freed) != 0 {
		t.Errorf("%+v is taken back twice", freed)
	}
}

func TestLaterAnswerFreesEarlierMissingOnes(t *testing.T) {
	st := newStage(t, 1)
	st.prove(5 * ms)
	st.thread(1, 0).overhead = 700 * ms
	leases := st.all()
	if len(leases) != 4 {
		t.Fatalf("holds %d leases, want 4", len(leases))
	}
	l, outcome, skipped := st.Answer(st.now, 1, leases[2].ID, ms)
	if l != leases[2] || outcome != OnTime || !slices.Equal(skipped, leases[:2]) {
		t.Errorf("got %+v, %v, and %+v is freed; want %+v in time, and %+v", l, outcome, skipped, leases[2], leases[:2])
	}
	if got := st.thread(1, 0).queue; len(got) != 1 || got[0].Lease != leases[3] {
		t.Errorf("%d leases are left, want the last one", len(got))
	}
	for _, l := range leases[:3] {
		if _, outcome, _ := st.Answer(st.now, 1, l.ID, ms); outcome != Late {
			t.Errorf("the second answer to %d is %v, want late", l.ID, outcome)
		}
	}
	t.Run("of its own thread alone", func(t *testing.T) {
		st := newStage(t, 2)
		first, second := st.must(), st.must()
		if first.Thread == second.Thread {
			t.Fatal("one thread holds both")
		}
		if _, _, skipped := st.Answer(st.now, 1, second.ID, ms); len(skipped) != 0 {
			t.Errorf("%+v is freed", skipped)
		}
	})
}

func TestAnswerOutcomes(t *testing.T) {
	st := newStage(t, 1, 1)
	first := st.must()
	other := 3 - first.Thread.Conn
	ask := func(conn uint32, lease uint64, want Outcome) {
		t.Helper()
		l, got, _ := st.Answer(st.now, conn, lease, ms)
		if got != want {
			t.Errorf("lease %d answered by %d is %v, want %v", lease, conn, got, want)
		}
		if want == Unknown && l != (Lease{}) {
			t.Errorf("an unknown lease is returned as %+v", l)
		}
		if want != Unknown && (l.ID != lease || l.Thread.Conn != conn) {
			t.Errorf("lease %d of %d is returned as %+v", lease, conn, l)
		}
	}
	ask(other, first.ID, Unknown)
	ask(3, first.ID, Unknown)
	ask(first.Thread.Conn, first.ID+1, Unknown)
	ask(first.Thread.Conn, 0, Unknown)
	ask(first.Thread.Conn, first.ID, OnTime)
	ask(first.Thread.Conn, first.ID, Late)
	ask(other, first.ID, Unknown)

	st.sky.release(first)
	missed := st.must()
	for missed.Thread != first.Thread {
		missed = st.must()
	}
	st.pass(2 * time.Second)
	st.expire()
	ask(missed.Thread.Conn, missed.ID, Late)
	ask(missed.Thread.Conn, missed.ID, Late)

	st.sky = newSky(st.now, 600)
	revoked := st.must()
	st.Forget()
	ask(revoked.Thread.Conn, revoked.ID, Late)

	st.Leave(revoked.Thread.Conn)
	ask(revoked.Thread.Conn, revoked.ID, Unknown)
}

func TestEndedLeasesAreRememberedForAWhile(t *testing.T) {
	st := newStage(t, 1)
	var ids []uint64
	for range remembered + 10 {
		st.sky = newSky(st.now, 600)
		l := st.must()
		st.answer(l, 10*ms)
		ids = append(ids, l.ID)
	}
	for i, id := range ids {
		want := Late
		if i < 10 {
			want = Unknown
		}
		if _, got, _ := st.Answer(st.now, 1, id, ms); got != want {
			t.Errorf("the answer to lease %d of %d is %v, want %v", i+1, len(ids), got, want)
		}
	}
}

func TestDelivered(t *testing.T) {
	// The deliveries are relative to the first frame of a lease of 120 frames that ran out.
	type piece struct{ first, count int }
	for _, c := range []struct {
		name   string
		pieces []piece
		when   int // the piece with which it is delivered; -1 never
	}{
		{"at once", []piece{{0, 120}}, 0},
		{"with more around it", []piece{{-10, 140}}, 0},
		{"not by less", []piece{{1, 119}, {0, 0}, {-10, 10}, {120, 10}}, -1},
		{"in two pieces", []piece{{0, 20}, {20, 100}}, 1},
		{"in pieces out of order", []piece{{60, 30}, {90, 40}, {-5, 25}, {20, 40}}, 3},
		{"not by one piece twice", []piece{{0, 70}, {0, 70}, {10, 20}}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStage(t, 1, 1)
			st.prove(2 * ms)
			l := st.must()
			if l.Count != 120 {
				t.Fatalf("lent %d frames, want 120", l.Count)
			}
			st.miss(l)
			for i, p := range c.pieces {
				lost := st.Delivered(st.now, uint64(int(l.First)+p.first), p.count)
				if got := slices.Contains(lost, l); got != (i == c.when) {
					t.Errorf("piece %d: lost %+v", i, lost)
				}
			}
			if lost := st.Delivered(st.now, l.First, l.Count); (c.when >= 0) != (len(lost) == 0) {
				t.Errorf("lost %+v in the end", lost)
			}
			if lost := st.Delivered(st.now, l.First, l.Count); len(lost) != 0 {
				t.Errorf("lost %+v twice", lost)
			}
		})
	}
	t.Run("ends a running lease", func(t *testing.T) {
		st := newStage(t, 1)
		st.prove(5 * ms)
		first, second := st.must(), st.must()
		st.pass(100 * ms)
		if lost := st.Delivered(st.now, first.First, first.Count); !slices.Equal(lost, []Lease{first}) {
			t.Errorf("lost %+v, want %+v", lost, first)
		}
		if th := st.thread(1, 0); len(th.queue) != 1 || th.queue[0].Lease != second || th.queue[0].started != st.now || th.queue[0].sure {
			t.Errorf("the next one is %+v, want it to start now, as far as is known", th.queue[0])
		}
		if _, outcome, _ := st.Answer(st.now, 1, first.ID, ms); outcome != Late {
			t.Errorf("an answer that crosses the word to stop is %v, want %v", outcome, Late)
		}
		if th := st.thread(1, 0); th.misses != 0 {
			t.Error("the thread is blamed")
		}
	})
	t.Run("ends one that waits", func(t *testing.T) {
		st := newStage(t, 1)
		st.prove(5 * ms)
		first, second := st.must(), st.must()
		started := st.thread(1, 0).queue[0].started
		st.pass(100 * ms)
		if lost := st.Delivered(st.now, second.First, second.Count); !slices.Equal(lost, []Lease{second}) {
			t.Errorf("lost %+v, want %+v", lost, second)
		}
		if th := st.thread(1, 0); len(th.queue) != 1 || th.queue[0].Lease != first || th.queue[0].started != started {
			t.Errorf("what runs is %+v, want %+v as it was", th.queue[0], first)
		}
	})
	t.Run("counts what was delivered before the lease ran out", func(t *testing.T) {
		st := newStage(t, 1)
		st.prove(5 * ms)
		l := st.must()
		st.Delivered(st.now, l.First, 20)
		st.miss(l)
		if lost := st.Delivered(st.now, l.First+20, l.Count-20); !slices.Equal(lost, []Lease{l}) {
			t.Errorf("lost %+v, want %+v", lost, l)
		}
	})
	t.Run("says nothing about what was answered late", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.miss(l)
		st.answer(l, ms)
		if lost := st.Delivered(st.now, l.First, l.Count); len(lost) != 0 {
			t.Errorf("lost %+v", lost)
		}
	})
	t.Run("says nothing about what its thread has overtaken", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.miss(l)
		st.answer(st.must(), ms)
		if lost := st.Delivered(st.now, l.First, l.Count); len(lost) != 0 {
			t.Errorf("lost %+v", lost)
		}
	})
	t.Run("says nothing to who is gone", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.miss(l)
		st.Leave(1)
		if lost := st.Delivered(st.now, l.First, l.Count); len(lost) != 0 {
			t.Errorf("lost %+v", lost)
		}
	})
	t.Run("comes in one order", func(t *testing.T) {
		st := newStage(t, 8, 8, 8)
		leases := st.all()
		st.pass(2 * time.Second)
		st.expire()
		lost := st.Delivered(st.now, leases[0].First, 600)
		if !slices.Equal(lost, leases) {
			t.Errorf("lost\n%+v, want\n%+v", lost, leases)
		}
	})
}

func TestOwedAnswersAreBounded(t *testing.T) {
	st := newStage(t, 1)
	for range 100 {
		st.pass(maxRest)
		st.sky = newSky(st.now, 600)
		st.miss(st.must())
	}
	if got := len(st.thread(1, 0).owed); got != maxOwed {
		t.Errorf("%d owed answers are kept, want %d", got, maxOwed)
	}
}
