package schedule

import (
	"testing"
	"time"
)

func TestCrowdWithoutWorkIsCheap(t *testing.T) {
	st := crowd()
	st.sky.begin = st.sky.end - 2 // a scrap is left
	st.sky.looks = 0
	if l, ok := st.Next(st.now, st.sky); ok {
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

// crowd returns a stage with 1,000 threads of different speeds.
func crowd() *stage {
	st := &stage{Scheduler: New(), now: dawn, sky: newSky(dawn, 600)}
	for conn := range uint32(250) {
		st.Join(conn+1, 4)
		st.Trust(conn + 1)
	}
	for i, th := range st.trusted {
		th.perFrame, th.overhead, th.measured = time.Duration(1+i%7)*ms, time.Duration(i%90)*ms, st.now
	}
	return st
}

// An endless sky has always something to lend.
type endless struct{ *sky }

func (w endless) FreeRun(from uint64, limit int) (uint64, int) { return max(from, w.begin), limit }
