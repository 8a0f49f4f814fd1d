package trust

import (
	"math"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A bucket fills at a constant rate up to its capacity. What is taken out of an empty one is a debt, no deeper than the
// bucket is high, so that what had to be overspent does not count against what comes much later.
type bucket struct {
	rate     float64 // a second
	capacity float64
	level    float64
	at       timeline.Instant // when the level was so
}

// full returns a bucket that is full.
func full(rate, capacity float64) bucket {
	return bucket{rate: rate, capacity: capacity, level: capacity}
}

// flow lets the bucket fill until now. The first call sets the time.
func (b *bucket) flow(now timeline.Instant) {
	if b.at != 0 && now > b.at {
		b.level = min(b.capacity, b.level+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = max(b.at, now)
}

func (b *bucket) take(amount float64) { b.level = max(-b.capacity, b.level-amount) }

// A Budget is how much processor time may be spent on audits that nobody must make: a token bucket. It is not safe for
// concurrent use. The instants that it is given must not go back.
type Budget struct{ seconds bucket }

// NewBudget returns a full budget of so many cores, 0 or more, that saves up what it gets in a burst.
func NewBudget(cores float64, burst time.Duration) *Budget {
	return &Budget{full(cores, cores*burst.Seconds())}
}

// Left reports whether there is anything left to spend.
func (b *Budget) Left(now timeline.Instant) bool {
	b.seconds.flow(now)
	return b.seconds.level > 0
}

// Spend notes processor time that an audit took. Those that must be made spend too, be anything left or not.
func (b *Budget) Spend(now timeline.Instant, d time.Duration) {
	b.seconds.flow(now)
	b.seconds.take(d.Seconds())
}

const (
	// probationAlone is the share of the auditors' time that newcomers may take where nobody else has time for the work:
	// all of it, since the server would have to render those frames, which takes as long as to audit them. probationBeside
	// is their share where there are others: the picture comes before trust for more of them.
	probationAlone  = 1.
	probationBeside = 1. / 8
	// probationFrames is how many frames a second newcomers may be lent beside others: a quarter of what plays. Identities
	// are free; so a flood of them has to leave the work to those who are known.
	probationFrames = donut.FPS / 4
)

// A Probation bounds what newcomers are lent: at most what the auditors can audit whole beside all else, and a share of
// the stream while there are others with time for it. It is not safe for concurrent use. The instants that it is given
// must not go back.
type Probation struct {
	alone  bucket // seconds of the auditors
	beside bucket // likewise, beside others
	frames bucket // beside others
}

// NewProbation returns a probation that so many auditors, at least 1, see to. It saves up one second's worth, and remembers
// no greater debt: at a high detail a single chunk may be more than that, and is not held against the next for long.
func NewProbation(auditors int) *Probation {
	alone, beside := probationAlone*float64(auditors), probationBeside*float64(auditors)
	return &Probation{full(alone, alone), full(beside, beside), full(probationFrames, probationFrames)}
}

// Frames returns how many frames newcomers may be lent where the audit of one takes cost: beside others who have time
// for them, and where there is nobody else. Where it is any, a little more does no harm: it is paid back before the next.
func (p *Probation) Frames(now timeline.Instant, cost time.Duration) (beside, alone int) {
	p.flow(now)
	seconds := max(cost, time.Microsecond).Seconds()
	beside = atMost(min(p.beside.level/seconds, p.frames.level))
	return beside, max(beside, atMost(p.alone.level/seconds))
}

func atMost(frames float64) int { return int(max(0, math.Ceil(frames))) }

// Lend notes that newcomers are lent count frames, the audit of each of which takes cost.
func (p *Probation) Lend(now timeline.Instant, count int, cost time.Duration) {
	p.flow(now)
	seconds := float64(count) * cost.Seconds()
	p.alone.take(seconds)
	p.beside.take(seconds)
	p.frames.take(float64(count))
}

func (p *Probation) flow(now timeline.Instant) {
	p.alone.flow(now)
	p.beside.flow(now)
	p.frames.flow(now)
}
