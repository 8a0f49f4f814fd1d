package schedule

import (
	"cmp"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// ahead is how long before its moment a frame airs in these tests.
const ahead = 2500 * time.Millisecond

// A sky is a ring without pictures: the frames that are yet to air, and how many render each of them.
type sky struct {
	size  int
	begin uint64         // the first frame that is yet to air
	end   uint64         // the first one behind the horizon
	lent  map[uint64]int // by frame: how many it is lent to
	done  map[uint64]bool

	beside, alone int // what Probation returns

	looks int // calls of FreeRun
}

// newSky returns a sky of size frames, all of them free, as it is at now. Newcomers may have all of it.
func newSky(now timeline.Instant, size int) *sky {
	w := &sky{size: size, lent: make(map[uint64]int), done: make(map[uint64]bool)}
	w.beside, w.alone = wire.MaxChunk, wire.MaxChunk
	w.begin = now.Frame()
	w.advance(now)
	return w
}

func airs(n uint64) timeline.Instant { return timeline.Start(n).Add(-ahead) }

// advance lets time pass, and returns how many frames aired and how many of them were not there.
func (w *sky) advance(now timeline.Instant) (aired, stalled int) {
	for ; airs(w.begin) <= now; w.begin++ {
		aired++
		if !w.done[w.begin] {
			stalled++
		}
		delete(w.lent, w.begin)
		delete(w.done, w.begin)
	}
	w.end = now.Frame() + uint64(w.size)
	return aired, stalled
}

func (w *sky) Size() int   { return w.size }
func (w *sky) End() uint64 { return w.end }

func (w *sky) Probation() (beside, alone int) { return w.beside, w.alone }

func (w *sky) Due(t timeline.Instant) uint64 {
	return w.begin + uint64(sort.Search(int(w.end-w.begin), func(i int) bool { return airs(w.begin+uint64(i)) >= t }))
}

func (w *sky) free(n uint64) bool { return w.lent[n] == 0 && !w.done[n] }

func (w *sky) FreeRun(from uint64, limit int) (first uint64, count int) {
	w.looks++
	first = max(from, w.begin)
	for first < w.end && !w.free(first) {
		first++
	}
	for count < limit && first+uint64(count) < w.end && w.free(first+uint64(count)) {
		count++
	}
	return first, count
}

func (w *sky) lend(l Lease) {
	for n := l.First; n < l.First+uint64(l.Count); n++ {
		w.lent[n]++
	}
}

// release takes leases back.
func (w *sky) release(leases ...Lease) {
	for _, l := range leases {
		for n := l.First; n < l.First+uint64(l.Count); n++ {
			if w.lent[n]--; w.lent[n] <= 0 {
				delete(w.lent, n)
			}
		}
	}
}

// fill notes the frames of a lease that came back, and returns how many of them are of use.
func (w *sky) fill(l Lease) (fresh int) {
	for n := l.First; n < l.First+uint64(l.Count); n++ {
		if n >= w.begin && n < w.end && !w.done[n] {
			w.done[n] = true
			fresh++
		}
	}
	return fresh
}

// A stage is a scheduler under a sky, at a moment that the test moves.
type stage struct {
	*Scheduler
	t   *testing.T
	now timeline.Instant
	sky *sky
}

// dawn is when stages open: frame 600,000.
const dawn = timeline.Instant(10_000 * time.Second / time.Microsecond)

// newStage returns a stage with a ring of 10 s and a connection for each number of threads, numbered from 1.
func newStage(t *testing.T, threads ...int) *stage {
	st := &stage{Scheduler: New(wire.MaxChunk), t: t, now: dawn, sky: newSky(dawn, 600)}
	for i, n := range threads {
		st.Offer(uint32(i+1), n)
		st.Trust(uint32(i + 1))
	}
	return st
}

// pass lets time pass.
func (st *stage) pass(d time.Duration) {
	st.now = st.now.Add(d)
	st.sky.advance(st.now)
}

// next lends one chunk, if there is one to lend.
func (st *stage) next() (Lease, bool) {
	st.t.Helper()
	l, ok := st.Next(st.now, st.sky)
	if !ok {
		return l, false
	}
	for n := l.First; n < l.First+uint64(l.Count); n++ {
		if !st.sky.free(n) || n < st.sky.begin || n >= st.sky.end {
			st.t.Fatalf("frame %d of %+v was not to be had", n, l)
		}
	}
	st.sky.lend(l)
	return l, true
}

// must lends a chunk that has to be there.
func (st *stage) must() Lease {
	st.t.Helper()
	l, ok := st.next()
	if !ok {
		st.t.Fatal("nobody is lent anything")
	}
	return l
}

// all lends everything.
func (st *stage) all() (leases []Lease) {
	st.t.Helper()
	for {
		l, ok := st.next()
		if !ok {
			return leases
		}
		leases = append(leases, l)
	}
}

// answer answers a lease after some time, all of which was spent on it.
func (st *stage) answer(l Lease, spent time.Duration) {
	st.t.Helper()
	st.answerLate(l, spent, 0)
}

// answerLate answers a lease after the time spent on it and an overhead.
func (st *stage) answerLate(l Lease, spent, overhead time.Duration) {
	st.t.Helper()
	st.pass(spent + overhead)
	_, outcome, skipped := st.Answer(st.now, l.Thread.Conn, l.ID, spent)
	if outcome == Unknown {
		st.t.Fatalf("%+v is unknown", l)
	}
	st.sky.release(l)
	st.sky.release(skipped...)
	st.sky.fill(l)
}

// expire takes back what has run out, and what waits behind it, and returns the former.
func (st *stage) expire() []Lease {
	missed, withdrawn := st.Expire(st.now)
	st.sky.release(missed...)
	st.sky.release(withdrawn...)
	return missed
}

// miss lets the only running lease run out.
func (st *stage) miss(l Lease) {
	st.t.Helper()
	st.pass(l.Within)
	if freed := st.expire(); len(freed) != 1 || freed[0] != l {
		st.t.Fatalf("%+v ran out, want %+v", freed, l)
	}
}

// prove makes every thread a proven one that takes so long for a frame, and has no overhead.
func (st *stage) prove(perFrame time.Duration) {
	st.t.Helper()
	for range st.Threads() {
		l := st.must()
		st.answer(l, time.Duration(l.Count)*perFrame)
	}
	for th := range st.trusted.all() {
		if !th.proven() {
			st.t.Fatalf("thread %v is not proven", th.id)
		}
	}
}

// ordered returns all threads of a line, as they stand in it.
func (l *line) ordered() []*thread {
	return slices.SortedFunc(l.all(), func(a, b *thread) int { return cmp.Compare(a.place.turn, b.place.turn) })
}

// thread returns what is known of a thread.
func (st *stage) thread(conn uint32, index int) *thread { return st.conns[conn].threads[index] }
