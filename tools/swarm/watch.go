package main

import (
	"fmt"
	"time"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

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
	if p.clock.settled() {
		p.crowd.ahead.add(p.ahead(time.Now()))
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
