package main

import (
	"math/rand/v2"
	"time"

	"github.com/distributed-donut/donut/server/airing"
	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/schedule"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// What the orchestrator does, and when, in the steady state.
const (
	tickPeriod   = 20 * time.Millisecond
	batchFrames  = 12 // that an auditor takes on at once at detail 1
	maxAllowance = 4 * donut.FPS
	past         = time.Hour // since the stream started
)

// A server is the orchestrator without its pictures, sockets and bans: the real ring, scheduler and probation, and
// auditors that take as long as they are told to. How a stream starts is not its subject: half of what the fleet can be
// ahead has aired when it begins.
//
// Audits are those that must be made, as where the budget for others is spent: they alone can delay a frame.
type server struct {
	w         *world
	ring      *ring.Ring
	plan      airing.Plan
	fleet     *schedule.Scheduler
	tabs      map[uint32]*tab // as far as the server knows
	policy    trust.Policy
	random    rand.Source
	probation *trust.Probation
	cost      time.Duration // of a frame
	batch     int           // frames that an auditor takes on at once

	sweptAt, hedgedAt timeline.Instant
	idle              int // auditors
	rescuing          map[uint64]bool
	allowance         float64 // frames that the server may render itself now
	allowedAt         timeline.Instant

	must   [wire.MaxChunk]bool                   // scratch of result
	airing []ring.Frame                          // scratch of air
	blank  [wire.MaxChunk * wire.PackedSize]byte // every picture
	packed []byte                                // scratch of claim
}

func newServer(w *world) *server {
	s := &server{
		w: w, ring: ring.New(timeline.Frames(w.lead)), plan: airing.Plan{Started: w.now.Add(-past), Lead: w.lead}, fleet: schedule.New(wire.MaxChunk), tabs: make(map[uint32]*tab),
		policy: trust.Policy{Floor: w.floor}, random: rand.NewPCG(w.seed, 1), probation: trust.NewProbation(w.auditors),
		cost: w.scenario.cost * time.Duration(w.detail*w.detail), batch: max(1, batchFrames/(w.detail*w.detail)),
		idle: w.auditors, rescuing: make(map[uint64]bool), allowance: maxAllowance, allowedAt: w.now,
	}
	s.ring.Reset(w.now.Frame())
	s.ring.Skip(s.plan.Due(w.now.Add((w.lead-airing.Ahead)/2), s.ring.Cursor(), s.ring.End()))
	return s
}

// join takes in a tab, which is trusted at once but where workers are strange.
func (s *server) join(t *tab) {
	s.tabs[t.number] = t
	s.fleet.Offer(t.number, 1)
	if !s.w.strange {
		t.passes = 1 << 32
		s.fleet.Trust(t.number)
	}
}

func (s *server) leave(t *tab) {
	delete(s.tabs, t.number)
	s.release(s.fleet.Leave(t.number))
}

// result takes in what a tab rendered.
func (s *server) result(t *tab, l schedule.Lease, spent time.Duration) {
	now := s.w.now
	begun := time.Now()
	_, outcome, skipped := s.fleet.Answer(now, t.number, l.ID, spent)
	s.w.tally.decide(begun)
	s.release(skipped)
	if outcome == schedule.Unknown {
		return // forgotten
	}
	s.w.tally.answer(l.ID, now)
	must := s.must[:l.Count]
	s.policy.Draw(s.random, t.passes, must)
	kept, _, _ := s.ring.Fill(ring.Result{
		Owner: t.number, Lease: l.ID, First: l.First, Packed: s.blank[:l.Count*wire.PackedSize], Must: must,
		Sample: trust.Pick(s.random, l.Count),
	})
	s.w.tally.keep(now, kept)
	s.delivered(l.First, l.Count)
}

func (s *server) delivered(first uint64, count int) {
	begun := time.Now()
	done := s.fleet.Delivered(s.w.now, first, count)
	s.w.tally.decide(begun)
	s.revoke(done)
}

func (s *server) release(leases []schedule.Lease) {
	for _, l := range leases {
		s.ring.Release(l.First, l.Count, l.ID)
	}
}

func (s *server) revoke(leases []schedule.Lease) {
	for _, l := range leases {
		if t, ok := s.tabs[l.Thread.Conn]; ok {
			t.revoke(l.ID)
		}
	}
}

// tick does whatever is due.
func (s *server) tick() {
	now := s.w.now
	if now.Sub(s.sweptAt) >= tickPeriod {
		s.sweptAt = now
		begun := time.Now()
		missed, withdrawn := s.fleet.Expire(now)
		s.w.tally.decide(begun)
		s.w.tally.missed += len(missed)
		s.release(missed)
		s.release(withdrawn)
		s.revoke(withdrawn)
	}
	for now >= s.plan.AirBy(s.ring.Cursor()) {
		s.airing = s.ring.Air(airing.MessageFrames-int(s.ring.Cursor()%airing.MessageFrames), true, s.airing[:0])
		for _, f := range s.airing {
			s.w.tally.air(now, f)
		}
	}
	s.w.tally.stalled += int(s.ring.Advance(now.Frame()))
	s.assign()
	s.lend()
}

// lend lends all that there is somebody for, and once a tick again what is late.
func (s *server) lend() {
	for s.lendBy(s.fleet.Next) {
	}
	if s.hedgedAt == s.sweptAt {
		return
	}
	s.hedgedAt = s.sweptAt
	for s.lendBy(s.fleet.Hedge) {
	}
}

func (s *server) lendBy(decide func(timeline.Instant, schedule.Work) (schedule.Lease, bool)) bool {
	now := s.w.now
	beside, alone := s.probation.Frames(now, s.cost)
	work := work{s.ring, s.plan, beside, alone}
	begun := time.Now()
	l, ok := decide(now, work)
	s.w.tally.decide(begun)
	if !ok {
		return false
	}
	s.ring.Lease(l.First, l.Count, l.Thread.Conn, l.ID)
	if l.Probation {
		s.probation.Lend(now, l.Count, s.cost)
	}
	s.w.tally.lend(now, l)
	s.tabs[l.Thread.Conn].lend(l)
	return true
}

// work shows the ring to the scheduler.
type work struct {
	*ring.Ring
	plan          airing.Plan
	beside, alone int
}

// Probation implements schedule.Work.
func (w work) Probation() (beside, alone int) { return w.beside, w.alone }

// Due implements schedule.Work.
func (w work) Due(t timeline.Instant) uint64 { return w.plan.Due(t, w.Cursor(), w.End()) }
