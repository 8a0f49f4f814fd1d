package main

import (
	"fmt"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A clock relates the server's timeline to this machine's monotonic time.
type clock struct {
	instant timeline.Instant
	at      time.Time
}

func (c clock) now() timeline.Instant { return c.instant.Add(time.Since(c.at)) }

// local returns when t was or will be.
func (c clock) local(t timeline.Instant) time.Time { return c.at.Add(t.Sub(c.instant)) }

// setClock takes the time from a reply, whatever the clock's generation: the newest one counts.
func (p *person) setClock(message []byte) error {
	m, err := wire.ParseReply(message)
	if err != nil {
		return err
	}
	now := time.Now()
	roundTrip := now.Sub(p.dialed) - time.Duration(m.Sent)*time.Microsecond - time.Duration(m.Replied-m.Received)*time.Microsecond
	p.clock = clock{timeline.Instant(m.Replied).Add(roundTrip / 2), now}
	return nil
}

// watch checks a broadcast. What is wrong with it is a fault of the crowd's, after which the person watches on.
func (p *person) watch(message []byte) error {
	m, err := wire.ParseBroadcast(message)
	if err != nil {
		return err
	}
	h, err := codec.ParseHeader(m.Stream)
	if err != nil {
		return err
	}
	var frames []*donut.Picture
	ok, err := p.tally.follow(h)
	if ok {
		frames, err = p.look(message, m.Stream)
	}
	if err != nil {
		p.crowd.fault(p, err)
	}
	started := p.tally.started
	p.tally.take(h, frames, len(message), p.clock.now())
	if !started && p.tally.started {
		p.firstFrame = p.clock.local(p.tally.first).Sub(p.dialed)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ack = p.tally.number
	return nil
}

// look returns a message's frames, or nil with what is wrong with them.
func (p *person) look(message, stream []byte) ([]*donut.Picture, error) {
	r, err := p.crowd.film.show(message, stream, int(p.welcome.Detail))
	if err != nil {
		return nil, err
	}
	if p.own == nil {
		return r.frames, nil
	}
	differs := false
	_, err = p.own.Decode(stream, func(n uint64, got *donut.Picture) {
		want := r.frames[n-r.header.First]
		differs = differs || (got == nil) != (want == nil) || got != nil && *got != *want
	})
	if err == nil && differs {
		err = fmt.Errorf("message %d: decoded to other frames than for somebody else", r.header.Number)
	}
	return r.frames, err
}
