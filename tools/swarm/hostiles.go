package main

import (
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

// hostiles are those who come beside the crowd to do harm, and what became of them. The counters may be read while they
// play.
type hostiles struct {
	joined   atomic.Int64 // welcomed
	refused  atomic.Int64 // not even connected, or sent away before they were welcomed
	lent     atomic.Int64 // lent a chunk
	messages atomic.Int64 // sent, the hellos apart
	cut      atomic.Int64 // welcomed, and cut off without a goodbye
	closed   [256]atomic.Int64
	took     time.Duration // set by play
}

// play sends all of them, and returns when they have left or ctx is done.
func (h *hostiles) play(ctx context.Context, c *crowd) {
	start := time.Now()
	defer func() { h.took = time.Since(start) }()
	var here sync.WaitGroup
	defer here.Wait()
	if c.cfg.storm > 0 {
		here.Go(func() { h.storm(ctx, c) })
	}
	for i := range c.cfg.flood {
		here.Go(func() { h.flood(ctx, c, i) })
	}
	for i := range c.cfg.garbage {
		here.Go(func() { h.litter(ctx, c, i) })
	}
}

// tried returns how often somebody has tried to join.
func (h *hostiles) tried() int64 { return h.joined.Load() + h.refused.Load() }

// closedByName returns how many were told goodbye for each reason there was.
func (h *hostiles) closedByName() map[string]int64 {
	named := make(map[string]int64)
	for r := range h.closed {
		if n := h.closed[r].Load(); n > 0 {
			named[wire.Reason(r).String()] = n
		}
	}
	return named
}

// A trade is what somebody hostile does. It is the last byte of its addresses.
type trade byte

const (
	stormer trade = 77 + iota
	flooder
	litterer
)

// client returns an HTTP client with an address in /24 number i of 127.0.0.0/8.
func (t trade) client(i int) *http.Client {
	i++ // the first /24 is the developer's own
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, byte(i>>8), byte(i), byte(t))}}
	return &http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
}

var errNoAddress = errors.New("those who come to harm need addresses of their own in 127.0.0.0/8")

// join opens a connection that offers so many threads, for number i of a trade. It returns nil where it is refused.
func (h *hostiles) join(ctx context.Context, c *crowd, t trade, i, threads int) *websocket.Conn {
	socket := h.dial(ctx, c, t, i)
	if socket == nil {
		return nil
	}
	hello := wire.Hello{Threads: uint8(threads), Codec: codec.Version, Digest: c.digest}
	if socket.Write(ctx, websocket.MessageBinary, hello.Append(nil)) != nil {
		h.refused.Add(1)
		socket.CloseNow()
		return nil
	}
	return socket
}

// dial opens a connection that has said nothing yet, or returns nil.
func (h *hostiles) dial(ctx context.Context, c *crowd, t trade, i int) *websocket.Conn {
	socket, _, err := websocket.Dial(ctx, c.cfg.target.endpoint("ws"), &websocket.DialOptions{HTTPClient: t.client(i)})
	if err != nil {
		if ctx.Err() == nil {
			h.refused.Add(1)
		}
		return nil
	}
	socket.SetReadLimit(readLimit)
	return socket
}

// read reads until the connection ends, and hands leases and broadcasts on.
func (h *hostiles) read(ctx context.Context, socket *websocket.Conn, take func(message []byte)) {
	welcomed, told := false, false
	for {
		_, message, err := socket.Read(ctx)
		if err != nil {
			switch {
			case !welcomed:
				h.refused.Add(1)
			case !told && ctx.Err() == nil:
				h.cut.Add(1)
			}
			return
		}
		switch wire.KindOf(message) {
		case wire.KindWelcome:
			welcomed = true
			h.joined.Add(1)
		case wire.KindLease, wire.KindBroadcast:
			take(message)
		case wire.KindGoodbye:
			if m, err := wire.ParseGoodbye(message); err == nil {
				told = true
				h.closed[m.Reason].Add(1)
			}
		}
	}
}

// rest lets time pass, and reports whether the play goes on then.
func rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}
