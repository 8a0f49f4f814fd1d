package schedule

import (
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

func TestCrowdWithoutWorkIsCheap(t *testing.T) {
	st := crowd(1000)
	st.sky.begin = st.sky.end - 2 // a scrap is left
	st.sky.looks = 0
	if l, ok := st.Next(st.now, st.sky); ok {
		t.Fatalf("lent %+v", l)
	}
	if st.sky.looks > 10 {
		t.Errorf("looked for free frames %d times for 1000 threads", st.sky.looks)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	m := newMill(100)
	if n := testing.AllocsPerRun(1000, func() { m.turn() }); n != 0 {
		t.Errorf("%v allocations for a result and the lease that follows it, want none", n)
	}
	st := crowd(1000)
	st.tick()
	if n := testing.AllocsPerRun(100, st.tick); n != 0 {
		t.Errorf("%v allocations a tick, want none", n)
	}
}

func TestWhoIsIdleCostsNothing(t *testing.T) {
	m := newMill(1000)
	if looked := len(slices.Collect(m.newcomers.candidates())); looked != 1 {
		t.Errorf("%d of 1000 newcomers that are alike are looked at, want 1", looked)
	}
	if engaged := len(m.engaged); engaged > 8 {
		t.Errorf("%d threads are engaged where 8 are lent to", engaged)
	}
	for _, l := range m.held {
		m.Delivered(m.now, l.First, l.Count)
	}
	m.Expire(m.now)
	if engaged := len(m.engaged); engaged != 0 {
		t.Errorf("%d threads are engaged when all is done, want none", engaged)
	}
}

// BenchmarkNextCrowd is the cost of lending a chunk to one of 1,000 threads, and of its answer.
func BenchmarkNextCrowd(b *testing.B) {
	st := crowd(1000)
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
	st := crowd(1000)
	for n := st.sky.begin; n < st.sky.end; n++ {
		st.sky.done[n] = true
	}
	b.ReportAllocs()
	for b.Loop() {
		if l, ok := st.Next(st.now, st.sky); ok {
			b.Fatalf("lent %+v", l)
		}
	}
}

// crowd returns a stage with so many threads of different speeds, four to a connection.
func crowd(threads int) *stage {
	st := &stage{Scheduler: New(wire.MaxChunk), now: dawn, sky: newSky(dawn, 600)}
	for conn := range uint32(threads / 4) {
		st.Offer(conn+1, 4)
		st.Trust(conn + 1)
	}
	for i, th := range st.trusted.ordered() {
		st.trusted.next(th) // it was lent to
		th.perFrame, th.overhead, th.measured = time.Duration(1+i%7)*ms, time.Duration(i%90)*ms, st.now
	}
	return st
}

// An endless sky has always something to lend.
type endless struct{ *sky }

func (w endless) FreeRun(from uint64, limit int) (uint64, int) { return max(from, w.begin), limit }
