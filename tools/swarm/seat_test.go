package main

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// sent is how somebody was sent away, with a hint in milliseconds.
func sent(r wire.Reason, retry uint32) error { return &sentAway{wire.Goodbye{Reason: r, Retry: retry}} }

func TestWhoMayReturn(t *testing.T) {
	for _, c := range []struct {
		reason error
		want   bool
	}{
		{&lostError{io.EOF}, true},
		{sent(wire.ReasonDraining, 0), true},
		{sent(wire.ReasonFull, 0), true},
		{sent(wire.ReasonCrowded, 0), true},
		{sent(wire.ReasonSlow, 0), false},
		{sent(wire.ReasonMalformed, 0), false},
		{sent(wire.ReasonEvicted, 0), false},
		{errors.New("got a reply out of turn"), false},
		{nil, false},
	} {
		if got := mayReturn(c.reason); got != c.want {
			t.Errorf("%v: may return: %v, want %v", c.reason, got, c.want)
		}
	}
}

func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		lost := &lostError{io.EOF}
		var first seat
		first.wait(rng, lost)
		start := time.Now()
		for _, c := range []struct{ after, bound time.Duration }{
			{0, 2 * time.Second},
			{16 * time.Second, 2 * time.Second},
			{24 * time.Second, 3 * time.Second},
			{2 * time.Minute, 15 * time.Second},
			{time.Hour, 15 * time.Second},
		} {
			<-time.After(c.after - time.Since(start))
			var most, sum time.Duration
			for range 1000 {
				wait := first.wait(rng, lost)
				most, sum = max(most, wait), sum+wait
			}
			if mean := sum / 1000; most > c.bound || mean < c.bound*2/5 || mean > c.bound*3/5 {
				t.Errorf("after %v: waits of %v on average and %v at most, want any up to %v", c.after, mean, most, c.bound)
			}
		}
		if got := new(seat).wait(rng, sent(wire.ReasonDraining, 7000)); got <= 7*time.Second || got >= 9*time.Second {
			t.Errorf("waits %v, want the 7s that it was asked to and up to two more", got)
		}
	})
}

func TestWaitsBeginAnewAfterAConnectionThatLasted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for lasted, anew := range map[time.Duration]bool{settled - time.Millisecond: false, settled: true} {
			s := seat{since: time.Now()}
			p := &person{welcomed: true, welcomedAt: time.Now()}
			<-time.After(lasted)
			if s.leave(p); s.since.IsZero() != anew {
				t.Errorf("after a connection of %v waits begin anew: %v, want %v", lasted, s.since.IsZero(), anew)
			}
		}
	})
}

// TestReturns has somebody who saw frame 600 come back three times: in vain, to a picture of before, and to a later one.
func TestReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s seat
		var r returns
		back := func(first uint64) error {
			p := &person{dialed: time.Now(), welcomed: first > 0, firstFrame: time.Second}
			if p.tally.started = first > 0; p.tally.started {
				p.tally.first = timeline.Start(first)
				p.welcomedAt = time.Now()
			}
			return s.back(p, &r)
		}
		leave := func() {
			p := &person{left: timeline.Start(600)}
			p.tally.started = true
			s.leave(p)
			<-time.After(time.Second)
		}
		if err := back(5); err != nil || r.tried != 0 {
			t.Errorf("who never left has returned: %+v, %v", r, err)
		}
		leave()
		if err := back(0); err != nil || len(r.after) != 0 || s.lost.IsZero() {
			t.Errorf("who got no picture is back: %+v, %v", r, err)
		}
		if err := back(599); err == nil || r.backward != 1 {
			t.Errorf("frame 599 after frame 600 is no fault: %+v", r)
		}
		leave()
		if err := back(600); err != nil || r.backward != 1 {
			t.Errorf("frame 600 after frame 600 is one: %+v, %v", r, err)
		}
		if r.tried != 3 || len(r.after) != 2 || r.after[0] != 2*time.Second || len(r.welcomed) != 2 || !s.lost.IsZero() {
			t.Errorf("got %+v, want three tries, two welcomes, and two returns after 2 s each", r)
		}
	})
}

func TestPeak(t *testing.T) {
	at := func(ms ...int) (r returns) {
		for _, m := range ms {
			r.welcomed = append(r.welcomed, time.UnixMilli(int64(m)))
		}
		return r
	}
	for _, c := range []struct {
		of   returns
		want int
	}{{at(), 0}, {at(5), 1}, {at(0, 1000, 2000), 1}, {at(2400, 900, 1899, 1000), 3}, {at(1, 999, 1000, 1001), 3}} {
		if got := c.of.peak(); got != c.want {
			t.Errorf("peak of %v is %d, want %d", c.of.welcomed, got, c.want)
		}
	}
}
