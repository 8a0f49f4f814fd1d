package schedule

import (
	"slices"
	"testing"
	"time"
)

func TestThreadRestsFromTheThirdMissInARow(t *testing.T) {
	st := newStage(t, 1)
	st.prove(5 * ms)
	st.all()
	var rests []time.Duration
	for range 14 {
		th := st.thread(1, 0)
		for len(th.queue) > 0 {
			st.pass(th.queue[0].Within)
			st.expire()
		}
		from := st.now
		rests = append(rests, max(0, th.restUntil.Sub(from)))
		st.pass(rests[len(rests)-1])
		if rest := th.restUntil - 1; rest > from {
			if _, ok := st.Next(rest, st.sky); ok {
				t.Errorf("miss %d: lent to before its rest is over", th.misses)
			}
		}
		th.measured = st.now // of whatever age: that is another test
		st.must()
	}
	want := []time.Duration{0, 0, 500 * ms, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
	for len(want) < len(rests) {
		want = append(want, 30*time.Second)
	}
	if !slices.Equal(rests, want) {
		t.Errorf("rests of\n%v, want\n%v", rests, want)
	}
}

func TestRestNeverOverflows(t *testing.T) {
	th := &thread{misses: 1 << 40}
	th.lend(0, Lease{Count: 4})
	th.miss(0)
	if got := th.restUntil.Sub(0); got != maxRest {
		t.Errorf("rests %v, want %v", got, maxRest)
	}
}

func TestGoodAnswerForgivesMisses(t *testing.T) {
	rested := func(t *testing.T) (st *stage, missed Lease) {
		st = newStage(t, 1)
		st.prove(5 * ms)
		for range 3 {
			th := st.thread(1, 0)
			if len(th.queue) == 0 {
				st.must()
			}
			missed = th.queue[0].Lease
			st.miss(missed)
		}
		if _, ok := st.next(); ok {
			t.Fatal("lent to a thread that rests")
		}
		return st, missed
	}
	t.Run("a late one at once", func(t *testing.T) {
		st, missed := rested(t)
		st.answer(missed, ms)
		if l := st.must(); l.Count == MinChunk {
			t.Error("the thread is lent to as to a newcomer")
		}
	})
	t.Run("a late one that crosses the word to stop, too", func(t *testing.T) {
		st, missed := rested(t)
		if lost := st.Delivered(st.now, missed.First, missed.Count); !slices.Contains(lost, missed) {
			t.Fatalf("%+v is not returned as delivered", missed)
		}
		st.answer(missed, ms)
		st.must()
	})
	t.Run("one in time after the rest", func(t *testing.T) {
		st, _ := rested(t)
		st.pass(500 * ms)
		l := st.must()
		if l.Count != MinChunk || l.Within != 2*time.Second {
			t.Errorf("after its rest the thread is lent %+v, want a newcomer's lease", l)
		}
		if more, ok := st.next(); ok {
			t.Errorf("lent %+v as well to a thread that is suspect", more)
		}
		st.answer(l, ms)
		if th := st.thread(1, 0); th.misses != 0 || th.restUntil > st.now {
			t.Errorf("%d misses are left, and %v of rest", th.misses, th.restUntil.Sub(st.now))
		}
	})
}

func TestThreadThatMissesLosesWhatWaitsForIt(t *testing.T) {
	st := newStage(t, 1)
	st.prove(5 * ms)
	st.thread(1, 0).overhead = 700 * ms
	leases := st.all()
	if len(leases) < 4 {
		t.Fatalf("the window is %d", len(leases))
	}
	st.pass(leases[0].Within)
	missed, withdrawn := st.Expire(st.now)
	if !slices.Equal(missed, leases[:1]) || !slices.Equal(withdrawn, leases[1:]) {
		t.Errorf("taken back are %+v and %+v, want the first and the others of %+v", missed, withdrawn, leases)
	}
	if th := st.thread(1, 0); len(th.queue) != 0 || th.misses != 1 || len(th.owed) != 1 {
		t.Errorf("the thread has %d leases, %d misses, and owes %d answers, want 0, 1, 1", len(th.queue), th.misses, len(th.owed))
	}
	st.sky.release(leases...)
	if _, outcome, _ := st.Answer(st.now, 1, withdrawn[0].ID, ms); outcome != Late {
		t.Errorf("an answer to what was withdrawn is %v, want %v", outcome, Late)
	}
}

func TestIdleThreadIsANewcomerAgainAfterHalfAMinute(t *testing.T) {
	for _, c := range []struct {
		idle  time.Duration
		count int
	}{{stale - ms, 50}, {stale, 4}} {
		st := newStage(t, 1)
		st.prove(5 * ms)
		st.pass(c.idle)
		if l := st.must(); l.Count != c.count {
			t.Errorf("after %v: lent %d frames, want %d", c.idle, l.Count, c.count)
		}
	}
	t.Run("but not while it is at work", func(t *testing.T) {
		st := newStage(t, 1)
		st.prove(5 * ms)
		st.pass(stale - ms)
		st.must()
		st.pass(2 * ms)
		if l := st.must(); l.Count != 50 {
			t.Errorf("lent %d frames, want 50", l.Count)
		}
	})
}

func TestThreadThatCouldMeetNothingGetsAnotherChance(t *testing.T) {
	st := newStage(t, 1)
	st.sky.size = 240 // the horizon airs in 1.5 s
	st.pass(0)
	st.answerLate(st.must(), 40*ms, 1600*ms) // the module had to be fetched
	if l, ok := st.next(); ok {
		t.Fatalf("lent %+v, which it will not deliver in time", l)
	}
	st.pass(stale)
	if l := st.must(); l.Thread != (Thread{1, 0}) {
		t.Errorf("lent %+v", l)
	}
}
