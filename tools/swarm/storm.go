package main

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// maxStorm is how many joins a storm may have, and maxStormRate how many a second.
	maxStorm     = 60_000
	maxStormRate = 2_000
	// maxIntruders is how many of them may be here at once.
	maxIntruders = 4_000
	// leaseWait is how long an intruder waits for a lease before it sends a result for one that it never held, and
	// goodbyeWait how long it waits to be sent away then.
	leaseWait   = time.Second
	goodbyeWait = 2 * time.Second
)

// A storm is hostile joins, one after the other as fast as the rate allows: each from a /24 of its own, with one forged
// chunk.
type storm struct {
	joined  atomic.Int64 // welcomed
	refused atomic.Int64 // not even connected, or sent away before they were welcomed
	lent    atomic.Int64 // lent a chunk
	evicted atomic.Int64 // told so
	took    time.Duration
}

// blow sends all intruders, and returns when they have left or ctx is done.
func (s *storm) blow(ctx context.Context, c *crowd) {
	start := time.Now()
	var here sync.WaitGroup
	defer func() {
		s.took = time.Since(start)
		here.Wait()
	}()
	room := make(chan struct{}, maxIntruders)
	for i := range c.cfg.storm {
		due := start.Add(time.Duration(float64(i) / c.cfg.stormRate * float64(time.Second)))
		select {
		case <-time.After(time.Until(due)):
		case <-ctx.Done():
			return
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		here.Go(func() {
			defer func() { <-room }()
			s.intrude(ctx, c, i)
		})
	}
}

// intrude plays intruder number i.
func (s *storm) intrude(ctx context.Context, c *crowd, i int) {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, c.cfg.target.endpoint("ws"), &websocket.DialOptions{HTTPClient: intruderClient(i)})
	if err != nil {
		s.refused.Add(1)
		return
	}
	defer socket.CloseNow()
	socket.SetReadLimit(readLimit)
	hello := wire.Hello{Threads: 1, Codec: codec.Version, Digest: c.digest}
	if socket.Write(ctx, websocket.MessageBinary, hello.Append(nil)) != nil {
		s.refused.Add(1)
		return
	}

	// One goroutine reads; the timer sends what is due where no lease has come.
	forgery := func(lease, first uint64, count int) []byte {
		frames := bytes.Repeat([]byte{byte(i) % 10}, count*wire.PackedSize)
		return wire.Result{Lease: lease, First: first, Spent: 1000, Frames: frames}.Append(nil)
	}
	var once sync.Once
	send := func(message []byte) {
		once.Do(func() {
			socket.Write(ctx, websocket.MessageBinary, message)
			time.AfterFunc(goodbyeWait, cancel)
		})
	}
	impatient := time.AfterFunc(leaseWait, func() { send(forgery(uint64(i), 0, 4)) })
	defer impatient.Stop()
	welcomed := false
	for {
		_, message, err := socket.Read(ctx)
		if err != nil {
			if !welcomed {
				s.refused.Add(1)
			}
			return
		}
		switch wire.KindOf(message) {
		case wire.KindWelcome:
			welcomed = true
			s.joined.Add(1)
		case wire.KindLease:
			if m, err := wire.ParseLease(message); err == nil {
				s.lent.Add(1)
				send(forgery(m.Lease, m.First, int(m.Count)))
			}
		case wire.KindGoodbye:
			if m, err := wire.ParseGoodbye(message); err == nil && m.Reason == wire.ReasonEvicted {
				s.evicted.Add(1)
			}
		}
	}
}

var errNoAddress = errors.New("intruders need addresses of their own in 127.0.0.0/8")

// intruderClient returns an HTTP client with an address in /24 number i of 127.0.0.0/8.
func intruderClient(i int) *http.Client {
	i++ // the first /24 is the developer's own
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, byte(i>>8), byte(i), 77)}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}
