package main

import (
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// driftPPM is what two clocks are taken to drift apart, in millionths, as the page does.
const driftPPM = 50

// A clock relates the server's timeline to this machine's monotonic time.
type clock struct {
	instant timeline.Instant
	at      time.Time

	probes     int           // that have been answered; before the first it is what the welcome said
	doubt      time.Duration // how wrong it may have been at the time: half of the probe's round trip
	generation uint32        // of the server's clock
}

func (c clock) now() timeline.Instant { return c.instant.Add(time.Since(c.at)) }

// local returns when t was or will be.
func (c clock) local(t timeline.Instant) time.Time { return c.at.Add(t.Sub(c.instant)) }

// better returns which of two counts, of which the other was measured later: the one in less doubt, as on the page.
func (c clock) better(later clock) clock {
	drift := later.at.Sub(c.at) * driftPPM / 1_000_000
	if c.probes > 0 && c.generation == later.generation && c.doubt+drift < later.doubt {
		later.instant, later.at, later.doubt = c.instant, c.at, c.doubt
	}
	return later
}

// settled reports whether the clock can be held against others: one probe may have been sent among those of all who come
// at once, where a page sends eight.
func (c clock) settled() bool { return c.probes >= 2 }

// setClock takes the time from a reply.
func (p *person) setClock(message []byte) error {
	m, err := wire.ParseReply(message)
	if err != nil {
		return err
	}
	now := time.Now()
	roundTrip := now.Sub(p.dialed) - time.Duration(m.Sent)*time.Microsecond - time.Duration(m.Replied-m.Received)*time.Microsecond
	p.clock = p.clock.better(clock{
		instant: timeline.Instant(m.Replied).Add(roundTrip / 2), at: now,
		probes: p.clock.probes + 1, doubt: roundTrip / 2, generation: m.Generation,
	})
	p.mu.Lock()
	p.trip = roundTrip
	p.mu.Unlock()
	return nil
}

// ahead returns how far the timeline that somebody plays by is ahead of the one by this machine's wall clock, at a moment.
func (p *person) ahead(at time.Time) time.Duration {
	own := timeline.Instant(at.UnixMicro() - p.welcome.Epoch)
	return p.clock.instant.Add(at.Sub(p.clock.at)).Sub(own)
}
