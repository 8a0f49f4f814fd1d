// Package terminal shows what airs to terminals: as text with control sequences that any of them draws.
//
// A Relay is handed each broadcast, as an audience is, and decodes it once. Its streams are downloads that last, and
// WebSockets for asciinema's player. All streams of a pace show the same frames at the same moments, so each of their
// frames is drawn once, as the difference from the one before, and its bytes are shared; who comes is first sent the
// picture whole. A minute of that is kept, for recordings.
//
// What terminals are shown is a stage, a plain state machine. A lock guards it, Run's goroutine advances it while
// somebody watches, and each stream is one goroutine, its handler's, that waits for the next shot and writes it; a
// second one reads, net/http's or the WebSocket's, to hear who leaves.
//
// # Slow readers
//
// A write that takes longer than Config.Write ends the stream. Who is more than backlog behind when a write has ended gets
// the picture on screen, and none of those that it missed. What the kernel holds is kept small, so that it hides no
// more than some seconds of the stream.
package terminal

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
)

// maxQueued is how many broadcasts may wait to be decoded: they are a second apart.
const maxQueued = 16

// A Fleet renders while somebody watches; see orchestrator.Orchestrator.
type Fleet interface {
	// Attend says whether somebody watches.
	Attend(present bool)
}

// Config says how a relay is run.
type Config struct {
	Clock *timeline.Clock
	Log   *slog.Logger
	// Limits are how many streams there may be, Limits.Clients in all or 0 for none, and Addresses say where they go to.
	Limits    gate.Limits
	Addresses *gate.Addresses
	// Write is how long a write may take before the stream ends, more than 0.
	Write time.Duration
}

// A Relay shows what airs to terminals. Its methods may be called concurrently.
type Relay struct {
	cfg    Config
	stats  Stats
	queue  chan []byte     // broadcasts that are to be decoded
	nudge  chan struct{}   // wakes Run for what has changed
	ending context.Context // done when Run is about to return
	end    context.CancelFunc
	active sync.WaitGroup // streams

	mu    sync.Mutex
	gate  *gate.Gate
	stage *stage
	open  int              // streams
	awake timeline.Instant // until when the fleet airs without any
	over  bool             // Run is about to return: nobody is let in
}

// New returns a relay without streams, which shows nothing before Run.
func New(cfg Config) *Relay {
	r := &Relay{cfg: cfg, queue: make(chan []byte, maxQueued), nudge: make(chan struct{}, 1),
		gate: gate.New(cfg.Limits), stage: newStage()}
	r.ending, r.end = context.WithCancel(context.Background())
	return r
}

// Broadcast implements orchestrator.Audience. It returns at once, and keeps the message, which must not change.
func (r *Relay) Broadcast(message []byte, _ codec.Header) {
	select {
	case r.queue <- message:
	default:
		r.cfg.Log.Warn("a broadcast finds terminals too far behind, who miss it")
	}
}

// Run shows what airs until ctx is done, when it ends all streams and returns. It must be called once.
func (r *Relay) Run(ctx context.Context, fleet Fleet) {
	defer r.active.Wait()
	defer r.close()
	timer := time.NewTimer(0)
	defer timer.Stop()
	attended := false
	for {
		wait, watched := r.advance()
		if watched != attended {
			attended = watched
			fleet.Attend(attended)
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case message := <-r.queue:
			r.air(message)
		case <-r.nudge:
		case <-timer.C:
		}
	}
}

// advance shows what is due, and says how long there is nothing to do and whether somebody watches.
func (r *Relay) advance() (wait time.Duration, watched bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, _ := r.cfg.Clock.Now()
	r.stage.advance(now)
	wait = math.MaxInt64
	if next := r.stage.next(); next != timeline.Forever {
		wait = next.Sub(now)
	}
	if !r.stage.idle() {
		wait = min(wait, leisure)
	}
	if r.awake > now {
		wait = min(wait, r.awake.Sub(now))
	}
	return wait, r.open > 0 || r.awake > now
}

func (r *Relay) air(message []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.stage.air(message); err != nil {
		r.cfg.Log.Warn("terminals miss a broadcast", "err", err)
	}
}

// close ends all streams, and lets nobody in.
func (r *Relay) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	r.end()
}

var (
	// errFull is the error for a stream too many.
	errFull = errors.New("as many streams as there may be; come back later")
	// errCrowded is the error for one too many of its address.
	errCrowded = errors.New("as many streams to your address as one may have, or too many new ones; come back later")
	// errDraining is the error for a stream that the server ends, or lets in no more, because it shuts down.
	errDraining = errors.New("the server is shutting down")
)

// join opens a stream to an address, which must leave. The error is errFull, errCrowded or errDraining.
func (r *Relay) join(p pace, addr netip.Addr) (*viewer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil, errDraining
	}
	now, _ := r.cfg.Clock.Now()
	switch refused := r.gate.Admit(now, addr); refused {
	case gate.Admitted:
	case gate.Full:
		r.stats.refused.Add(refused)
		return nil, errFull
	default:
		r.stats.refused.Add(refused)
		return nil, errCrowded
	}
	r.stage.advance(now)
	r.open++
	r.stats.opened.Add(1)
	r.active.Add(1)
	r.wake()
	return r.stage.join(p), nil
}

func (r *Relay) leave(v *viewer, addr netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gate.Leave(addr)
	r.stage.leave(v)
	r.open--
	r.active.Done()
	r.wake()
}

// addressOf returns the address that counts for a request.
func (r *Relay) addressOf(req *http.Request) netip.Addr {
	return r.cfg.Addresses.Of(req.RemoteAddr, req.Header[gate.ForwardedFor])
}

// wake has Run look at what has changed.
func (r *Relay) wake() {
	select {
	case r.nudge <- struct{}{}:
	default: // it is about to
	}
}

// follow has a stream sent each shot, until sending fails, ctx is done, or the relay ends it with errDraining.
func (r *Relay) follow(ctx context.Context, v *viewer, send func([]*shot) error) error {
	for {
		shots, changed := r.due(v)
		if len(shots) > 0 {
			if err := send(shots); err != nil {
				return err
			}
		}
		select {
		case <-r.ending.Done():
			return errDraining
		case <-ctx.Done():
			return ctx.Err()
		case <-changed:
		}
	}
}

// due returns the shots that a stream is to be sent, and what is closed when there are more.
func (r *Relay) due(v *viewer) (shots []*shot, changed <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	shots, skipped := v.due()
	if skipped {
		r.stats.skipped.Add(1)
	}
	return shots, v.track.changed
}
