package schedule

import (
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
	if lost := st.Delivered(late.First, late.Count); len(lost) != 0 {
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
		st.Join(2, 1)
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

func TestDelivered(t *testing.T) {
	// The lease of 50 frames that ran out, relative to whose first frame the deliveries are.
	type piece struct{ first, count int }
	for _, c := range []struct {
		name   string
		pieces []piece
		when   int // the piece with which it is delivered; -1 never
	}{
		{"at once", []piece{{0, 50}}, 0},
		{"with more around it", []piece{{-10, 70}}, 0},
		{"not by less", []piece{{1, 49}, {0, 0}, {-10, 10}, {50, 10}}, -1},
		{"in two pieces", []piece{{0, 20}, {20, 30}}, 1},
		{"in pieces out of order", []piece{{20, 10}, {40, 20}, {-5, 25}, {30, 10}}, 3},
		{"not by one piece twice", []piece{{0, 30}, {0, 30}, {10, 20}}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStage(t, 1, 1)
			st.prove(5 * ms)
			l := st.must()
			st.pass(l.Within)
			st.expire()
			for i, p := range c.pieces {
				lost := st.Delivered(uint64(int(l.First)+p.first), p.count)
				if got := slices.Contains(lost, l); got != (i == c.when) {
					t.Errorf("piece %d: lost %+v", i, lost)
				}
			}
			if lost := st.Delivered(l.First, l.Count); (c.when >= 0) != (len(lost) == 0) {
				t.Errorf("lost %+v in the end", lost)
			}
			if lost := st.Delivered(l.First, l.Count); len(lost) != 0 {
				t.Errorf("lost %+v twice", lost)
			}
		})
	}
	t.Run("says nothing about a running lease", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		if lost := st.Delivered(l.First, l.Count); len(lost) != 0 {
			t.Errorf("lost %+v", lost)
		}
	})
	t.Run("counts what was delivered before the lease ran out", func(t *testing.T) {
		st := newStage(t, 1)
		st.prove(5 * ms)
		l := st.must()
		st.Delivered(l.First, 20)
		st.miss(l)
		if lost := st.Delivered(l.First+20, l.Count-20); !slices.Equal(lost, []Lease{l}) {
			t.Errorf("lost %+v, want %+v", lost, l)
		}
	})
	t.Run("says nothing about what was answered late", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.miss(l)
		st.answer(l, ms)
		if lost := st.Delivered(l.First, l.Count); len(lost) != 0 {
			t.Errorf("lost %+v", lost)
		}
	})
	t.Run("says nothing about what its thread has overtaken", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.miss(l)
		st.answer(st.must(), ms)
		if lost := st.Delivered(l.First, l.Count); len(lost) != 0 {
			t.Errorf("lost %+v", lost)
		}
	})
	t.Run("says nothing to who is gone", func(t *testing.T) {
		st := newStage(t, 1)
		l := st.must()
		st.miss(l)
		st.Leave(1)
		if lost := st.Delivered(l.First, l.Count); len(lost) != 0 {
			t.Errorf("lost %+v", lost)
		}
	})
	t.Run("comes in one order", func(t *testing.T) {
		st := newStage(t, 8, 8, 8)
		leases := st.all()
		st.pass(2 * time.Second)
		st.expire()
		lost := st.Delivered(leases[0].First, 600)
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
	st.Join(3, 1)
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
		st.Join(2, 1)
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

func TestCrowdWithoutWorkIsCheap(t *testing.T) {
	threads := make([]int, 250)
	for i := range threads {
		threads[i] = 4
	}
	st := newStage(t, threads...)
	for _, th := range st.order { // all alike, but for how quick they are
		th.perFrame, th.measured = time.Duration(1+len(th.queue))*ms, st.now
	}
	st.sky.begin = st.sky.end - 2 // a scrap is left
	st.sky.looks = 0
	if l, ok := st.next(); ok {
		t.Fatalf("lent %+v", l)
	}
	if st.sky.looks > 10 {
		t.Errorf("looked for free frames %d times for 1000 threads", st.sky.looks)
	}
}

// BenchmarkNextCrowd is the cost of lending a chunk to one of 1,000 threads, and of its answer.
func BenchmarkNextCrowd(b *testing.B) {
	st := crowd()
	b.ReportAllocs()
	for b.Loop() {
		l, ok := st.Next(st.now, endless{st.sky})
		if !ok {
			b.Fatal("nobody is lent anything")
		}
		st.Answer(st.now, l.Thread.Conn, l.ID, 20*ms)
	}
}

// BenchmarkNextCrowdIdle is the cost of finding nothing to lend to any of 1,000 threads.
func BenchmarkNextCrowdIdle(b *testing.B) {
	st := crowd()
	st.sky.begin = st.sky.end
	b.ReportAllocs()
	for b.Loop() {
		if l, ok := st.Next(st.now, st.sky); ok {
			b.Fatalf("lent %+v", l)
		}
	}
}

// crowd returns a stage with 1,000 threads of different speeds.
func crowd() *stage {
	st := &stage{Scheduler: New(), now: dawn, sky: newSky(dawn, 600)}
	for conn := range uint32(250) {
		st.Join(conn+1, 4)
	}
	for i, th := range st.order {
		th.perFrame, th.overhead, th.measured = time.Duration(1+i%7)*ms, time.Duration(i%90)*ms, st.now
	}
	return st
}

// An endless sky has always something to lend.
type endless struct{ *sky }

func (w endless) FreeRun(from uint64, limit int) (uint64, int) { return max(from, w.begin), limit }
