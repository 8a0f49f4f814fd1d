package orchestrator

import (
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/distributed-donut/donut/server/airing"
	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/schedule"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// core is the fleet's state, and all of its decisions. It is not safe for concurrent use, never blocks, and reads no
// clock, but to tell the observer what encoding took.
type core struct {
	// Set once.
	audience Audience
	observer Observer
	log      *slog.Logger
	detail   int
	auditors int
	verify   func(job) // starts a job; called only while one of the auditors is idle
	race     *race     // nil but in benchmarks

	peers    map[uint32]*peer
	attended bool        // somebody watches who is none of them
	departed []departure // those who left within the last lead and had sent results; oldest first
	ring     *ring.Ring
	fleet    *schedule.Scheduler
	sweptAt  timeline.Instant // when leases were last looked through for those that ran out
	hedgedAt timeline.Instant // and for those that are late

	// The other servers: nil where there are none. Shares are those of the chunks in the ring.
	cluster   Cluster
	shares    map[uint64]*share
	siblings  map[uint32]*sibling
	opened    uint64 // the first frame of the stream
	collected []byte // scratch of collect

	// Whom to believe.
	policy    trust.Policy
	random    rand.Source
	book      *trust.Book
	budget    *trust.Budget
	probation *trust.Probation
	board     board
	cost      time.Duration // of the audit of a frame, smoothed
	suspects  []*suspect    // to be audited apart from the ring

	// The stream. It runs while somebody is there.
	streaming  bool
	plan       airing.Plan
	key        bool   // the next message must be a key
	aired      uint64 // the first frame behind the last message
	encoder    codec.Encoder
	generation uint32 // of the clock

	// The verifier.
	idle       int                 // auditors without a job
	restUntil  timeline.Instant    // after an error that says nothing about the frames
	rescuing   map[uint64]struct{} // frames that the server is rendering itself
	allowance  float64             // frames that the server may render itself now
	allowedAt  timeline.Instant    // when that was so
	gaveWay    bool                // the last resort did, the last time that it could
	counts     counts
	pictures   [codec.MaxFrames]donut.Picture // scratch of air
	airing     []ring.Frame                   // likewise
	ringPieces []wire.RingRun                 // likewise
	must       [wire.MaxChunk]bool            // likewise, of result
}

// A peer is one connection.
type peer struct {
	conn    Peer
	addr    netip.Addr
	threads int

	answered bool   // it sent a result
	passes   uint64 // its frames that were audited and right
}

// A departure is kept for as long as frames of the one who left may still be found to be forged.
type departure struct {
	number uint32
	addr   netip.Addr
	at     timeline.Instant
}

func newCore(cfg Config, verify func(job)) *core {
	if cfg.Observer == nil {
		cfg.Observer = inattentive{}
	}
	return &core{
		audience: cfg.Audience,
		observer: cfg.Observer,
		log:      cfg.Log,
		detail:   cfg.Detail,
		auditors: cfg.Auditors,
		verify:   verify,
		race:     newRace(cfg.Race),
		cluster:  cfg.Cluster,
		shares:   make(map[uint64]*share),
		siblings: make(map[uint32]*sibling),
		peers:    make(map[uint32]*peer),
		ring:     ring.New(timeline.Frames(cfg.Lead)),
		fleet:    schedule.New(cfg.MaxLease),
		policy:   cfg.Policy,
		random:   cfg.Random,
		book:     trust.NewBook(),
		budget:   trust.NewBudget(cfg.AuditBudget, cfg.Lead),
		cost:     guessCost(cfg.Detail),
		idle:     cfg.Auditors,
		rescuing: make(map[uint64]struct{}),

		probation: trust.NewProbation(cfg.Auditors),
	}
}

// active reports whether there is anything to do as time passes.
func (c *core) active() bool { return c.streaming }

// join welcomes a connection.
func (c *core) join(now timeline.Instant, number uint32, conn Peer, addr netip.Addr, threads int) {
	if threads > 0 && !c.book.MayRender(now, addr) {
		threads = 0
	}
	c.peers[number] = &peer{conn: conn, addr: addr, threads: threads}
	if threads > 0 {
		c.fleet.Offer(number, threads)
	}
	conn.Welcome(threads)
	c.settle(now)
}

// attend takes note of whether somebody watches beside the connections.
func (c *core) attend(now timeline.Instant, present bool) {
	c.attended = present
	c.settle(now)
}

// settle starts the stream for the first one who is there. With the last one everything stops.
func (c *core) settle(now timeline.Instant) {
	there := c.attended || len(c.peers) > 0
	switch {
	case there && !c.streaming:
		c.streaming = true
		c.start(now)
	case !there && c.streaming:
		c.streaming = false
		c.ring.Reset(now.Frame())
	}
}

// offer lends to so many of a connection's threads from now on.
func (c *core) offer(now timeline.Instant, number uint32, threads int) {
	p, ok := c.peers[number]
	switch {
	case !ok:
	case threads > 0 && !c.book.MayRender(now, p.addr):
		c.dismiss(now, number, wire.ReasonEvicted)
	default:
		c.release(c.fleet.Offer(number, threads))
	}
}

// start starts the stream with a frame that is on screen soon, or where it stopped a moment ago: what aired then is
// still being shown, and frames never air twice.
func (c *core) start(now timeline.Instant) {
	c.plan = airing.Plan{Started: now.Add(c.proving()), Lead: timeline.Span(c.ring.Size()), Unpaced: c.race != nil}
	c.ring.Reset(c.plan.First().Frame())
	c.ring.Skip(c.aired)
	c.opened = c.ring.Cursor()
	clear(c.shares)
	if c.cluster != nil {
		c.cluster.Fetch(c.ring.Cursor(), int(c.ring.End()-c.ring.Cursor()))
	}
	c.key = true
	c.allowance, c.allowedAt = float64(maxAllowance), now
}

// proven is how many connections a stream of high detail waits for, until they are trusted, before it starts.
const proven = 4

// proving is how long a stream waits before it starts, so that there are enough whom to trust when it does: for as long as
// their audits take beyond a second. At the lower details that is no time.
func (c *core) proving() time.Duration {
	if c.fleet.Trusted() > 0 {
		return 0
	}
	audits := proven * trust.NewcomerPasses * c.cost / time.Duration(c.auditors)
	return min(max(0, audits-time.Second), timeline.Span(c.ring.Size()))
}

// jump follows a timeline that has jumped: what was ahead lies behind, and nobody is to blame for it.
func (c *core) jump(now timeline.Instant) {
	c.revoke(c.fleet.Forget())
	if c.streaming {
		c.start(now)
	}
}

// leave forgets a connection.
func (c *core) leave(now timeline.Instant, number uint32) {
	p, ok := c.peers[number]
	if !ok {
		return
	}
	delete(c.peers, number)
	if p.answered {
		c.departed = append(c.departed, departure{number, p.addr, now})
	}
	c.board.leave(number)
	c.release(c.fleet.Leave(number))
	c.settle(now)
}

// result takes in what a connection rendered.
func (c *core) result(now timeline.Instant, number uint32, m wire.Result) {
	p, ok := c.peers[number]
	if !ok {
		return
	}
	spent := time.Duration(m.Spent) * time.Microsecond
	lease, outcome, skipped := c.fleet.Answer(now, number, m.Lease, spent)
	c.release(skipped)
	if outcome == schedule.Unknown || lease.First != m.First || lease.Count != m.Count() {
		c.log.Info("a result answers no lease of its sender", "conn", number, "addr", p.addr, "lease", m.Lease,
			"first", m.First, "count", m.Count())
		c.dismiss(now, number, wire.ReasonMalformed)
		return
	}
	p.answered = true
	c.observer.Answered(now.Sub(lease.Lent), outcome == schedule.Late)
	if outcome == schedule.Late {
		c.counts.late += uint64(m.Count())
	}
	kept := c.take(number, p.passes, m)
	c.counts.Wasted += uint64(m.Count() - kept)
	c.revoke(c.fleet.Delivered(now, m.First, m.Count()))
}

// take puts into the ring what somebody rendered of whom so many frames were right, and returns how many were wanted.
func (c *core) take(number uint32, passes uint64, m wire.Result) (kept int) {
	kept, disputed, differs := c.ring.Fill(c.sample(number, passes, m))
	if differs {
		c.dispute(number, m, disputed)
	}
	return kept
}

// sample draws what must be audited of a result. Its bytes are here: nothing that its sender does can depend on it.
func (c *core) sample(number uint32, passes uint64, m wire.Result) ring.Result {
	res := ring.Result{Owner: number, Lease: m.Lease, First: m.First, Packed: m.Frames, Must: c.must[:m.Count()]}
	c.policy.Draw(c.random, passes, res.Must)
	res.Sample = trust.Pick(c.random, m.Count())
	return res
}

// dismiss ends a connection for a fault of its own.
func (c *core) dismiss(now timeline.Instant, number uint32, reason wire.Reason) {
	c.peers[number].conn.Dismiss(wire.Goodbye{Reason: reason, Retry: uint32(dismissal / time.Millisecond)})
	c.leave(now, number)
}

// dismissal is how soon a tab that was sent away should try again.
const dismissal = 5 * time.Second

// tick does whatever is due: it takes back, airs, renders, audits and lends.
func (c *core) tick(now timeline.Instant) {
	if !c.streaming {
		return
	}
	lead := timeline.Span(c.ring.Size())
	for len(c.departed) > 0 && now.Sub(c.departed[0].at) > lead {
		c.departed = c.departed[1:]
	}
	if now.Sub(c.sweptAt) >= tickPeriod {
		c.sweptAt = now
		missed, withdrawn := c.fleet.Expire(now)
		c.counts.missed += uint64(len(missed))
		c.release(missed)
		c.release(withdrawn)
		c.revoke(withdrawn)
	}
	c.publish(now)
	if c.race != nil {
		c.run(now)
	} else {
		c.airDue(now)
		c.advance(now.Frame())
	}
	c.divide(now)
	c.assign(now)
	c.lend(now)
}

// advance moves the playhead.
func (c *core) advance(n uint64) {
	if lost := c.ring.Advance(n); lost > 0 {
		c.counts.Stalled += lost
		c.key = true // the stream has a gap
	}
}
