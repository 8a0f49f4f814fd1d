package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// Handler returns the endpoint that tabs connect to, and whose connections join the fleet.
func (h *Hub) Handler(fleet Fleet) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !h.begin() {
			turnAway(w, wire.ReasonDraining)
			return
		}
		c, ok := h.welcomeIn(w, r)
		if !ok {
			h.end()
			return
		}
		// The handler returns at once, so that net/http's buffers of the request go; the reader lives on.
		go func() {
			defer h.end()
			c.serve(fleet)
		}()
	})
}

// welcomeIn makes a connection of a request, unless that is turned away.
func (h *Hub) welcomeIn(w http.ResponseWriter, r *http.Request) (c *conn, ok bool) {
	c = &conn{hub: h, addr: h.cfg.Addresses.Of(r.RemoteAddr, r.Header[gate.ForwardedFor])}
	if c.refused, ok = h.admit(c.addr); !ok {
		turnAway(w, reasonOf(c.refused))
		return nil, false
	}
	if err := c.accept(w, r); err != nil {
		h.cfg.Log.Debug("no websocket", "addr", c.addr, "err", err)
		h.release(c)
		return nil, false // Accept has answered
	}
	return c, true
}

// accept upgrades the request's connection.
func (c *conn) accept(w http.ResponseWriter, r *http.Request) (err error) {
	tap := &tap{ResponseWriter: w, sendBuffer: c.hub.cfg.SendBuffer}
	c.socket, err = websocket.Accept(tap, r, &websocket.AcceptOptions{
		CompressionMode: websocket.CompressionDisabled, // the stream is dense, and a compressor a viewer costs a megabyte
		OriginPatterns:  c.hub.cfg.Origins,
		OnPingReceived:  func(context.Context, []byte) bool { return c.control() },
		OnPongReceived:  func(context.Context, []byte) { c.control() },
	})
	if err != nil {
		return err
	}
	c.pace = gate.NewRation(c.hub.cfg.Messages, c.hub.cfg.Messages*savedSeconds)
	c.offers = gate.NewRation(offersPerSecond, offersAtOnce)
	c.socket.SetReadLimit(-1) // read has limits of its own, and says goodbye to who breaks them
	c.tcp, c.number = tap.conn, c.hub.nextNumber()
	return nil
}

// nextNumber gives a connection its number, which is neither 0, the server's own, nor a member's of a cluster.
func (h *Hub) nextNumber() uint32 {
	for {
		if n := h.numbers.Add(1) % wire.FirstMember; n != 0 {
			return n
		}
	}
}

// serve reads until the connection ends.
func (c *conn) serve(fleet Fleet) {
	defer c.hub.forget(c)
	defer c.hub.release(c)
	defer c.socket.CloseNow()
	defer c.writers.Wait()
	switch retry, draining := c.hub.enter(c); {
	case c.refused != gate.Admitted:
		c.turnBack(goodbye(reasonOf(c.refused), later()))
		return
	case draining:
		c.turnBack(goodbye(wire.ReasonDraining, retry))
		return
	}
	c.hub.stats.Accepted.Add(1)

	hello, err := c.hello()
	if err != nil {
		c.quit("hello", err)
		return
	}
	c.offer(int(hello.Threads))
	c.entered, _ = c.hub.cfg.Clock.Now()
	fleet.Join(c.number, c, c.addr, int(hello.Threads))
	defer fleet.Leave(c.number)

	for {
		if err := c.receive(fleet); err != nil {
			c.quit("message", err)
			return
		}
	}
}

// errOutdated is the error for a tab that runs something else than the server.
var errOutdated = errors.New("hub: the tab is outdated")

func (c *conn) hello() (wire.Hello, error) {
	message, err := c.read(c.hub.cfg.Timeouts.Hello, func() int { return wire.MaxHello })
	if err != nil {
		return wire.Hello{}, err
	}
	hello, err := wire.ParseHello(message)
	var version *wire.VersionError
	switch {
	case errors.As(err, &version):
		return wire.Hello{}, fmt.Errorf("%w: %w", errOutdated, err)
	case err != nil:
		return wire.Hello{}, err
	case hello.Codec != codec.Version:
		return wire.Hello{}, fmt.Errorf("%w: codec: got version %d, want %d", errOutdated, hello.Codec, codec.Version)
	case hello.Digest != c.hub.cfg.Digest:
		return wire.Hello{}, fmt.Errorf("%w: module: got %x, want %x", errOutdated, hello.Digest, c.hub.cfg.Digest)
	}
	return hello, nil
}

// receive reads a message and takes it.
func (c *conn) receive(fleet Fleet) error {
	message, err := c.read(silence, c.limit)
	if err != nil {
		return err
	}
	if !c.afford(wire.KindOf(message)) {
		return errFlood
	}
	return c.take(message, fleet)
}

// offer notes that the connection renders with so many threads from now on.
func (c *conn) offer(threads int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.worker = c.worker || threads > 0
}

// isWorker reports whether the connection has offered threads, and so may send results.
func (c *conn) isWorker() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.worker
}

// take does what a message asks for. Its error is errFlood or a *wire.SyntaxError.
func (c *conn) take(message []byte, fleet Fleet) error {
	switch kind := wire.KindOf(message); {
	case kind == wire.KindProbe:
		received, _ := c.hub.cfg.Clock.Now()
		probe, err := wire.ParseProbe(message)
		if err != nil {
			return err
		}
		if err := c.hub.acknowledge(c, probe.Ack); err != nil {
			return err
		}
		if probe.Took > 0 && c.hub.cfg.Probed != nil {
			c.hub.cfg.Probed(time.Duration(probe.Took) * time.Microsecond)
		}
		c.reply(wire.Reply{Sent: probe.Sent, Received: int64(received)})
		return nil
	case kind == wire.KindOffer:
		offer, err := wire.ParseOffer(message)
		if err != nil {
			return err
		}
		if now, _ := c.hub.cfg.Clock.Now(); !c.offers.Take(now) {
			return errFlood
		}
		c.offer(int(offer.Threads))
		fleet.Offer(c.number, int(offer.Threads))
		return nil
	case kind == wire.KindResult && c.isWorker():
		result, err := wire.ParseResult(message)
		if err != nil {
			return err
		}
		c.answered(result.Lease)
		fleet.Result(c.number, result)
		return nil
	default:
		return &wire.SyntaxError{Message: "message", Field: "kind", Got: kind.String(), Want: "probe, offer, or a worker's result"}
	}
}

// quit ends the connection after an error, with a goodbye where the other side can still read one.
func (c *conn) quit(step string, err error) {
	var syntax *wire.SyntaxError
	switch {
	case errors.Is(err, errOutdated):
		c.sendAway(wire.Goodbye{Reason: wire.ReasonOutdated})
	case errors.Is(err, errFlood):
		c.sendAway(goodbye(wire.ReasonFlooding, later()))
	case errors.As(err, &syntax), errors.Is(err, errFraming):
		c.sendAway(goodbye(wire.ReasonMalformed, later()))
	case errors.Is(err, errSilent), errors.Is(err, errTruncated):
		c.abandon(wire.ReasonSilent)
	default:
		c.hub.cfg.Log.Debug("connection ended", "conn", c.number, "step", step, "err", err)
		c.abandon(0)
		return
	}
	c.hub.cfg.Log.Debug("connection refused", "conn", c.number, "addr", c.addr, "step", step, "err", err)
}

// turnBack sends a connection away that has said nothing yet, once it has, or has had firstWord to. Firefox shows its
// page neither that the socket is open nor what came with that if the connection is at its end before the page has been
// told.
func (c *conn) turnBack(m wire.Goodbye) {
	c.expect(firstWord)
	c.tcp.Read(make([]byte, 1)) // whatever comes of it
	c.sendAway(m)
}

// sendAway says goodbye to a connection of which nothing more is looked at. It is read all the same, as much as an honest
// tab may have sent, until it closes.
func (c *conn) sendAway(m wire.Goodbye) {
	c.mu.Lock()
	idle := c.part(m)
	c.mu.Unlock()
	if idle {
		c.write()
	}
	c.writers.Wait()
	io.CopyN(io.Discard, c.tcp, maxIgnored) // whatever ends it
}
