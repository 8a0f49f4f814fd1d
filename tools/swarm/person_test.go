package main

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

func TestClock(t *testing.T) {
	c := clock{instant: timeline.Instant(5_000_000), at: time.Now()}
	if got := c.local(5_250_000).Sub(c.at); got != 250*time.Millisecond {
		t.Errorf("a quarter of a second later is after %v", got)
	}
	if now := c.now(); now < c.instant {
		t.Errorf("now is %v, want %v or later", now, c.instant)
	}
}

func TestProbeAndReply(t *testing.T) {
	p := person{dialed: time.Now().Add(-time.Minute), ack: 7}
	probe := p.nextProbe()
	if sent := time.Duration(probe.Sent) * time.Microsecond; probe.Ack != 7 || sent < time.Minute || sent > 2*time.Minute {
		t.Fatalf("probe is %+v, want one of message 7, sent a minute after the dial", probe)
	}
	// The reply is ten seconds under way in all, and the server keeps the probe for four of them.
	const replied = 1_000_000_000
	probe.Sent -= 10_000_000
	reply := wire.Reply{Sent: probe.Sent, Received: replied - 4_000_000, Replied: replied}
	if err := p.setClock(reply.Append(nil)); err != nil {
		t.Fatal(err)
	}
	if got := p.clock.instant.Sub(replied); got < 3*time.Second || got > 4*time.Second {
		t.Errorf("the reply is read %v after it was written, want half of the six seconds under way", got)
	}
	if err := p.setClock([]byte{byte(wire.KindReply)}); err == nil {
		t.Error("a reply cut short is taken")
	}
}

func TestClockInLessDoubtCounts(t *testing.T) {
	start := time.Now()
	at := func(second int, doubt time.Duration, generation uint32) clock {
		return clock{at: start.Add(time.Duration(second) * time.Second), probes: 1, doubt: doubt, generation: generation}
	}
	first := at(0, time.Millisecond, 1)
	for _, c := range []struct {
		name          string
		before, later clock
		want          bool // the later
	}{
		{"after the welcome alone", clock{at: start, generation: 1}, at(1, time.Second, 1), true},
		{"less doubt", first, at(5, 500*time.Microsecond, 1), true},
		{"more doubt", first, at(5, 2*time.Millisecond, 1), false},
		{"as much more as the clocks drift apart", first, at(60, 4*time.Millisecond, 1), true},
		{"another generation", first, at(5, 2*time.Millisecond, 2), true},
	} {
		if got := c.before.better(c.later).at.Equal(c.later.at); got != c.want {
			t.Errorf("%s: the later one counts: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestAhead has somebody play by a timeline that is 300 ms ahead of this machine's, and one of another server whose epoch
// is another.
func TestAhead(t *testing.T) {
	now := time.Now()
	for _, epoch := range []int64{0, 1_700_000_000_000_000} {
		p := person{welcome: wire.Welcome{Epoch: epoch}}
		p.clock = clock{instant: timeline.Instant(now.UnixMicro() - epoch).Add(300 * time.Millisecond), at: now}
		if got := p.ahead(now.Add(time.Second)); (got - 300*time.Millisecond).Abs() > time.Millisecond {
			t.Errorf("epoch %d: %v ahead, want 300ms", epoch, got)
		}
	}
}

func TestRevokedLeaseIsNotAnswered(t *testing.T) {
	c := &crowd{pictures: newPictures()}
	// There is no socket: an answer would fail.
	w := &worker{person: &person{crowd: c}, life: context.Background(), quit: make(chan struct{}), loans: make(map[uint64]*loan)}
	l := &loan{Lease: wire.Lease{Lease: 3, Detail: 1, Count: 5}}
	w.loans[3] = l
	w.revoke(3)
	w.revoke(4) // answered already
	w.answer(l, donut.NewRenderer(1))
	if n := c.rendered.Load(); n != 0 || len(c.pictures.drawn) != 0 {
		t.Errorf("%d frames sent and %d rendered of a revoked lease, want none", n, len(c.pictures.drawn))
	}
}

func TestLendRefusesALongQueue(t *testing.T) {
	w := &worker{queues: []chan *loan{make(chan *loan, maxQueue)}, loans: make(map[uint64]*loan)}
	for i := range uint64(maxQueue) {
		if err := w.lend(wire.Lease{Lease: i}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.lend(wire.Lease{Lease: maxQueue}); err == nil {
		t.Errorf("%d leases wait, want at most %d", maxQueue+1, maxQueue)
	}
}

// TestProbesGoAlongWithTheStream offers a turn at each broadcast, as they come every second.
func TestProbesGoAlongWithTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := person{due: time.Now()}
		var along []int
		for second := range 20 {
			if p.takeTurn(near) {
				along = append(along, second)
			}
			<-time.After(time.Second)
			if p.takeTurn(0) {
				t.Errorf("after %d s a probe had to go alone", second+1)
			}
		}
		if want := []int{0, 5, 10, 15}; !slices.Equal(along, want) {
			t.Errorf("probes went along after %v s, want %v", along, want)
		}
	})
}
