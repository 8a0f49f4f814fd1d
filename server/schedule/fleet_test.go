package schedule

import (
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A fleet is a scheduler with threads that render, a millisecond at a time.
type fleet struct {
	*Scheduler
	now     timeline.Instant
	sky     *sky
	threads map[Thread]*worker
	order   []*worker
	aired   int
	stalled int
}

// A worker is one thread as it is, and not as the scheduler thinks that it is.
type worker struct {
	id       Thread
	perFrame time.Duration
	way      time.Duration // of a message, in either direction
	frozen   bool

	inbox  []message
	jobs   []Lease
	begun  timeline.Instant // the first of the jobs
	worked time.Duration    // on it
	outbox []message

	useful int // frames that it was the first to deliver
	onTime int // answers
	late   int
}

// A message is a lease or its answer on the way, or a revocation.
type message struct {
	Lease
	at     timeline.Instant // when it arrives
	spent  time.Duration
	revoke bool
}

// newFleet returns a fleet of connections with one thread each, and a ring of so many frames.
func newFleet(size int, workers ...worker) *fleet {
	f := &fleet{Scheduler: New(wire.MaxChunk), now: dawn, sky: newSky(dawn, size), threads: make(map[Thread]*worker)}
	for i := range workers {
		w := &workers[i]
		w.id = Thread{uint32(i + 1), 0}
		f.threads[w.id] = w
		f.order = append(f.order, w)
		f.Offer(w.id.Conn, 1)
		f.Trust(w.id.Conn)
	}
	return f
}

// run lets time pass, and counts anew.
func (f *fleet) run(d time.Duration) {
	f.aired, f.stalled = 0, 0
	for _, w := range f.order {
		w.useful, w.onTime, w.late = 0, 0, 0
	}
	for end := f.now.Add(d); f.now < end; {
		f.now = f.now.Add(ms)
		busy := f.now%timeline.Instant(20*ms/time.Microsecond) == 0
		aired, stalled := f.sky.advance(f.now)
		f.aired += aired
		f.stalled += stalled
		for _, w := range f.order {
			w.step(f.now)
			for len(w.outbox) > 0 && w.outbox[0].at <= f.now {
				f.answer(w, w.outbox[0])
				busy = true
				w.outbox = w.outbox[1:]
			}
		}
		if !busy {
			continue
		}
		missed, withdrawn := f.Expire(f.now)
		f.sky.release(missed...)
		f.sky.release(withdrawn...)
		f.revoke(withdrawn)
		for {
			l, ok := f.Next(f.now, f.sky)
			if !ok {
				break
			}
			f.sky.lend(l)
			w := f.threads[l.Thread]
			w.inbox = append(w.inbox, message{Lease: l, at: f.now.Add(w.way)})
		}
	}
}

func (f *fleet) answer(w *worker, m message) {
	l, outcome, skipped := f.Answer(f.now, w.id.Conn, m.ID, m.spent)
	f.sky.release(skipped...)
	switch outcome {
	case OnTime:
		w.onTime++
		f.sky.release(l)
	case Late:
		w.late++
	}
	w.useful += f.sky.fill(l)
	f.revoke(f.Delivered(f.now, l.First, l.Count))
}

// revoke tells threads to stop.
func (f *fleet) revoke(leases []Lease) {
	for _, l := range leases {
		w := f.threads[l.Thread]
		w.inbox = append(w.inbox, message{Lease: l, at: f.now.Add(w.way), revoke: true})
	}
}

// step renders for a millisecond.
func (w *worker) step(now timeline.Instant) {
	if w.frozen {
		return
	}
	for len(w.inbox) > 0 && w.inbox[0].at <= now {
		m := w.inbox[0]
		w.inbox = w.inbox[1:]
		if !m.revoke {
			w.jobs = append(w.jobs, m.Lease)
			continue
		}
		for i, l := range w.jobs {
			if l.ID == m.ID {
				if i == 0 {
					w.worked = 0
				}
				w.jobs = append(w.jobs[:i:i], w.jobs[i+1:]...)
				break
			}
		}
	}
	for left := ms; left > 0 && len(w.jobs) > 0; {
		if w.worked == 0 {
			w.begun = now
		}
		need := time.Duration(w.jobs[0].Count)*w.perFrame - w.worked
		if need > left {
			w.worked += left
			return
		}
		left -= need
		w.outbox = append(w.outbox, message{Lease: w.jobs[0], at: now.Add(w.way), spent: max(w.worked+need, now.Sub(w.begun))})
		w.jobs, w.worked = w.jobs[1:], 0
	}
}

// quick returns n workers that together could carry the stream several times over.
func quick(n int) []worker {
	workers := make([]worker, n)
	for i := range workers {
		workers[i] = worker{perFrame: 2 * ms, way: 5 * ms}
	}
	return workers
}

func (f *fleet) noStall(t *testing.T) {
	t.Helper()
	if f.stalled > 0 {
		t.Errorf("%d of %d frames were not there in time", f.stalled, f.aired)
	}
}

func TestQuickFleetCarriesTheStream(t *testing.T) {
	f := newFleet(600, quick(3)...)
	f.run(5 * time.Second)
	f.run(30 * time.Second)
	f.noStall(t)
	for i, w := range f.order {
		if w.late > 0 || w.useful < f.aired/6 {
			t.Errorf("thread %d delivered %d of %d frames, and was late %d times", i, w.useful, f.aired, w.late)
		}
	}
}

func TestSlowThreadDelaysNoOthersChunk(t *testing.T) {
	for name, slow := range map[string]worker{
		"slow":                        {perFrame: 100 * ms, way: 5 * ms},
		"slow beyond use":             {perFrame: 20 * time.Second, way: 5 * ms},
		"far away":                    {perFrame: 2 * ms, way: 2 * time.Second},
		"frozen from the first":       {perFrame: 2 * ms, frozen: true},
		"frozen after a good start":   {perFrame: 2 * ms, way: 5 * ms},
		"slow after a good start":     {perFrame: 2 * ms, way: 5 * ms},
		"far away after a good start": {perFrame: 2 * ms, way: 5 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(600, append(quick(2), slow, slow, slow)...)
			f.run(5 * time.Second)
			for _, w := range f.order[2:] {
				switch name {
				case "frozen after a good start":
					w.frozen = true
				case "slow after a good start":
					w.perFrame = 100 * ms
				case "far away after a good start":
					w.way = 2 * time.Second
				}
			}
			f.run(60 * time.Second)
			f.noStall(t)
		})
	}
}

func TestThreadThatTurnsSlowIsLentWhatItCanDo(t *testing.T) {
	f := newFleet(600, worker{perFrame: 2 * ms, way: 5 * ms})
	f.run(10 * time.Second)
	w := f.order[0]
	w.perFrame = 30 * ms // half of what the stream takes
	f.run(20 * time.Second)
	f.run(20 * time.Second)
	if want := 20 * 1000 / 30; w.useful < want*8/10 || w.late > w.onTime/10 {
		t.Errorf("delivered %d frames of the %d that it can, in time %d times and late %d times", w.useful, want, w.onTime, w.late)
	}
}

func TestThreadThatTurnsSlowAmongQuickOnesIsNotLost(t *testing.T) {
	f := newFleet(600, append(quick(3), worker{perFrame: 2 * ms, way: 5 * ms})...)
	f.run(10 * time.Second)
	w := f.order[3]
	w.perFrame = 60 * ms
	f.run(30 * time.Second)
	f.run(30 * time.Second)
	f.noStall(t)
	if w.onTime == 0 || w.late > w.onTime/10 {
		t.Errorf("answers %d times in time and %d times late", w.onTime, w.late)
	}
}

func TestThreadWhoseAnswersTravelLongerIsGivenTheTime(t *testing.T) {
	f := newFleet(600, append(quick(2), worker{perFrame: 2 * ms, way: 5 * ms})...)
	f.run(10 * time.Second)
	w := f.order[2]
	w.way = 700 * ms
	f.run(20 * time.Second)
	f.run(20 * time.Second)
	f.noStall(t)
	if w.onTime == 0 || w.late > w.onTime/10 {
		t.Errorf("answers %d times in time and %d times late", w.onTime, w.late)
	}
}

func TestThreadThatThawsIsLentToSoon(t *testing.T) {
	for _, freeze := range []time.Duration{time.Second, 20 * time.Second, 5 * time.Minute} {
		t.Run(freeze.String(), func(t *testing.T) {
			f := newFleet(600, append(quick(2), worker{perFrame: 2 * ms, way: 5 * ms})...)
			f.run(10 * time.Second)
			w := f.order[2]
			w.frozen = true
			f.run(freeze)
			w.frozen = false
			f.run(3 * time.Second)
			f.run(10 * time.Second)
			f.noStall(t)
			if w.useful < f.aired/10 {
				t.Errorf("delivered %d of %d frames from 3 s after its thaw on", w.useful, f.aired)
			}
		})
	}
}

func TestWholeFleetThawsAtOnce(t *testing.T) {
	f := newFleet(600, quick(3)...)
	f.run(10 * time.Second)
	for _, w := range f.order {
		w.frozen = true
	}
	f.run(3 * time.Second)
	for _, w := range f.order {
		w.frozen = false
	}
	f.run(3 * time.Second)
	f.run(10 * time.Second)
	f.noStall(t)
}

func TestFleetsRunIsTheSameEachTime(t *testing.T) {
	run := func() (counts []int) {
		f := newFleet(600, append(quick(3), worker{perFrame: 100 * ms}, worker{perFrame: ms, frozen: true})...)
		f.run(10 * time.Second)
		for _, w := range f.order {
			counts = append(counts, w.useful, w.onTime, w.late)
		}
		return counts
	}
	if first, second := run(), run(); !slices.Equal(first, second) {
		t.Errorf("%v at first, and then %v", first, second)
	}
}
