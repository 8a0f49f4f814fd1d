package main

import (
	"container/heap"
	"context"
	"math"
	"math/rand/v2"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

// A world plays a scenario in virtual time: from one event to the next, in one goroutine.
type world struct {
	scenario
	rng    *rand.Rand
	now    timeline.Instant
	agenda agenda
	server *server
	tally  tally

	joined   uint32          // how many, which numbers them
	tabs     map[uint32]*tab // those that live
	capacity float64         // frames a second of those that live and are not frozen
	killed   bool            // all tabs, and nobody has come since
}

// start is when worlds begin: not on any grid.
const start = timeline.Instant(1_000_000_007_000)

// play plays a scenario to its end, or that of ctx.
func play(ctx context.Context, s scenario) outcome {
	w := newWorld(s)
	w.run(ctx)
	return w.tally.outcome(s)
}

func newWorld(s scenario) *world {
	w := &world{scenario: s, rng: rand.New(rand.NewPCG(s.seed, 0)), now: start, tabs: make(map[uint32]*tab)}
	w.tally.from = start.Add(warmup)
	w.server = newServer(w)
	w.gather()
	if w.kill > 0 {
		w.after(w.kill, w.killAll)
	}
	for at := warmup; at < w.duration; at += time.Second {
		w.after(at, func() { w.tally.capacity(w.capacity) })
	}
	return w
}

func (w *world) run(ctx context.Context) {
	var tick func()
	tick = func() { w.after(tickPeriod, tick) } // what happens is followed by a tick anyway
	w.after(0, tick)

	for end := start.Add(w.duration); w.agenda.actions[0].at <= end && ctx.Err() == nil; { // there is always a next tick
		next := heap.Pop(&w.agenda).(action)
		w.now = next.at
		next.do()
		w.server.tick()
	}
}

// gather has all workers come within a second.
func (w *world) gather() {
	w.killed = false
	for range w.workers {
		w.after(time.Duration(w.rng.Int64N(int64(time.Second))), w.join)
	}
}

// join has another worker come, whose life ends some day.
func (w *world) join() {
	if w.killed {
		return
	}
	w.joined++
	t := newTab(w, w.joined)
	w.tabs[t.number] = t
	w.capacity += t.capacity()
	w.server.join(t)
	// Of any n workers in a row a share of n freezes, to the nearest.
	if count := float64(t.number); math.Floor(count*w.freeze) > math.Floor((count-1)*w.freeze) {
		w.after(time.Duration(w.rng.Int64N(int64(freezeWithin))), t.freeze)
	}
	if w.life > 0 {
		w.after(time.Duration(w.rng.ExpFloat64()*float64(w.life)), func() {
			if t.gone {
				return
			}
			w.leave(t)
			w.join()
		})
	}
}

func (w *world) leave(t *tab) {
	w.capacity -= t.capacity()
	t.leave()
	delete(w.tabs, t.number)
}

func (w *world) killAll() {
	w.killed = true
	for number := uint32(1); number <= w.joined; number++ { // in an order that is always the same
		if t, ok := w.tabs[number]; ok {
			w.leave(t)
		}
	}
	w.capacity = 0
	if w.back > 0 {
		w.after(w.back, w.gather)
	}
}

// after plans an action.
func (w *world) after(d time.Duration, do func()) { w.at(w.now.Add(d), do) }

func (w *world) at(at timeline.Instant, do func()) {
	heap.Push(&w.agenda, action{at, w.agenda.planned, do})
	w.agenda.planned++
}

// An agenda is what is to happen, in order.
type agenda struct {
	actions []action
	planned uint64
}

type action struct {
	at    timeline.Instant
	order uint64
	do    func()
}

// Len implements heap.Interface.
func (a *agenda) Len() int { return len(a.actions) }

// Less implements heap.Interface.
func (a *agenda) Less(i, j int) bool {
	x, y := &a.actions[i], &a.actions[j]
	return x.at < y.at || x.at == y.at && x.order < y.order
}

// Swap implements heap.Interface.
func (a *agenda) Swap(i, j int) { a.actions[i], a.actions[j] = a.actions[j], a.actions[i] }

// Push implements heap.Interface.
func (a *agenda) Push(x any) { a.actions = append(a.actions, x.(action)) }

// Pop implements heap.Interface.
func (a *agenda) Pop() any {
	last := len(a.actions) - 1
	next := a.actions[last]
	a.actions[last] = action{}
	a.actions = a.actions[:last]
	return next
}
