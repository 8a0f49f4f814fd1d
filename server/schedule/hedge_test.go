package schedule

import (
	"slices"
	"testing"
	"time"
)

// late returns a stage on which thread 1.0 holds a lease of frames that air in two seconds, and is late with it, while
// 2.0 and 3.0 have nothing to do, of which 3.0 is the faster.
func late(t *testing.T) (*stage, Lease) {
	st := newStage(t, 1, 1, 1)
	st.prove(5 * ms)
	st.thread(2, 0).perFrame = 3 * ms
	st.thread(3, 0).perFrame = 2 * ms
	for n := st.sky.begin; n < st.sky.end; n++ {
		st.sky.done[n] = true
	}
	first := st.sky.Due(st.now.Add(2500 * ms))
	for n := first; n < first+20; n++ {
		st.sky.done[n] = false
	}
	st.trusted.next(st.thread(1, 0)) // the others are asked first, but for now they rest
	st.thread(2, 0).restUntil, st.thread(3, 0).restUntil = st.now+1, st.now+1
	l := st.must()
	if l.Thread.Conn != 1 || l.Count != 20 {
		t.Fatalf("lent %+v, want 20 frames to thread 1.0", l)
	}
	l.Within = maxLease // so that it does not run out meanwhile
	st.thread(1, 0).queue[0].Lease = l
	st.hedges = hedgeBurst
	st.pass(usualAnswer + 50*ms)
	return st, l
}

func (st *stage) hedge() (Lease, bool) { return st.Hedge(st.now, st.sky) }

func TestHedgeGoesToTheFastestIdleThread(t *testing.T) {
	st, l := late(t)
	h, ok := st.hedge()
	if !ok || h.Thread.Conn != 3 || h.First != l.First || h.Count != l.Count || !h.Hedge || h.ID == l.ID {
		t.Fatalf("hedged as %+v, %v, want %+v once more by thread 3.0", h, ok, l)
	}
	if h.Lent != st.now {
		t.Errorf("the hedge was lent at %v, want now, %v", h.Lent, st.now)
	}
	if again, ok := st.hedge(); ok {
		t.Errorf("hedged a second time as %+v", again)
	}
	if got := st.hedges; got != hedgeBurst-20 {
		t.Errorf("%v hedges are left, want %v", got, hedgeBurst-20)
	}
}

func TestHedgeThatIsLateIsHedged(t *testing.T) {
	st, l := late(t)
	first, _ := st.hedge()
	st.thread(first.Thread.Conn, 0).queue[0].Within = maxLease
	st.pass(usualAnswer)
	if again, ok := st.hedge(); ok {
		t.Fatalf("hedged as %+v while the first copy may come as usual", again)
	}
	st.pass(ms)
	again, ok := st.hedge()
	if !ok || again.Thread.Conn != 2 || again.First != l.First || again.Count != l.Count {
		t.Errorf("hedged as %+v, %v, want %+v once more by thread 2.0", again, ok, l)
	}
}

func TestHedgeGoesToSilentThreadsWhereNobodyIsIdle(t *testing.T) {
	st, l := late(t)
	busyThreads(st)
	silent := st.thread(2, 0)
	silent.queue[0].started = st.now.Add(-time.Second)
	if h, ok := st.hedge(); !ok || h.Thread != silent.id || h.First != l.First {
		t.Errorf("hedged as %+v, %v, want it by the silent thread 2.0", h, ok)
	}
	st, _ = late(t)
	busyThreads(st)
	st.thread(2, 0).queue = nil
	st.thread(3, 0).queue[0].started = st.now.Add(-time.Second)
	if h, ok := st.hedge(); !ok || h.Thread.Conn != 2 {
		t.Errorf("hedged as %+v, %v, want it by 2.0, which is idle", h, ok)
	}
}

func TestHedgeEndsTheOtherCopy(t *testing.T) {
	for name, first := range map[string]bool{"when it comes first": true, "when it comes second": false} {
		t.Run(name, func(t *testing.T) {
			st, l := late(t)
			h, _ := st.hedge()
			winner, loser := l, h
			if first {
				winner, loser = h, l
			}
			st.pass(50 * ms)
			if _, outcome, _ := st.Answer(st.now, winner.Thread.Conn, winner.ID, 40*ms); outcome != OnTime {
				t.Fatalf("the answer is %v", outcome)
			}
			if done := st.Delivered(st.now, l.First, l.Count); !slices.Equal(done, []Lease{loser}) {
				t.Errorf("to stop are %+v, want %+v", done, loser)
			}
			th := st.thread(loser.Thread.Conn, 0)
			if len(th.queue) != 0 || th.misses != 0 {
				t.Errorf("the other has %d leases and %d misses, want none", len(th.queue), th.misses)
			}
		})
	}
}

func TestHedgeIsOfWhatIsLacking(t *testing.T) {
	st, l := late(t)
	st.Delivered(st.now, l.First, 5)
	st.Delivered(st.now, l.First+12, 8)
	if h, ok := st.hedge(); !ok || h.First != l.First+5 || h.Count != 7 {
		t.Errorf("hedged as %+v, %v, want the 7 frames that are lacking", h, ok)
	}
}

func TestWhatIsNotHedged(t *testing.T) {
	for name, change := range map[string]func(*stage, Lease){
		"what is not late":                   func(st *stage, l Lease) { st.thread(1, 0).queue[0].asked = st.now.Add(-usualAnswer) },
		"what is usual by now":               func(st *stage, l Lease) { slowFleet(st) },
		"what airs too late to matter":       func(st *stage, l Lease) { st.thread(1, 0).queue[0].First += 300 },
		"what nobody can deliver in time":    func(st *stage, l Lease) { slowThreads(st, 200*ms) },
		"where all are busy":                 func(st *stage, l Lease) { busyThreads(st) },
		"where the others rest":              func(st *stage, l Lease) { restingThreads(st) },
		"where the others are newcomers":     func(st *stage, l Lease) { st.newcomers, st.trusted = st.trusted, line{} },
		"with another thread of its holder":  func(st *stage, l Lease) { st.Leave(2); st.Leave(3); addThread(st) },
		"where the others are not proven":    func(st *stage, l Lease) { slowThreads(st, 0) },
		"what was all delivered":             func(st *stage, l Lease) { st.Delivered(st.now, l.First, l.Count) },
		"what has aired":                     func(st *stage, l Lease) { st.pass(3 * time.Second) },
		"more than a twentieth, before time": func(st *stage, l Lease) { earlier(st); st.hedges = 19 },
	} {
		t.Run(name, func(t *testing.T) {
			st, l := late(t)
			change(st, l)
			if h, ok := st.hedge(); ok {
				t.Errorf("hedged as %+v", h)
			}
		})
	}
	t.Run("but for a twentieth, before time", func(t *testing.T) {
		st, _ := late(t)
		earlier(st)
		st.hedges = 20
		if _, ok := st.hedge(); !ok {
			t.Error("not hedged")
		}
	})
	t.Run("but shortly before it airs, whatever it costs", func(t *testing.T) {
		st, _ := late(t)
		st.hedges = 0
		if _, ok := st.hedge(); !ok {
			t.Error("not hedged")
		}
		if st.hedges != 0 {
			t.Errorf("%v hedges are owed", -st.hedges)
		}
	})
}

// slowFleet has answers take three seconds.
func slowFleet(st *stage) {
	for range 64 {
		st.answers.add(3 * time.Second)
	}
}

func slowThreads(st *stage, perFrame time.Duration) {
	st.thread(2, 0).perFrame, st.thread(3, 0).perFrame = perFrame, perFrame
}

func busyThreads(st *stage) {
	for _, conn := range []uint32{2, 3} {
		st.thread(conn, 0).lend(st.now, Lease{ID: 99, Thread: Thread{conn, 0}, First: st.sky.end, Count: 4})
	}
}

func restingThreads(st *stage) {
	for _, conn := range []uint32{2, 3} {
		st.thread(conn, 0).restUntil = st.now + 1
	}
}

func addThread(st *stage) {
	th := &thread{id: Thread{1, 1}, perFrame: ms}
	st.conns[1].threads = append(st.conns[1].threads, th)
	st.trusted.push(th)
	st.trusted.next(th) // it was lent to
}

// earlier moves the stage to when the frames air in more than two seconds.
func earlier(st *stage) {
	st.now = st.now.Add(-300 * ms)
	st.thread(1, 0).queue[0].asked = st.now.Add(-usualAnswer - ms)
}

func TestHedgesAreSavedUp(t *testing.T) {
	st := newStage(t, 1)
	st.Delivered(st.now, 0, 100)
	if st.hedges != 5 {
		t.Errorf("%v hedges after 100 frames, want 5", st.hedges)
	}
	for range 100 {
		st.Delivered(st.now, 0, 120)
	}
	if st.hedges != hedgeBurst {
		t.Errorf("%v hedges after 12,100 frames, want %v", st.hedges, hedgeBurst)
	}
}

func TestSlowAnswersAreTheTwentieth(t *testing.T) {
	var a answers
	if got := a.slow(); got != usualAnswer {
		t.Errorf("slow are %v before any came, want %v", got, usualAnswer)
	}
	for i := range 19 {
		a.add(time.Duration(i) * ms)
	}
	if got := a.slow(); got != usualAnswer {
		t.Errorf("slow are %v after 19, want %v", got, usualAnswer)
	}
	a.add(time.Second)
	if got := a.slow(); got != time.Second {
		t.Errorf("slow are %v after 20, want the slowest", got)
	}
	for i := range 200 {
		a.add(time.Duration(1+i*37%100) * ms)
	}
	if got := a.slow(); got < 90*ms || got > 100*ms {
		t.Errorf("slow are %v of 1 to 100 ms, want about 95 ms", got)
	}
}

// TestFrozenThreadsChunkIsElsewhereWithinASecond freezes a thread of a fleet like those that browsers make.
func TestFrozenThreadsChunkIsElsewhereWithinASecond(t *testing.T) {
	f := newFleet(600, worker{perFrame: 2 * ms, way: 20 * ms}, worker{perFrame: 2 * ms, way: 20 * ms}, worker{perFrame: 2 * ms, way: 20 * ms})
	f.run(20 * time.Second)
	w := f.order[0]
	for len(f.thread(w.id).queue) == 0 {
		f.run(ms)
	}
	w.frozen = true
	held := appendLeases(nil, f.thread(w.id).queue)
	f.run(time.Second)
	for _, l := range held {
		for n := l.First; n < l.First+uint64(l.Count); n++ {
			if !f.sky.done[n] && f.elsewhere(w.id, n) == 0 && n >= f.sky.begin {
				t.Errorf("frame %d is with nobody else a second after its thread froze", n)
			}
		}
	}
}

func (f *fleet) thread(id Thread) *thread { return f.conns[id.Conn].threads[id.Index] }

// elsewhere returns how many other threads hold frame n.
func (f *fleet) elsewhere(id Thread, n uint64) (holders int) {
	for th := range f.Scheduler.threads() {
		for _, l := range th.queue {
			if th.id != id && n >= l.First && n < l.First+uint64(l.Count) {
				holders++
			}
		}
	}
	return holders
}
