package schedule

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

const ms = time.Millisecond

func TestFirstLeaseIsFourFramesForTwoSecondsAlone(t *testing.T) {
	st := newStage(t, 1)
	l := st.must()
	if want := (Lease{ID: 1, Thread: Thread{1, 0}, First: st.sky.begin, Count: 4, Lent: st.now, Within: 2 * time.Second}); l != want {
		t.Errorf("lent %+v, want %+v", l, want)
	}
	if more, ok := st.next(); ok {
		t.Errorf("lent %+v as well before the first answer", more)
	}
}

func TestChunkIsAQuarterSecondsWorkOrAShare(t *testing.T) {
	for _, c := range []struct {
		perFrame time.Duration
		threads  int
		ring     int
		want     int
	}{
		{5 * ms, 1, 600, 50},
		{25 * ms, 1, 600, 10},
		{62 * ms, 1, 600, 4},
		{63 * ms, 1, 600, 4},
		{900 * ms, 1, 600, 4},             // never fewer than 4
		{1 * ms, 1, 600, 120},             // never more than 120
		{time.Microsecond, 1, 3600, 120},  // nor in a long ring
		{1 * ms, 3, 600, 100},             // each finds two in the ring
		{1 * ms, 10, 600, 30},             //
		{20 * ms, 10, 600, 12},            // but works no longer for it
		{1 * ms, 100, 600, 4},             // never fewer than 4
		{1 * ms, 10, 240, 12},             // a shorter ring
		{time.Microsecond, 1000, 3600, 4}, // a crowd
	} {
		t.Run(fmt.Sprintf("%v a frame, %d threads, %d frames", c.perFrame, c.threads, c.ring), func(t *testing.T) {
			s := New(wire.MaxChunk)
			for i := range c.threads {
				s.Offer(uint32(i+1), 1)
			}
			th := &thread{perFrame: c.perFrame}
			if got := th.chunk(s.share(c.ring)); got != c.want {
				t.Errorf("lent %d frames, want %d", got, c.want)
			}
		})
	}
}

// TestNoLeaseIsLongerThanAllowed has a thread that would be lent the whole ring.
func TestNoLeaseIsLongerThanAllowed(t *testing.T) {
	for _, most := range []int{MinChunk, 17, wire.MaxChunk} {
		longest := 0
		st := newStage(t, 1)
		st.most = most
		for range 4 {
			l := st.must()
			longest = max(longest, l.Count)
			st.answer(l, time.Duration(l.Count)*10*time.Microsecond)
		}
		if longest != most {
			t.Errorf("the longest of four leases has %d frames, want %d", longest, most)
		}
	}
}

func TestLeaseCountFollowsTheMeasuredSpeed(t *testing.T) {
	st := newStage(t, 1)
	st.answer(st.must(), 4*10*ms)
	if l := st.must(); l.Count != 25 {
		t.Errorf("a thread that takes 10 ms a frame is lent %d frames, want 25", l.Count)
	}
}

func TestSpeedIsAWeightedMean(t *testing.T) {
	st := newStage(t, 1)
	want := 0.0
	for i, perFrame := range []time.Duration{8 * ms, 8 * ms, 16 * ms, 2 * ms, 2 * ms, 30 * ms} {
		l := st.must()
		st.answer(l, time.Duration(l.Count)*perFrame)
		if i == 0 {
			want = float64(perFrame)
		} else {
			want = want*3/4 + float64(perFrame)/4
		}
		if got := float64(st.thread(1, 0).perFrame); math.Abs(got-want) > float64(time.Microsecond) {
			t.Errorf("after answer %d: %v a frame, want %v", i+1, time.Duration(got), time.Duration(want))
		}
		st.all() // so that the thread is never idle for long
		for _, l := range slices.Clone(st.thread(1, 0).queue) {
			st.answer(l.Lease, time.Duration(l.Count)*st.thread(1, 0).perFrame) // which changes nothing
		}
	}
}

func TestOverheadIsSmoothedAsARoundTripTime(t *testing.T) {
	st := newStage(t, 1)
	var s, v float64
	for i, overhead := range []time.Duration{40 * ms, 40 * ms, 80 * ms, 10 * ms, 400 * ms, 0, 20 * ms} {
		r := float64(overhead)
		if i == 0 {
			s, v = r, r/2
		} else {
			v = v*3/4 + math.Abs(s-r)/4
			s = s*7/8 + r/8
		}
		l := st.must()
		st.answerLate(l, time.Duration(l.Count)*4*ms, overhead)
		th := st.thread(1, 0)
		if math.Abs(float64(th.overhead)-s) > 1000 || math.Abs(float64(th.variance)-v) > 1000 {
			t.Errorf("after answer %d: overhead %v ± %v, want %v ± %v", i+1, th.overhead, th.variance,
				time.Duration(s), time.Duration(v))
		}
		if len(th.queue) > 0 {
			t.Fatal("a second lease is running")
		}
	}
}

func TestLeaseLength(t *testing.T) {
	for _, c := range []struct {
		name                         string
		perFrame, overhead, variance time.Duration
		count                        int
		want                         time.Duration
	}{
		{"work, overhead and four times its deviation", 2 * ms, 150 * ms, 20 * ms, 100, 200*ms + 150*ms + 80*ms},
		{"at least twice the work", 10 * ms, 20 * ms, 5 * ms, 25, 500 * ms},
		{"at least 100 ms", 1 * ms, 10 * ms, 1 * ms, 4, 100 * ms},
		{"at most 5 s", 1 * ms, 3 * time.Second, 600 * ms, 120, 5 * time.Second},
		{"at most 5 s for whatever work", 10 * time.Second, 0, 0, 120, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			th := &thread{perFrame: c.perFrame, overhead: c.overhead, variance: c.variance}
			if got := th.patience(c.count); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			for misses, times := range []time.Duration{1, 2, 4} {
				th.misses = misses
				if got := th.patience(c.count); got != min(times*c.want, maxLease) {
					t.Errorf("after %d misses: got %v, want %v", misses, got, min(times*c.want, maxLease))
				}
			}
			th.misses = 3
			if got := th.patience(4); got != 2*time.Second {
				t.Errorf("after three misses: got %v, want a newcomer's 2s", got)
			}
		})
	}
}

func TestWindowCoversTheWay(t *testing.T) {
	for _, c := range []struct {
		overhead time.Duration
		want     int
	}{{0, 2}, {1 * ms, 2}, {100 * ms, 2}, {101 * ms, 3}, {350 * ms, 5}, {1600 * ms, 17}, {time.Minute, 17}} {
		th := &thread{perFrame: ms, overhead: c.overhead}
		if got := th.window(100); got != c.want {
			t.Errorf("overhead %v: %d leases, want %d", c.overhead, got, c.want)
		}
		th.misses = 1
		if got := th.window(100); got != 1 {
			t.Errorf("overhead %v after a miss: %d leases, want 1", c.overhead, got)
		}
		th.misses, th.owed = 0, []loan{{}}
		if got := th.window(100); got != 1 {
			t.Errorf("overhead %v while an answer is owed: %d leases, want 1", c.overhead, got)
		}
	}
}

func TestQuickThreadHasTenMillisecondsOfWork(t *testing.T) {
	for _, c := range []struct {
		perFrame time.Duration
		want     int
	}{{ms, 2}, {100 * time.Microsecond, 2}, {50 * time.Microsecond, 3}, {10 * time.Microsecond, 11}, {time.Microsecond, 17}} {
		if got := (&thread{perFrame: c.perFrame, overhead: 50 * time.Microsecond}).window(100); got != c.want {
			t.Errorf("%v a frame: %d leases of 100 frames, want %d", c.perFrame, got, c.want)
		}
	}
}

func TestWindowIsFilled(t *testing.T) {
	st := newStage(t, 2, 1)
	st.prove(5 * ms)
	leases := st.all()
	held := make(map[Thread]int)
	for _, l := range leases {
		held[l.Thread]++
	}
	for th := range st.trusted.all() {
		if held[th.id] != 2 {
			t.Errorf("thread %v holds %d leases, want 2", th.id, held[th.id])
		}
	}
	for i, l := range leases[:3] {
		if slices.ContainsFunc(leases[:i], func(earlier Lease) bool { return earlier.Thread == l.Thread }) {
			t.Errorf("thread %v got a second lease before others got one", l.Thread)
		}
	}
}

// TestKarnsRule: the overhead is measured by an answer only where it is sure when the thread began.
func TestKarnsRule(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  func(st *stage) // brings the last answer, 7 ms after the thread could have given it
		sampled bool
	}{
		{"the first lease of an idle thread", func(st *stage) { st.answerLate(st.must(), 20*ms, 7*ms) }, true},
		{"a queued lease after an answer", func(st *stage) {
			first, second := st.must(), st.must()
			st.answer(first, 20*ms)
			st.thread(1, 0).overhead, st.thread(1, 0).variance = 0, 0
			st.answerLate(second, 20*ms, 7*ms)
		}, true},
		{"a queued lease that overtook another", func(st *stage) {
			st.must()
			st.answerLate(st.must(), 20*ms, 7*ms)
		}, false},
		{"a lease that ran out, and was the only one", func(st *stage) {
			l := st.must()
			st.miss(l)
			st.pass(7*ms - l.Within)
			st.answer(l, l.Within)
		}, true},
		{"a lease that was withdrawn, and is answered all the same", func(st *stage) {
			first, second := st.must(), st.must()
			st.miss(first)
			st.answerLate(second, 20*ms, 7*ms)
		}, false},
		{"a lease that began while another was owed", func(st *stage) {
			st.miss(st.must())
			st.answerLate(st.must(), 20*ms, 7*ms)
		}, false},
		{"a lease that ran out, and whose answer crosses the word to stop", func(st *stage) {
			l := st.must()
			st.miss(l)
			st.Delivered(st.now, l.First, l.Count)
			st.pass(7*ms - l.Within)
			st.answer(l, l.Within)
		}, true},
		{"a lease that began after the word to stop another", func(st *stage) {
			l := st.must()
			st.miss(l)
			st.Delivered(st.now, l.First, l.Count)
			st.answerLate(st.must(), 20*ms, 7*ms)
		}, true},
		{"a lease behind an owed one that was answered after all", func(st *stage) {
			first := st.must()
			st.miss(first)
			second := st.must()
			st.answer(first, 0)
			st.thread(1, 0).overhead, st.thread(1, 0).variance = 0, 0
			st.answerLate(second, 20*ms, 7*ms)
		}, true},
		{"a lease behind one that somebody else delivered", func(st *stage) {
			first, second := st.must(), st.must()
			st.Delivered(st.now, first.First, first.Count)
			st.answerLate(second, 20*ms, 7*ms)
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStage(t, 1)
			st.prove(5 * ms)
			c.answer(st)
			want := time.Duration(0)
			if c.sampled {
				want = 7 * ms
			}
			if got := st.thread(1, 0).overhead; got != want {
				t.Errorf("the overhead is %v, want %v", got, want)
			}
		})
	}
}

func TestQueuedLeasesTimeStartsWhenTheOneBeforeEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(st *stage, first Lease) // ends the first lease, some time after it began
	}{
		{"by its answer", func(st *stage, first Lease) { st.answer(first, 300*ms) }},
		{"by its answer, which is late but not too late", func(st *stage, first Lease) { st.answer(first, first.Within-ms) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStage(t, 1)
			st.prove(5 * ms)
			first, second := st.must(), st.must()
			c.end(st, first)
			st.pass(second.Within - time.Microsecond)
			if freed := st.expire(); len(freed) != 0 {
				t.Errorf("%+v ran out too early", freed)
			}
			st.pass(time.Microsecond)
			if freed := st.expire(); len(freed) != 1 || freed[0] != second {
				t.Errorf("%+v ran out, want %+v", freed, second)
			}
		})
	}
	t.Run("but only once for each answer that is owed", func(t *testing.T) {
		st := newStage(t, 1)
		st.prove(5 * ms)
		first := st.must()
		st.miss(first)
		second := st.must()
		st.answer(first, 0)
		st.pass(second.Within / 2)
		st.answer(first, 0) // once more
		st.pass(second.Within / 2)
		if freed := st.expire(); len(freed) != 1 {
			t.Error("a thread that repeats itself gets more time")
		}
	})
}

func TestHostileSpentIsBelievedAsFarAsItCanBe(t *testing.T) {
	for _, c := range []struct {
		name           string
		spent, elapsed time.Duration
		perFrame       time.Duration
		overhead       time.Duration
	}{
		{"nothing at all", 0, 80 * ms, time.Microsecond, 80 * ms},
		{"less than nothing", -time.Hour, 80 * ms, time.Microsecond, 80 * ms},
		{"more than has passed", 71 * time.Minute, 80 * ms, 20 * ms, 0},
		{"all there is", math.MaxInt64, 80 * ms, 20 * ms, 0},
		{"in no time", 71 * time.Minute, 0, time.Microsecond, 0},
		{"a sleep", time.Hour, time.Hour, 1250 * ms, 0},
		{"nothing, after a sleep", 0, time.Hour, time.Microsecond, 5 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			st := newStage(t, 1)
			l := st.must()
			st.now = st.now.Add(c.elapsed)
			st.Answer(st.now, 1, l.ID, c.spent)
			th := st.thread(1, 0)
			if th.perFrame != c.perFrame || th.overhead != c.overhead {
				t.Errorf("%v a frame and %v beyond; want %v and %v", th.perFrame, th.overhead, c.perFrame, c.overhead)
			}
			if n := th.chunk(120); n < 4 || n > 120 {
				t.Errorf("a chunk of %d frames", n)
			}
			if d := th.patience(120); d < 100*ms || d > 5*time.Second {
				t.Errorf("a lease of %v", d)
			}
			if back := th.delivery(st.now, 120); back < st.now {
				t.Errorf("it is back %v ago", st.now.Sub(back))
			}
		})
	}
}

func TestSpentInAQueuedLeaseIsBoundByItsLending(t *testing.T) {
	st := newStage(t, 1)
	st.prove(10 * ms)
	first, second := st.must(), st.must()
	st.pass(500 * ms) // both answers are held up, and come at once
	st.Answer(st.now, 1, first.ID, 250*ms)
	st.Answer(st.now, 1, second.ID, 250*ms)
	if got := st.thread(1, 0).perFrame; got != 10*ms {
		t.Errorf("%v a frame, want 10ms: the thread rendered while its answers travelled", got)
	}
}

func TestInstantsFarFromTheEpoch(t *testing.T) {
	st := newStage(t, 1)
	st.now = timeline.Start(1 << 40)
	st.sky = newSky(st.now, 600)
	st.prove(5 * ms)
	if l := st.must(); l.First < 1<<40 || l.Count != 50 {
		t.Errorf("lent %+v", l)
	}
}

func TestSilentThreadHasRoomForOneMore(t *testing.T) {
	const chunk = 100
	holding := func(leases int) *thread {
		th := &thread{perFrame: ms / 10, overhead: 3 * ms, variance: ms}
		for i := range leases {
			th.lend(0, Lease{ID: uint64(i + 1), Count: chunk})
		}
		return th
	}
	full := holding(1).window(chunk)
	due := timeline.Instant(0).Add(time.Duration(full)*chunk*ms/10 + 3*ms + 4*ms)
	for name, c := range map[string]struct {
		thread *thread
		now    timeline.Instant
		want   bool
	}{
		"its answers may come as usual":  {holding(full), due, false},
		"all should have come":           {holding(full), due + 1, true},
		"it holds one more":              {holding(full + 1), due + 1, false},
		"these should have come as well": {holding(full + 1), due.Add(chunk*ms/10) + 1, true},
		"it holds as many as can be":     {holding(maxQueued + 1), due.Add(time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := len(c.thread.queue) < full || c.thread.silent(c.now); got != c.want {
				t.Errorf("room: %v, want %v", got, c.want)
			}
		})
	}
	for name, change := range map[string]func(*thread){
		"missed one":     func(th *thread) { th.misses = 1 },
		"owes an answer": func(th *thread) { th.owed = []loan{{}} },
		"never answered": func(th *thread) { th.perFrame = 0 },
	} {
		t.Run("not where it "+name, func(t *testing.T) {
			th := holding(full)
			change(th)
			if th.silent(timeline.Instant(0).Add(time.Hour)) {
				t.Error("room for one more")
			}
		})
	}
}

// TestWhatWaitsIsAQuarterOfTheRing has a thread that could hold twelve leases share rings with others.
func TestWhatWaitsIsAQuarterOfTheRing(t *testing.T) {
	for _, c := range []struct{ threads, ring, want int }{
		{1, 12_000, 12}, {1, 2400, 6}, {2, 4800, 6}, {8, 12_000, 4}, {8, 600, 3},
	} {
		st := newStage(t, slices.Repeat([]int{1}, c.threads)...)
		st.prove(ms / 120)
		th := st.thread(1, 0)
		th.perFrame, th.overhead = ms/120, 0
		held := 0
		for ; st.mayHold(th, st.now, c.ring); held++ {
			th.lend(st.now, Lease{ID: uint64(held + 1), Count: 120})
		}
		if held != c.want {
			t.Errorf("%d threads and a ring of %d: one may hold %d leases, want %d", c.threads, c.ring, held, c.want)
		}
	}
}
