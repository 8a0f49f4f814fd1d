package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// maxQueue is how many leases may wait for a thread. Servers lend a few at a time.
const maxQueue = 64

// A worker renders what a person is lent, on as many threads as it was welcomed with.
type worker struct {
	// Set once.
	person *person
	life   context.Context // of the socket
	quit   chan struct{}   // closed when the worker stops
	queues []chan *loan    // one for each thread
	active sync.WaitGroup

	mu    sync.Mutex
	loans map[uint64]*loan // those not yet answered, by the lease's number
}

// A loan is a lease while its thread has it.
type loan struct {
	wire.Lease
	revoked atomic.Bool
}

func startWorker(p *person, life context.Context, threads int) *worker {
	w := &worker{person: p, life: life, quit: make(chan struct{}), loans: make(map[uint64]*loan)}
	for range threads {
		queue := make(chan *loan, maxQueue)
		w.queues = append(w.queues, queue)
		w.active.Go(func() { w.render(queue) })
	}
	return w
}

// stop returns when all threads have ended. They leave what they are rendering, but finish what they are sending.
func (w *worker) stop() {
	close(w.quit)
	w.active.Wait()
}

func (w *worker) stopped() bool {
	select {
	case <-w.quit:
		return true
	default:
		return false
	}
}

// lend queues a lease for its thread.
func (w *worker) lend(m wire.Lease) error {
	if int(m.Thread) >= len(w.queues) {
		return fmt.Errorf("lease %d: got thread %d, want one below %d", m.Lease, m.Thread, len(w.queues))
	}
	l := &loan{Lease: m}
	w.mu.Lock()
	w.loans[m.Lease] = l
	w.mu.Unlock()
	select {
	case w.queues[m.Thread] <- l:
		return nil
	default:
		return fmt.Errorf("lease %d: got it with %d waiting, want at most that many", m.Lease, maxQueue)
	}
}

// revoke forgets a lease, unless it was answered already.
func (w *worker) revoke(lease uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.loans[lease]; l != nil {
		l.revoked.Store(true)
	}
}

// render is one thread: it answers its leases in order.
func (w *worker) render(queue <-chan *loan) {
	var r *donut.Renderer
	detail := 0
	for {
		select {
		case <-w.quit:
			return
		case l := <-queue:
			if detail != int(l.Detail) {
				r, detail = donut.NewRenderer(int(l.Detail)), int(l.Detail)
			}
			w.answer(l, r)
			w.mu.Lock()
			delete(w.loans, l.Lease.Lease)
			w.mu.Unlock()
		}
	}
}

// answer renders a lease and sends the result, unless it is revoked meanwhile, or the worker's temper is against it.
func (w *worker) answer(l *loan, r *donut.Renderer) {
	temper, start := w.person.temper, time.Now()
	m := wire.Result{Lease: l.Lease.Lease, First: l.First, Frames: make([]byte, int(l.Count)*wire.PackedSize)}
	for i := range int(l.Count) {
		if l.revoked.Load() || w.stopped() {
			return
		}
		w.draw(r, int(l.Detail), l.First+uint64(i), m.Frames[i*wire.PackedSize:])
		if !w.pause(time.Until(start.Add(time.Duration(i+1) * temper.frameTime))) {
			return
		}
	}
	if f := w.person.forger; f != nil {
		following := make([]byte, wire.PackedSize)
		w.draw(r, int(l.Detail), l.First+uint64(l.Count), following)
		f.forge(&m, following)
	}
	m.Spent = uint32(time.Since(start).Microseconds())
	if temper.frozen(time.Since(w.person.crowd.started)) {
		<-w.quit
		return
	}
	if l.revoked.Load() || temper.drops(l.Lease.Lease) {
		return
	}
	if w.person.write(w.life, m.Append(nil)) == nil { // else the reader sees it end
		w.person.crowd.rendered.Add(int64(l.Count))
	}
}

// pause lets time pass, and reports whether the worker goes on then.
func (w *worker) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-w.quit:
		return false
	}
}

// draw renders frame n, for the critic as well.
func (w *worker) draw(r *donut.Renderer, detail int, n uint64, packed []byte) {
	var picture donut.Picture
	r.Render(&picture, n)
	wire.Pack(packed, &picture)
	w.person.crowd.pictures.add(scene{detail, n}, &picture)
}
