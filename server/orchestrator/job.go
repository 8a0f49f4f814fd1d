package orchestrator

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/distributed-donut/donut/server/airing"
	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// batchFrames is the most frames that an auditor takes on at once at detail 1: some milliseconds, so that what is
	// more urgent never waits long.
	batchFrames = 12

	// maxAllowance is how many frames the server may render itself in one go: the head start of a stream that has no
	// fleet, and a message. On average it renders no more than the stream plays.
	maxAllowance = int(airing.Ahead/time.Second+2) * donut.FPS

	// firstCost is what the audit of a frame of detail 1 is taken to cost before one was made.
	firstCost = 500 * time.Microsecond

	// maxSuspects is how many suspects may wait for their audit.
	maxSuspects = 64

	// verifierRest is how long nothing is asked of the verifier after it failed.
	verifierRest = 100 * time.Millisecond
)

// guessCost is what the audit of a frame is taken to cost before one was made. Beyond the lower details it grows with the
// detail, not with its square, since the renderer goes from cell to cell.
func guessCost(detail int) time.Duration {
	return firstCost * time.Duration(min(detail*detail, 4*detail))
}

// A job is a call of the verifier, to be made away from the loop: for one of these.
type job struct {
	render  *render
	audit   *audit
	suspect *suspect
}

// A render is count frames from first on that nobody sent in time.
type render struct {
	first uint64
	count int
}

// An audit is frames in the ring.
type audit struct {
	span   ring.Span
	packed []byte // their pictures
}

// A suspect is one of two copies of a frame that differ.
type suspect struct {
	frame  uint64
	packed []byte // its picture
	owner  uint32
	lease  uint64
}

// run makes the call and returns the event that it ends in.
func (j job) run(ctx context.Context, v Verifier) event {
	switch {
	case j.audit != nil:
		spent, err := v.Check(ctx, j.audit.span.First, j.audit.packed)
		return func(c *core, now timeline.Instant) { c.audited(now, j.audit, spent, err) }
	case j.suspect != nil:
		spent, err := v.Check(ctx, j.suspect.frame, j.suspect.packed)
		return func(c *core, now timeline.Instant) { c.examined(now, j.suspect, spent, err) }
	}
	packed, err := v.Render(ctx, j.render.first, j.render.count)
	return func(c *core, now timeline.Instant) { c.rescued(now, j.render, packed, err) }
}

// assign gives idle auditors something to do.
func (c *core) assign(now timeline.Instant) {
	if now < c.restUntil {
		return
	}
	c.allowance = min(float64(maxAllowance), c.allowance+now.Sub(c.allowedAt).Seconds()*donut.FPS)
	c.allowedAt = now
	for ; c.idle > 0; c.idle-- {
		j, ok := c.next(now)
		if !ok {
			return
		}
		c.verify(j)
	}
}

// next returns what the verifier is to do now.
//
// A suspect comes first, since one of two is a forger. The sample of a result goes before all that is not urgent, so that
// who forges is found early. What must be audited and what the server has to render itself go in the order of air; but a
// last resort gives way to every second audit that has more time, since an audit costs as much, lets all of a result air
// and tells whom to trust, while a server that only renders never gets a fleet. Frames that need no audit are audited in
// the order of air as well, as far as the budget goes.
func (c *core) next(now timeline.Instant) (job, bool) {
	if len(c.suspects) > 0 {
		first := c.suspects[0]
		c.suspects = c.suspects[1:]
		return job{suspect: first}, true
	}
	affordable := c.budget.Left(now)
	batch := max(1, batchFrames/(c.detail*c.detail))
	owed, owes := c.ring.Unaudited(ring.Owed)
	first, missing := c.missing(now, batch)
	urgent := missing > 0 || owes && c.plan.AirBy(owed).Sub(now) < airing.RescueAhead
	if n, ok := c.ring.Unaudited(ring.Sampled); ok && !urgent && (affordable || c.ring.Owes(n)) {
		return c.claim(ring.Sampled, 1), true
	}
	open, waits := c.ring.Unaudited(ring.Open)
	waits = waits && affordable
	switch {
	case owes && missing > 0 && first < owed:
		if c.gaveWay = !c.gaveWay; c.gaveWay {
			return c.claim(ring.Owed, batch), true
		}
		return c.rescue(first, missing), true
	case owes:
		return c.claim(ring.Owed, batch), true
	case missing > 0 && (!waits || first < open):
		return c.rescue(first, missing), true
	case waits:
		return c.claim(ring.Open, batch), true
	}
	return job{}, false
}

func (c *core) rescue(first uint64, count int) job {
	c.allowance -= float64(count)
	for n := first; n < first+uint64(count); n++ {
		c.rescuing[n] = struct{}{}
	}
	return job{render: &render{first, count}}
}

func (c *core) claim(class ring.Class, limit int) job {
	span, packed := c.ring.Claim(class, limit, nil)
	return job{audit: &audit{span, packed}}
}

// missing returns the earliest frames that the server has to render itself now, at most limit of them.
func (c *core) missing(now timeline.Instant, limit int) (first uint64, count int) {
	limit = min(limit, int(c.allowance))
	for n := c.ring.Cursor(); n < c.ring.End() && count < limit && c.plan.RescueBy(n) <= now; n++ {
		_, underway := c.rescuing[n]
		switch wanted := c.ring.Missing(n) && !underway && !c.awaited(now, n); {
		case wanted && count == 0:
			first, count = n, 1
		case wanted:
			count++
		case count > 0:
			return first, count
		}
	}
	return first, count
}

// rescued takes in what the server rendered itself.
func (c *core) rescued(now timeline.Instant, j *render, packed []byte, err error) {
	c.idle++
	for i := range j.count {
		delete(c.rescuing, j.first+uint64(i))
	}
	if err != nil {
		c.verifierFailed(now, err)
		return
	}
	for i := range j.count {
		n, frame := j.first+uint64(i), packed[i*wire.PackedSize:(i+1)*wire.PackedSize]
		switch verdict, here := c.ring.Supply(n, frame); verdict {
		case ring.Unwanted:
			c.counts.Wasted++
		case ring.Confirmed:
			c.counts.Audited++
			if !here.Claimed { // else its audit, which is under way, counts it
				c.pass(here.Owner, 1)
			}
		case ring.Refuted:
			c.counts.Audited++
			c.accuse(n, here)
		}
	}
	c.revoke(c.fleet.Delivered(now, j.first, j.count))
}

// audited takes in the result of an audit.
func (c *core) audited(now timeline.Instant, a *audit, spent time.Duration, err error) {
	c.idle++
	checked := a.span.Count
	var proof *Forgery
	switch {
	case err == nil:
		c.ring.Approve(a.span)
		c.pass(a.span.Owner, checked)
	case errors.As(err, &proof):
		checked = int(proof.Frame-a.span.First) + 1
		c.evict(now, a.span.Owner, a.span.Lease, proof)
	default:
		c.ring.Disclaim(a.span)
		c.verifierFailed(now, err)
		return
	}
	c.spend(now, checked, spent)
}

// accuse has a copy of a frame audited apart from the ring. Where there are too many, it goes free: of any two copies
// that differ, the one in the ring does not air unaudited anyway.
func (c *core) accuse(n uint64, copy ring.Copy) {
	if len(c.suspects) < maxSuspects {
		c.suspects = append(c.suspects, &suspect{n, bytes.Clone(copy.Packed), copy.Owner, copy.Lease})
	}
}

// examined takes in the result of the audit of a suspect.
func (c *core) examined(now timeline.Instant, s *suspect, spent time.Duration, err error) {
	c.idle++
	var proof *Forgery
	switch {
	case err == nil:
	case errors.As(err, &proof):
		c.evict(now, s.owner, s.lease, proof)
	default:
		c.suspects = append(c.suspects, s)
		c.verifierFailed(now, err)
		return
	}
	c.spend(now, 1, spent)
}

// spend counts frames that were audited, and what that cost.
func (c *core) spend(now timeline.Instant, frames int, spent time.Duration) {
	c.counts.Audited += uint64(frames)
	c.counts.auditTime += spent
	c.observer.Audited(spent)
	c.budget.Spend(now, spent)
	c.cost += (spent/time.Duration(frames) - c.cost) / 8
}

// pass notes that audited frames of a connection were right.
func (c *core) pass(number uint32, frames int) {
	if m, ok := c.siblings[number]; ok {
		m.passes += uint64(frames)
		return
	}
	p, ok := c.peers[number]
	if !ok {
		return
	}
	p.passes += uint64(frames)
	p.conn.Credit(p.passes)
	c.board.note(wire.Contributor{Owner: number, Verified: p.passes})
	if p.passes >= trust.NewcomerPasses {
		c.fleet.Trust(number)
	}
}

func (c *core) verifierFailed(now timeline.Instant, err error) {
	c.counts.verifierErrors++
	c.restUntil = now.Add(verifierRest)
	c.log.Error("the verifier failed", "err", err)
}
