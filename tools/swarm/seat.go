package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

// Who has lost its connection waits for a time drawn from backoffShare of the time since it first waited, but from no less
// than leastBackoff and no more than mostBackoff; after a connection that has lasted for settled that time begins anew. So
// it is with the page.
const (
	backoffShare = 8 // an eighth
	leastBackoff = 2 * time.Second
	mostBackoff  = 15 * time.Second
	settled      = 5 * time.Second
)

// A seat is a place in the crowd. Somebody else takes it when who has it dies, or the same person again that has lost
// its connection. The goroutine of live owns it.
type seat struct {
	joined bool      // somebody was welcomed
	lost   time.Time // when the connection was, until a picture is there again; zero while none is missing
	shown  uint64    // the frame that was on screen then
	since  time.Time // it waits, once or again; zero after a connection that lasted
}

// mayReturn reports whether somebody who left for a reason comes back: its connection broke, or the server has asked
// for it to come again.
func mayReturn(reason error) bool {
	var broken *lostError
	var away *sentAway
	if errors.As(reason, &away) {
		return slices.Contains([]wire.Reason{wire.ReasonDraining, wire.ReasonFull, wire.ReasonCrowded}, away.Reason)
	}
	return errors.As(reason, &broken)
}

// leave notes that a person has lost its connection, or never got one.
func (s *seat) leave(p *person) {
	if p.welcomed && time.Since(p.welcomedAt) >= settled {
		s.since = time.Time{}
	}
	if p.tally.started {
		s.lost, s.shown = time.Now(), p.left.Frame()
	}
}

// wait draws how long somebody waits that left for a reason: what the server has asked for, and what chance adds.
func (s *seat) wait(rng *rand.Rand, reason error) time.Duration {
	if s.since.IsZero() {
		s.since = time.Now()
	}
	bound := min(max(leastBackoff, time.Since(s.since)/backoffShare), mostBackoff)
	wait := time.Duration(rng.Float64() * float64(bound))
	var away *sentAway
	if errors.As(reason, &away) {
		wait += time.Duration(away.Retry) * time.Millisecond
	}
	return wait
}

// back adds up the return of a person that has left since. It fails where the picture went back in time.
func (s *seat) back(p *person, r *returns) error {
	if s.lost.IsZero() {
		return nil
	}
	if !p.dialed.IsZero() {
		r.tried++
	}
	if p.welcomed {
		r.welcomed = append(r.welcomed, p.welcomedAt)
	}
	if !p.tally.started {
		return nil
	}
	r.after = append(r.after, p.dialed.Add(p.firstFrame).Sub(s.lost))
	s.lost = time.Time{}
	if first := p.tally.first.Frame(); first < s.shown {
		r.backward++
		return fmt.Errorf("saw frame %d when it came back, after frame %d", first, s.shown)
	}
	return nil
}

// returns are what became of those who lost their connection.
type returns struct {
	tried    int             // times, each of somebody
	welcomed []time.Time     // of these
	after    []time.Duration // from the loss until a picture was there again, of each return
	notBack  int             // who had none at the end
	backward int             // of the returns, those to a picture of before
}

// peak is how many were welcomed within the busiest second.
func (r returns) peak() (most int) {
	times := slices.SortedFunc(slices.Values(r.welcomed), time.Time.Compare)
	first := 0
	for i, t := range times {
		for t.Sub(times[first]) >= time.Second {
			first++
		}
		most = max(most, i-first+1)
	}
	return most
}
