package orchestrator

import (
	"context"
	"errors"
	"time"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// batchFrames is the most frames that an auditor takes on at once at detail 1: some milliseconds, so that what is
	// more urgent never waits long.
	batchFrames = 12

	// maxAllowance is how many frames the server may render itself in one go: the head start of a stream that has no
	// fleet, and a message. On average it renders no more than the stream plays.
	maxAllowance = int(ahead/time.Second+2) * donut.FPS

	// verifierRest is how long nothing is asked of the verifier after it failed.
	verifierRest = 100 * time.Millisecond
)

// A job is a call of the verifier, to be made away from the loop.
type job struct {
	// Rendering: count frames from first on.
	first uint64
	count int
	// Auditing, where packed is not nil: the pictures of span.
	span   ring.Span
	packed []byte
}

// run makes the call and returns the event that it ends in.
func (j job) run(ctx context.Context, v Verifier) event {
	if j.packed != nil {
		err := v.Check(ctx, j.span.First, j.packed)
		return func(c *core, now timeline.Instant) { c.audited(now, j.span, err) }
	}
	packed, err := v.Render(ctx, j.first, j.count)
	return func(c *core, now timeline.Instant) { c.rescued(now, j, packed, err) }
}

// assign gives idle auditors what airs first: frames to audit, and frames to render that nobody sent in time. One costs
// as much as the other, and either makes a frame that may air.
func (c *core) assign(now timeline.Instant) {
	if now < c.restUntil {
		return
	}
	c.allowance = min(float64(maxAllowance), c.allowance+now.Sub(c.allowedAt).Seconds()*donut.FPS)
	c.allowedAt = now
	batch := max(1, batchFrames/(c.detail*c.detail))
	for ; c.idle > 0; c.idle-- {
		unaudited, waits := c.ring.Unaudited()
		if first, count := c.missing(now, batch); count > 0 && (!waits || first < unaudited) {
			c.allowance -= float64(count)
			for n := first; n < first+uint64(count); n++ {
				c.rescuing[n] = struct{}{}
			}
			c.verify(job{first: first, count: count})
			continue
		}
		if !waits {
			return
		}
		span, packed := c.ring.Claim(batch, nil)
		c.verify(job{span: span, packed: packed})
	}
}

// missing returns the earliest frames that the server has to render itself now, at most limit of them.
func (c *core) missing(now timeline.Instant, limit int) (first uint64, count int) {
	limit = min(limit, int(c.allowance))
	for n := c.ring.Cursor(); n < c.ring.End() && count < limit && c.plan.rescueBy(n) <= now; n++ {
		_, underway := c.rescuing[n]
		switch wanted := c.ring.Missing(n) && !underway; {
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
func (c *core) rescued(now timeline.Instant, j job, packed []byte, err error) {
	c.idle++
	for i := range j.count {
		delete(c.rescuing, j.first+uint64(i))
	}
	if err != nil {
		c.verifierFailed(now, err)
		return
	}
	for i := range j.count {
		if !c.ring.Supply(j.first+uint64(i), packed[i*wire.PackedSize:(i+1)*wire.PackedSize]) {
			c.counts.Wasted++
		}
	}
	c.revoke(c.fleet.Delivered(j.first, j.count))
}

// audited takes in the result of an audit.
func (c *core) audited(now timeline.Instant, span ring.Span, err error) {
	c.idle++
	var proof *Forgery
	switch {
	case err == nil:
		c.counts.Audited += uint64(span.Count)
		c.ring.Approve(span)
	case errors.As(err, &proof):
		c.counts.Audited += proof.Frame - span.First + 1
		c.evict(now, span.Owner, span.Lease, proof)
	default:
		c.ring.Disclaim(span)
		c.verifierFailed(now, err)
	}
}

func (c *core) verifierFailed(now timeline.Instant, err error) {
	c.counts.verifierErrors++
	c.restUntil = now.Add(verifierRest)
	c.log.Error("the verifier failed", "err", err)
}
