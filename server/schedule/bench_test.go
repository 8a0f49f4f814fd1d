package schedule

import (
	"fmt"
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

// tick is what the orchestrator asks as time passes: to take back, to lend and to hedge, until there is no more.
func (st *stage) tick() {
	missed, withdrawn := st.Expire(st.now)
	st.sky.release(missed...)
	st.sky.release(withdrawn...)
	for {
		l, ok := st.Next(st.now, st.sky)
		if !ok {
			break
		}
		st.sky.lend(l)
	}
	for {
		l, ok := st.Hedge(st.now, st.sky)
		if !ok {
			return
		}
		st.sky.lend(l)
	}
}

// BenchmarkTick is the cost of a tick of a fleet of 10,000 threads among which the ring is dealt out.
func BenchmarkTick(b *testing.B) {
	st := crowd(10_000)
	st.tick()
	b.ReportAllocs()
	for b.Loop() {
		st.tick()
	}
}

// BenchmarkTickResting is the same where all that have time rest, since they missed, and there is work that they would
// get.
func BenchmarkTickResting(b *testing.B) {
	st := crowd(10_000)
	for _, c := range st.conns {
		for _, th := range c.threads {
			th.misses, th.restUntil = 9, st.now.Add(time.Minute)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		st.tick()
	}
}

// A mill is 8 threads that are lent 120 frames at a time and answer as fast as they can.
type mill struct {
	*stage
	held []Lease // in the order in which they were lent
}

// newMill returns one beside so many newcomers that are idle.
func newMill(newcomers int) *mill {
	m := &mill{stage: crowd(8)}
	m.sky = newSky(m.now, 2*8*wire.MaxChunk)
	m.sky.beside, m.sky.alone = 0, 0
	for th := range m.trusted.all() {
		th.perFrame = ms
	}
	for i := range newcomers {
		m.Offer(uint32(1000+i), 1)
	}
	m.lend()
	for range 8 * remembered {
		m.turn() // so that all that is remembered has its room
	}
	return m
}

func (m *mill) lend() {
	for {
		l, ok := m.Next(m.now, endless{m.sky})
		if !ok {
			return
		}
		m.held = append(m.held, l)
		m.sky.begin += uint64(l.Count)
		m.sky.end += uint64(l.Count)
	}
}

// turn takes in the oldest lease's answer and lends what there is. It returns how many frames the answer held.
func (m *mill) turn() int {
	l := m.held[0]
	m.held = m.held[:copy(m.held, m.held[1:])]
	if _, outcome, _ := m.Answer(m.now, l.Thread.Conn, l.ID, 120*ms); outcome != OnTime {
		return 0
	}
	m.Delivered(m.now, l.First, l.Count)
	m.lend()
	return l.Count
}

// BenchmarkUnpaced is the cost of a result of 120 frames from one of 8 threads, and of the lease that follows it, beside
// so many newcomers that are idle. 60,000 frames a second are 500 of these.
func BenchmarkUnpaced(b *testing.B) {
	for _, idle := range []int{0, 20_000} {
		b.Run(fmt.Sprintf("newcomers=%d", idle), func(b *testing.B) {
			m := newMill(idle)
			b.ReportAllocs()
			for b.Loop() {
				if got := m.turn(); got != wire.MaxChunk {
					b.Fatalf("an answer of %d frames, want %d", got, wire.MaxChunk)
				}
			}
		})
	}
}

// BenchmarkFlood is the cost of one of 20,000 newcomers that leaves and another one that comes, and of what the
// orchestrator does after each: with nothing to lend, and with work that newcomers may not have.
func BenchmarkFlood(b *testing.B) {
	for _, work := range []bool{false, true} {
		b.Run(fmt.Sprintf("work=%v", work), func(b *testing.B) {
			st := crowd(8)
			first, next := uint32(1000), uint32(1000)
			for range 20_000 {
				st.Offer(next, 1)
				next++
			}
			st.sky.beside, st.sky.alone = 0, 8
			st.tick()
			if work {
				st.sky.begin, st.sky.end = st.sky.begin+60, st.sky.end+60
				for n := st.sky.end - 60; n < st.sky.end; n++ {
					st.fresh = n + 1 // lent once, and taken back
				}
			} else {
				for n := st.sky.begin; n < st.sky.end; n++ {
					st.sky.done[n] = true
				}
			}
			for _, c := range st.conns {
				for _, th := range c.threads {
					if c.trusted {
						th.misses, th.restUntil = 9, st.now.Add(time.Minute)
					}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				st.Offer(next, 1)
				next++
				st.tick()
				st.Leave(first)
				first++
				st.tick()
			}
		})
	}
}
