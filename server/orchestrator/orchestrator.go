// Package orchestrator runs the fleet: one loop owns the ring, the schedule and the books of trust, and everything that
// happens reaches it as an event.
//
// The decisions are in core, a state machine that is told what happened and what time it is, and that speaks to the
// world through the interfaces below. The loop in this file gives it real time and real events.
package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distributed-donut/donut/server/schedule"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A Peer is one connection. Its methods are called by the orchestrator's loop alone and must not block.
type Peer interface {
	// Welcome lets the connection in and starts its stream. It renders with so many threads, or only watches with 0.
	Welcome(threads int)
	// Lend queues a lease. From here on the connection may send as much as the answer takes.
	Lend(wire.Lease)
	// Credit says how many of the connection's frames were audited and found right, in all.
	Credit(verified uint64)
	// Send queues any other message. The bytes are not changed afterwards.
	Send(message []byte)
	// Dismiss says goodbye and closes the connection. The peer still has to leave.
	Dismiss(wire.Goodbye)
}

// An Audience is everybody who was welcomed. Broadcast is called by the orchestrator's loop alone and must not block.
type Audience interface {
	// Broadcast queues a message for everybody. The bytes are shared and never change.
	Broadcast(message []byte, header codec.Header)
}

// A Verifier renders with the module that the tabs run. Its methods are called concurrently and may take their time.
type Verifier interface {
	// Render returns count packed pictures from first on.
	Render(ctx context.Context, first uint64, count int) (packed []byte, err error)
	// Check renders the frames once more and compares, and says how much processor time that took. Its error is a
	// *Forgery where one differs, and anything else where the check could not be made.
	Check(ctx context.Context, first uint64, packed []byte) (spent time.Duration, err error)
}

// An Observer is told what things took, for statistics: nothing is decided by it. Its methods are called by the
// orchestrator's loop alone and must not block.
type Observer interface {
	// Answered says how long after it was lent a lease was answered, and whether it had ended by then.
	Answered(took time.Duration, late bool)
	// Audited says how much processor time an audit of one frame or several took.
	Audited(spent time.Duration)
	// Encoded says how long it took to encode a message of the stream.
	Encoded(took time.Duration)
}

// A Forgery is proof that a result holds a frame that the module does not render.
type Forgery struct {
	Frame     uint64
	Got, Want wire.Digest // of the packed picture
	Module    wire.Digest // that says so
}

func (f *Forgery) Error() string {
	return fmt.Sprintf("orchestrator: frame %d is forged: got %x, want %x", f.Frame, f.Got, f.Want)
}

// Config says how the fleet is run.
type Config struct {
	Clock    *timeline.Clock
	Audience Audience
	Verifier Verifier
	Log      *slog.Logger
	// Lead is the length of the ring, 4 s to 60 s.
	Lead time.Duration
	// Detail of the frames, 1 to donut.MaxDetail.
	Detail int
	// MaxLease is how many frames are lent to a thread at once at most, MinLease to MaxLease.
	MaxLease int
	// Auditors is how many calls of the verifier are made at once, at least 1.
	Auditors int
	// Policy says what must be audited.
	Policy trust.Policy
	// AuditBudget is how many cores, on average over the lead, audits may take before only those are made that must be.
	AuditBudget float64
	// Random draws what must be audited: nobody can foresee it. The loop alone uses it.
	Random rand.Source
	// Observer may be nil.
	Observer Observer
	// Cluster may be nil: then this server is alone.
	Cluster Cluster

	// Race is for benchmarks of the fleet. Where it is set nothing is paced: the playhead jumps to the first frame that
	// nobody has sent, and the loop tells Race how many frames that was. Audience may be nil then, and nothing airs. Lead
	// may be longer than MaxLead.
	Race func(frames int)
}

// The bounds of Config.Lead: shorter, there is no time to render anything between the horizon and the broadcast; longer,
// a picture of the ring does not fit into a message.
const (
	MinLead = 4 * time.Second
	MaxLead = 60 * time.Second
)

// The range of Config.MaxLease.
const (
	MinLease = schedule.MinChunk
	MaxLease = wire.MaxChunk
)

// MaxAuditBudget is the greatest Config.AuditBudget: more cores than there are.
const MaxAuditBudget = 1024

func (c Config) validate() error {
	switch {
	case c.Clock == nil || c.Audience == nil && c.Race == nil || c.Verifier == nil || c.Log == nil || c.Random == nil:
		return fmt.Errorf("orchestrator: clock, audience, verifier, log and random must be set")
	case c.Lead < MinLead || c.Lead > MaxLead && c.Race == nil:
		return fmt.Errorf("orchestrator: lead: got %v, want %v to %v", c.Lead, MinLead, MaxLead)
	case c.Detail < 1 || c.Detail > donut.MaxDetail:
		return fmt.Errorf("orchestrator: detail: got %d, want 1..%d", c.Detail, donut.MaxDetail)
	case c.MaxLease < MinLease || c.MaxLease > MaxLease:
		return fmt.Errorf("orchestrator: longest lease: got %d frames, want %d to %d", c.MaxLease, MinLease, MaxLease)
	case c.Auditors < 1:
		return fmt.Errorf("orchestrator: auditors: got %d, want at least 1", c.Auditors)
	case !(c.Policy.Floor > 0 && c.Policy.Floor <= 1):
		return fmt.Errorf("orchestrator: audit floor: got %v, want above 0 and up to 1", c.Policy.Floor)
	case !(c.AuditBudget >= 0 && c.AuditBudget <= MaxAuditBudget):
		return fmt.Errorf("orchestrator: audit budget: got %v, want 0 to %d cores", c.AuditBudget, MaxAuditBudget)
	}
	return nil
}

// inattentive is the observer where there is none.
type inattentive struct{}

func (inattentive) Answered(time.Duration, bool) {}
func (inattentive) Audited(time.Duration)        {}
func (inattentive) Encoded(time.Duration)        {}

// tickPeriod is how often the loop looks at the time while somebody is there.
const tickPeriod = 20 * time.Millisecond

// An Orchestrator is the fleet's loop. Its methods may be called concurrently.
type Orchestrator struct {
	cfg      Config
	events   chan event
	jobs     chan job
	stopped  chan struct{} // closed when Run returns
	snapshot atomic.Pointer[Snapshot]

	core *core // owned by the loop
}

// An event changes the core. It is the loop that calls it.
type event func(c *core, now timeline.Instant)

// New returns an orchestrator that does nothing before Run.
func New(cfg Config) (*Orchestrator, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	o := &Orchestrator{
		cfg:     cfg,
		events:  make(chan event, 256),
		jobs:    make(chan job, cfg.Auditors),
		stopped: make(chan struct{}),
	}
	o.core = newCore(cfg, func(j job) { o.jobs <- j })
	o.snapshot.Store(&Snapshot{})
	return o, nil
}

// Run runs the fleet until ctx is done, and returns when all that it started has ended.
func (o *Orchestrator) Run(ctx context.Context) {
	var workers sync.WaitGroup
	defer close(o.stopped)
	defer workers.Wait()
	for range o.cfg.Auditors {
		workers.Go(func() { o.verify(ctx) })
	}

	compare := time.NewTicker(timeline.ComparePeriod)
	defer compare.Stop()
	tick := time.NewTicker(tickPeriod)
	tick.Stop()
	defer tick.Stop()
	ticking := false
	for {
		var happened event
		select {
		case <-ctx.Done():
			return
		case happened = <-o.events:
		case <-tick.C:
		case <-compare.C:
			happened = o.compareClocks
		}
		now, generation := o.cfg.Clock.Now()
		o.core.generation = generation
		if happened != nil {
			happened(o.core, now)
		}
		o.core.tick(now)
		if active := o.core.active(); active != ticking {
			if ticking = active; active {
				tick.Reset(tickPeriod)
			} else {
				tick.Stop()
			}
			o.publish(now)
		}
	}
}

// compareClocks runs once a second.
func (o *Orchestrator) compareClocks(c *core, now timeline.Instant) {
	switch comparison := o.cfg.Clock.Compare(); {
	case comparison.Jumped:
		o.cfg.Log.Warn("the wall clock ran ahead: the timeline jumps", "ahead", comparison.Ahead)
		now, c.generation = o.cfg.Clock.Now()
		c.jump(now)
	case comparison.Ahead < -time.Second:
		o.cfg.Log.Warn("the wall clock is behind: the timeline slows down until it has caught up", "behind", -comparison.Ahead)
	}
	o.publish(now)
}

func (o *Orchestrator) publish(now timeline.Instant) {
	o.snapshot.Store(o.core.snapshot(now))
}

// Snapshot returns what was true at most a second ago. The caller must not change it.
func (o *Orchestrator) Snapshot() *Snapshot { return o.snapshot.Load() }

// ErrStopped is the error of Answer where the loop has ended.
var ErrStopped = errors.New("orchestrator: the loop has ended")

// Answer waits until the loop has answered, and returns nil. The error is ErrStopped, or the context's where the loop does
// not run yet, or is held up.
func (o *Orchestrator) Answer(ctx context.Context) error {
	answered := make(chan struct{})
	select {
	case o.events <- func(*core, timeline.Instant) { close(answered) }:
	case <-o.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-answered:
		return nil
	case <-o.stopped:
		return ErrStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// do hands an event to the loop, and drops it where the loop has ended.
func (o *Orchestrator) do(e event) {
	select {
	case o.events <- e:
	case <-o.stopped:
	}
}

// Join announces a connection, which offers so many threads. The number is never 0 and never used twice. It is welcomed
// by the loop.
func (o *Orchestrator) Join(number uint32, p Peer, addr netip.Addr, threads int) {
	o.do(func(c *core, now timeline.Instant) { c.join(now, number, p, addr, threads) })
}

// Offer announces that a connection renders with so many threads from now on. The leases of others are free at once.
func (o *Orchestrator) Offer(number uint32, threads int) {
	o.do(func(c *core, now timeline.Instant) { c.offer(now, number, threads) })
}

// Leave announces that a connection is gone. Its leases are free at once.
func (o *Orchestrator) Leave(number uint32) {
	o.do(func(c *core, now timeline.Instant) { c.leave(now, number) })
}

// Attend says whether somebody watches who is no connection, and for whom the stream runs, too. Nobody does at first.
func (o *Orchestrator) Attend(present bool) {
	o.do(func(c *core, now timeline.Instant) { c.attend(now, present) })
}

// Result passes on what a connection rendered. The orchestrator keeps no reference to its frames afterwards, but may
// read them until the peer sends its next one or leaves.
func (o *Orchestrator) Result(number uint32, m wire.Result) {
	o.do(func(c *core, now timeline.Instant) { c.result(now, number, m) })
}

// Foreign passes on frames that a member of the cluster rendered: packed pictures, well-formed. The orchestrator may read
// them until it is done, and keeps no reference.
func (o *Orchestrator) Foreign(member uint32, first uint64, packed []byte) {
	o.do(func(c *core, now timeline.Instant) { c.foreign(now, member, first, packed) })
}

// Frames has the loop call answer for what of some frames is in the ring and was audited, and returns then: runs of packed
// pictures, which are valid during the call alone.
func (o *Orchestrator) Frames(first uint64, count int, answer func(first uint64, packed []byte)) {
	done := make(chan struct{})
	o.do(func(c *core, _ timeline.Instant) {
		defer close(done)
		c.frames(first, count, answer)
	})
	select {
	case <-done:
	case <-o.stopped:
	}
}

// verify makes the calls that core asks for, one after the other.
func (o *Orchestrator) verify(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-o.jobs:
			done := j.run(ctx, o.cfg.Verifier)
			select {
			case o.events <- done:
			case <-ctx.Done():
				return
			}
		}
	}
}
