package schedule

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestEarliestFreeFramesAreLentFirst(t *testing.T) {
	st := newStage(t, 1, 1, 1, 1)
	st.prove(5 * ms)
	a, b, c := st.must(), st.must(), st.must()
	if b.First != a.First+uint64(a.Count) || c.First != b.First+uint64(b.Count) {
		t.Errorf("lent %+v, %+v and %+v, want one after the other", a, b, c)
	}
	st.sky.release(a)
	st.Leave(a.Thread.Conn)
	if l := st.must(); l.First != a.First {
		t.Errorf("lent %+v, want the frames from %d on, which are free again", l, a.First)
	}
}

func TestIDsAreNeverUsedTwice(t *testing.T) {
	st := newStage(t, 4)
	last := uint64(0)
	for range 5 {
		for _, l := range st.all() {
			if l.ID != last+1 {
				t.Errorf("lease %d follows lease %d", l.ID, last)
			}
			last = l.ID
			st.answer(l, 10*ms)
		}
	}
}

func TestThreadThatCannotMeetTheEarliestChunkGetsALaterOne(t *testing.T) {
	for _, c := range []struct {
		name               string
		perFrame, overhead time.Duration
		queued             int // leases of 4 frames that it holds
		want               time.Duration
	}{
		{"a quick one gets the earliest", ms, 0, 0, 180 * ms}, // of 120 frames
		{"a slow one", 200 * ms, 0, 0, 1200 * ms},
		{"one far away", ms, 800 * ms, 0, 1380 * ms},
		{"a slow one that is busy", 200 * ms, 0, 1, 2400 * ms},
		{"a slow one far away", 200 * ms, 800 * ms, 0, 2400 * ms},
		{"one that can meet nothing", 1300 * ms, 0, 0, -1}, // the horizon airs in 7.5 s
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStage(t, 1)
			th := st.thread(1, 0)
			th.perFrame, th.overhead, th.measured = c.perFrame, c.overhead, st.now
			for range c.queued {
				th.lend(st.now, Lease{First: st.sky.End() - 4, Count: 4, Within: time.Minute})
			}
			l, ok := st.next()
			if c.want < 0 {
				if ok {
					t.Errorf("lent %+v, want nothing", l)
				}
				return
			}
			if want := st.sky.Due(st.now.Add(c.want)); !ok || l.First != want {
				t.Errorf("lent frames from %d on, want from %d on, which airs in %v", l.First, want, c.want)
			}
		})
	}
}

func TestLeaveFreesAll(t *testing.T) {
	st := newStage(t, 3, 1)
	st.prove(5 * ms)
	var want []Lease
	for _, l := range st.all() {
		if l.Thread.Conn == 1 {
			want = append(want, l)
		}
	}
	if len(want) != 6 {
		t.Fatalf("connection 1 holds %d leases, want 6", len(want))
	}
	got := st.Leave(1)
	slices.SortFunc(got, func(a, b Lease) int { return int(a.ID) - int(b.ID) })
	if !slices.Equal(got, want) {
		t.Errorf("freed\n%+v, want\n%+v", got, want)
	}
	if st.Threads() != 1 || st.Conns() != 1 {
		t.Errorf("%d threads of %d connections are left, want 1 of 1", st.Threads(), st.Conns())
	}
	st.sky.release(got...)
	for _, l := range st.all() {
		if l.Thread.Conn == 1 {
			t.Errorf("lent %+v to who is gone", l)
		}
	}
	if got := st.Leave(1); got != nil {
		t.Errorf("freed %+v when it left again", got)
	}
}

func TestCapacityIsOfThreadsThatAnswer(t *testing.T) {
	st := newStage(t, 1, 2)
	want := func(want float64, known, unknown int) {
		t.Helper()
		got, k, u := st.Capacity(st.now)
		if math.Abs(got-want) > 0.01 || k != known || u != unknown {
			t.Errorf("the capacity is %v frames a second of %d threads, and %d are unknown; want %v, %d and %d",
				got, k, u, want, known, unknown)
		}
	}
	want(0, 0, 3)
	st.prove(5 * ms)
	want(600, 3, 0)
	st.Leave(1)
	want(400, 2, 0)
	st.miss(st.must())
	want(200, 1, 0)
	st.pass(stale)
	want(0, 0, 1)
}

func TestWhoOffersLessKeepsTheRestAndWhatIsKnownOfAll(t *testing.T) {
	st := newStage(t, 3)
	st.prove(5 * ms)
	held := st.all()
	freed := st.Offer(1, 1)
	for _, l := range held {
		if got, want := slices.Contains(freed, l), l.Thread.Index > 0; got != want {
			t.Errorf("lease %d of thread %d is freed: %v, want %v", l.ID, l.Thread.Index, got, want)
		}
	}
	if st.Threads() != 1 || st.Conns() != 1 {
		t.Errorf("%d threads of %d connections take part, want 1 of 1", st.Threads(), st.Conns())
	}
	late := freed[0]
	if _, outcome, _ := st.Answer(st.now, 1, late.ID, 5*ms); outcome != Late {
		t.Errorf("what comes for lease %d is %v, want late", late.ID, outcome)
	}

	if freed := st.Offer(1, 0); len(freed) != len(held)-2*len(held)/3 {
		t.Errorf("%d leases are freed when nothing is offered, want those of the first thread", len(freed))
	}
	if st.Threads() != 0 || st.Conns() != 0 {
		t.Errorf("%d threads of %d connections take part, want none", st.Threads(), st.Conns())
	}
	if l, ok := st.next(); ok {
		t.Errorf("lent %+v to who offers nothing", l)
	}
	st.Offer(1, 3)
	if th := st.thread(1, 2); th.perFrame == 0 {
		t.Error("nothing is known of a thread that came back")
	}
	if st.Threads() != 3 || st.Conns() != 1 {
		t.Errorf("%d threads of %d connections take part, want 3 of 1", st.Threads(), st.Conns())
	}
}

func TestForgetTakesAllBackWithoutBlame(t *testing.T) {
	st := newStage(t, 2, 1)
	st.prove(5 * ms)
	late := st.must()
	st.miss(late)
	misses := st.thread(late.Thread.Conn, int(late.Thread.Index)).misses
	held := st.all()
	got := st.Forget()
	slices.SortFunc(got, func(a, b Lease) int { return int(a.ID) - int(b.ID) })
	if !slices.Equal(got, held) {
		t.Errorf("took back\n%+v, want\n%+v", got, held)
	}
	st.pass(time.Hour)
	if freed := st.expire(); len(freed) != 0 {
		t.Errorf("%+v ran out afterwards", freed)
	}
	if lost := st.Delivered(st.now, late.First, late.Count); len(lost) != 0 {
		t.Errorf("%+v is to be stopped afterwards", lost)
	}
	if th := st.thread(late.Thread.Conn, int(late.Thread.Index)); th.misses != misses {
		t.Errorf("the thread has %d misses, want %d", th.misses, misses)
	}
}

func TestIdleThreadsGetWorkInTurn(t *testing.T) {
	st := newStage(t, 2, 1, 3)
	var turns []Thread
	for i := range 18 {
		st.sky = newSky(st.now, 600)
		l := st.must()
		if i >= 6 && l.Thread != turns[i-6] {
			t.Errorf("turn %d is of %v, want %v again", i, l.Thread, turns[i-6])
		}
		turns = append(turns, l.Thread)
		st.answer(l, 20*ms)
	}
	slices.SortFunc(turns[:6], func(a, b Thread) int { return int(a.Conn)*10 + int(a.Index) - int(b.Conn)*10 - int(b.Index) })
	if got := len(slices.Compact(turns[:6])); got != 6 {
		t.Errorf("the first 6 turns are of %d threads", got)
	}
}

func TestScrapAtTheHorizonWaitsForAShare(t *testing.T) {
	open := func(t *testing.T) *stage { // all is lent, but for what comes
		st := newStage(t, 1)
		st.prove(ms)
		st.all()
		for th := st.thread(1, 0); len(th.queue) > 0; {
			st.answer(th.queue[0].Lease, 2*ms)
			st.all()
		}
		return st
	}
	t.Run("while it airs late", func(t *testing.T) {
		st := open(t)
		_, scrap := st.sky.FreeRun(0, 1000)
		for ; scrap < 120; _, scrap = st.sky.FreeRun(0, 1000) {
			if l, ok := st.next(); ok {
				t.Fatalf("lent %+v while %d frames were there", l, scrap)
			}
			st.pass(10 * ms)
		}
		if l := st.must(); l.Count != 120 {
			t.Errorf("lent %d frames, want 120", l.Count)
		}
	})
	t.Run("not where somebody is lent less", func(t *testing.T) {
		st := open(t)
		st.Offer(2, 1)
		for range 100 {
			if l, ok := st.next(); ok {
				if _, scrap := st.sky.FreeRun(l.First, 1000); l.Thread.Conn != 2 || l.Count != 4 || scrap == 0 {
					t.Errorf("lent %+v", l)
				}
				return
			}
			st.pass(ms)
		}
		t.Error("the newcomer is lent nothing")
	})
	t.Run("not where it comes back", func(t *testing.T) {
		st := newStage(t, 1, 1)
		st.prove(ms)
		st.sky.begin = st.sky.end - 130
		l := st.must()
		if l.Count != 120 {
			t.Fatalf("lent %d frames, want 120", l.Count)
		}
		if l, ok := st.next(); ok {
			t.Fatalf("lent %+v of 10 frames that nobody had", l)
		}
		st.sky.release(Lease{First: l.First + 100, Count: 20})
		if back := st.must(); back.First != l.First+100 || back.Count != 30 {
			t.Errorf("lent %+v, want the 30 frames from %d on", back, l.First+100)
		}
	})
	t.Run("not where it airs soon", func(t *testing.T) {
		st := newStage(t, 1)
		st.prove(ms)
		st.sky.size = 240 // all of it airs within 1.5 s
		st.sky.end = st.sky.begin + 20
		if l := st.must(); l.Count >= 120 {
			t.Errorf("lent %+v", l)
		}
	})
}

func TestMissedFramesAreLentToProvenThreadsOnly(t *testing.T) {
	st := newStage(t, 1, 1)
	st.prove(5 * ms)
	st.sky.begin += 200 // the rest is there
	missed := st.must()
	frozen := missed.Thread
	st.miss(missed)

	proven := st.must()
	if proven.Thread == frozen || proven.First != missed.First {
		t.Errorf("lent %+v first, want the missed frames from %d on to the other thread", proven, missed.First)
	}
	st.sky.release(proven)
	st.Leave(proven.Thread.Conn)
	st.Offer(3, 1)
	for range 2 { // the frozen one and a newcomer
		if l := st.must(); l.First < proven.First+uint64(proven.Count) {
			t.Errorf("lent %+v, which was lent before, to a thread that is not proven", l)
		}
	}

	t.Run("of this fleet", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.sky.release(l)
		st.Leave(1)
		st.Offer(2, 1)
		if again := st.must(); again.First != l.First {
			t.Errorf("lent %+v, want from %d on: nobody is left who missed it", again, l.First)
		}
	})
	t.Run("of this timeline", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.sky.release(l)
		st.Forget()
		if again := st.must(); again.First != l.First {
			t.Errorf("lent %+v, want from %d on: nobody is to blame", again, l.First)
		}
	})
}
