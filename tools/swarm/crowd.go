package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// spacing is how far apart people arrive on average, unless that takes more than a quarter of the duration.
	spacing = 5 * time.Millisecond
	// grace is how long people have to say goodbye, and after that the critic to check the rest.
	grace = 10 * time.Second
	// comeBack is how long those stay away who were evicted, or came to harm and were sent away.
	comeBack = time.Second
	// keptFaults is how many faults are kept word for word.
	keptFaults = 10
)

// A crowd is everybody whom swarm plays.
type crowd struct {
	// Set once.
	cfg       config
	digest    wire.Digest
	addresses addresses
	people    []*person
	pictures  *pictures
	film      *film
	hostiles  hostiles

	started  time.Time    // set by play, before anybody runs
	newcomer atomic.Int64 // people who took somebody's place
	here     atomic.Int64 // people who are connected
	rendered atomic.Int64 // frames sent to the server
	ahead    spread       // of everybody's timeline of this machine's, at each broadcast

	mu      sync.Mutex
	total   total
	elapsed time.Duration
}

// A total is what the people who left amount to.
type total struct {
	joined        int
	seen, missed  uint64
	missedAtFirst uint64          // of these
	frames, bytes uint64          // of the broadcasts
	firstFrames   []time.Duration // from the dial on, of everybody who saw one
	honestEvicted int
	forgers       int // identities that sent a forged frame
	evicted       int // of these
	forged        int // frames
	returns       returns
	faults        int
	faultTexts    []string // the first of them
}

// gather prepares a crowd: it asks the server for its module, and the system for addresses.
func gather(ctx context.Context, cfg config) (*crowd, error) {
	rng := rand.New(rand.NewPCG(cfg.seed, 0))
	drawn := newPictures()
	c := &crowd{cfg: cfg, addresses: pickAddresses(rng), pictures: drawn, film: newFilm(drawn)}

	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	var err error
	if c.digest, err = cfg.target.digest(ctx, c.addresses.client(0)); err != nil {
		if c.addresses.own = false; cfg.hostile() {
			return nil, errNoAddress
		}
		if c.digest, err = cfg.target.digest(ctx, c.addresses.client(0)); err != nil {
			return nil, err
		}
	}

	count := cfg.workers + cfg.viewers
	ramp := min(time.Duration(count)*spacing, cfg.duration/4)
	for i := range count {
		p := &person{crowd: c, index: i, arrival: time.Duration(rng.Int64N(int64(ramp) + 1))}
		if i < cfg.workers {
			p.threads, p.temper = cfg.threads, cfg.newTemper(rng, i)
		} else {
			p.temper.live(rng, cfg.life)
		}
		if i < cfg.forgers() {
			p.forger = &forger{crowd: c}
		}
		if i < cfg.decoders {
			p.own = new(codec.Decoder)
		}
		c.people = append(c.people, p)
	}
	return c, nil
}

// play lets everybody in and returns when all have left and what they saw is checked.
func (c *crowd) play(ctx context.Context) {
	c.started = time.Now()
	ctx, end := context.WithTimeout(ctx, c.cfg.duration)
	defer end()
	// A socket must outlive ctx by its closing handshake.
	life, cut := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.duration+grace)
	defer cut()

	var people, critic sync.WaitGroup
	critic.Go(func() { c.film.criticize(ctx) })
	for _, p := range c.people {
		people.Go(func() { c.live(ctx, life, p) })
	}
	if c.cfg.hostile() {
		people.Go(func() { c.hostiles.play(ctx, c) })
	}
	people.Wait()
	c.mu.Lock()
	c.elapsed = time.Since(c.started)
	c.mu.Unlock()

	end()
	critic.Wait()
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	c.film.finish(rest)
}

// live has a person come and leave. Another one of its kind follows on who dies, and a forger who is found out comes
// again, each from another address; who has lost its connection may come back from its own.
func (c *crowd) live(ctx, life context.Context, p *person) {
	rng := rand.New(rand.NewPCG(c.cfg.seed, uint64(p.index)+1))
	seat := &seat{}
	defer func() { c.vacate(seat) }()
	for {
		reason := p.run(ctx, life)
		c.part(p, seat, reason)
		if ctx.Err() != nil {
			return
		}
		next := &person{crowd: c, threads: p.threads, temper: p.temper}
		switch caught, died := p.forger != nil && evicted(reason), reason == nil && p.temper.life > 0; {
		case caught:
			next.arrival = comeBack
			fallthrough
		case died:
			next.index = len(c.people) + int(c.newcomer.Add(1))
		case c.cfg.returns && mayReturn(reason):
			next.index, next.arrival, next.asks = p.index, seat.wait(rng, reason), true
		default:
			return
		}
		if p.forger != nil {
			next.forger = &forger{crowd: c}
		}
		if p.own != nil {
			next.own = new(codec.Decoder)
		}
		next.temper.live(rng, c.cfg.life)
		p = next
	}
}

// evicted reports whether a person left because the server evicted it.
func evicted(reason error) bool {
	var away *sentAway
	return errors.As(reason, &away) && away.Reason == wire.ReasonEvicted
}

// part adds up what a person saw who leaves its seat for a reason, which is nil where it dies or the play ends.
func (c *crowd) part(p *person, seat *seat, reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &c.total
	if short := reason == nil && p.temper.life > 0; (p.welcomed || short) && !seat.joined {
		seat.joined = true
		t.joined++
	}
	if err := seat.back(p, &t.returns); err != nil {
		c.faultLocked(p, err)
	}
	t.seen += p.tally.seen
	if t.missed += p.tally.missed; p.tally.missed > 0 {
		after := timeline.Start(p.tally.lost).Sub(p.tally.first)
		c.tellLocked(p, fmt.Errorf("missed %d frames and saw %d; the last that was missed is frame %d, %v after the first picture",
			p.tally.missed, p.tally.seen, p.tally.lost, after.Round(time.Millisecond)))
	}
	t.missedAtFirst += p.tally.atFirst
	t.frames += p.tally.frames
	t.bytes += p.tally.bytes
	if p.tally.started {
		t.firstFrames = append(t.firstFrames, p.firstFrame)
	}
	switch {
	case p.forger != nil && p.forger.submitted > 0:
		t.forgers++
		t.forged += p.forger.submitted
		if evicted(reason) {
			t.evicted++
			return
		}
	case evicted(reason):
		t.honestEvicted++
	}
	switch {
	case c.cfg.returns && mayReturn(reason):
		seat.leave(p)
	case reason != nil:
		c.faultLocked(p, reason)
	}
}

// vacate notes that nobody follows on a seat.
func (c *crowd) vacate(s *seat) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !s.lost.IsZero() {
		c.total.returns.notBack++
	}
}

// fault notes that a check failed for a person, who stays.
func (c *crowd) fault(p *person, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faultLocked(p, err)
}

func (c *crowd) faultLocked(p *person, err error) {
	c.total.faults++
	c.tellLocked(p, err)
}

// tellLocked keeps what is wrong with a person word for word.
func (c *crowd) tellLocked(p *person, err error) {
	if len(c.total.faultTexts) < keptFaults {
		c.total.faultTexts = append(c.total.faultTexts, fmt.Sprintf("%s %d: %v", p.role(), p.index, err))
	}
}

// faults returns how many checks have failed so far.
func (c *crowd) faults() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total.faults
}
