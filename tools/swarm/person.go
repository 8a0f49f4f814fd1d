package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	handshakeTimeout = 10 * time.Second
	writeTimeout     = 10 * time.Second
	probeInterval    = 5500 * time.Millisecond
	// near is how long before its time a probe goes along with a broadcast, as a tab's does.
	near = time.Second
	// patience is how long somebody who was welcomed waits for the first picture before that is a fault.
	patience = 5 * time.Second
	// readLimit is the most that a message of the server's may be, in bytes.
	readLimit = 1 << 20
)

// A person is one of the crowd: a connection that watches, checks what it is shown, and renders if it is a worker. One
// goroutine reads; probes leave from a timer, and each thread of a worker has a goroutine.
type person struct {
	// Set once.
	crowd   *crowd
	index   int
	arrival time.Duration // after the start
	threads int           // 0 watches only
	asks    bool          // whether a server is there, before it connects, as a tab does that comes again
	temper  temper
	forger  *forger        // nil for the honest
	own     *codec.Decoder // nil for who compares bytes alone

	// Owned by the goroutine of run, and by the crowd after it.
	socket     *websocket.Conn
	dialed     time.Time
	welcomed   bool
	welcomedAt time.Time
	welcome    wire.Welcome
	clock      clock
	tally      tally
	firstFrame time.Duration    // from the dial on, once the tally started
	left       timeline.Instant // when nothing more could come, once welcomed
	worker     *worker          // nil before the welcome, and for viewers

	mu    sync.Mutex
	ack   uint64        // number of the newest message
	trip  time.Duration // the last round trip, 0 once a probe told of it
	probe *time.Timer   // nil when nothing is to be probed
	due   time.Time     // when that is to be
}

// A sentAway error says that the server ended the connection, and why.
type sentAway struct{ wire.Goodbye }

func (e *sentAway) Error() string { return "server said goodbye: " + e.Reason.String() }

// A lostError says that a connection could not be opened, or broke.
type lostError struct{ err error }

func (e *lostError) Error() string { return e.err.Error() }
func (e *lostError) Unwrap() error { return e.err }

func (p *person) role() string {
	switch {
	case p.forger != nil:
		return "forger"
	case p.threads > 0:
		return "worker"
	}
	return "viewer"
}

// run arrives, and stays until ctx is done or its life is over. The error is why it ended earlier; life is the sockets'.
func (p *person) run(ctx, life context.Context) error {
	select {
	case <-time.After(p.arrival):
	case <-ctx.Done():
		return nil
	}
	if p.temper.life > 0 {
		var die context.CancelFunc
		ctx, die = context.WithTimeout(ctx, p.temper.life)
		defer die()
	}
	err := p.stay(ctx, life)
	if !p.welcomed {
		return err
	}
	p.tally.leave(p.left)
	if waited := time.Since(p.dialed); err == nil && !p.tally.started && waited > patience {
		err = fmt.Errorf("no picture after %v", waited.Round(time.Millisecond))
	}
	return err
}

func (p *person) stay(ctx, life context.Context) error {
	p.dialed = time.Now()
	if err := p.dial(ctx); err != nil {
		return unlessLeaving(ctx, err)
	}
	defer p.socket.CloseNow()
	p.crowd.here.Add(1)
	defer p.crowd.here.Add(-1)

	leaving, closed := make(chan struct{}), make(chan struct{})
	var left time.Time // once leaving
	stop := context.AfterFunc(ctx, func() {
		left = time.Now()
		close(leaving)
		defer close(closed)
		p.socket.Close(websocket.StatusGoingAway, "")
	})
	defer func() {
		if !stop() {
			<-closed
		}
	}()

	hello := wire.Hello{Threads: uint8(p.threads), Codec: codec.Version, Digest: p.crowd.digest}
	if err := p.write(life, hello.Append(nil)); err != nil {
		return unlessLeaving(ctx, &lostError{err})
	}
	defer p.stopProbing()
	defer func() {
		if p.worker != nil {
			p.worker.stop()
		}
	}()
	for {
		if err := p.read(life); err != nil {
			p.left = p.clock.now()
			select {
			case <-leaving: // what comes while the socket closes is not waited for
				p.left = p.clock.instant.Add(left.Sub(p.clock.at))
			default:
			}
			return unlessLeaving(ctx, err)
		}
	}
}

// unlessLeaving returns err, or nil where it comes of leaving at the end of the play. A goodbye never does.
func unlessLeaving(ctx context.Context, err error) error {
	var away *sentAway
	if ctx.Err() != nil && !errors.As(err, &away) {
		return nil
	}
	return err
}

func (p *person) dial(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	if p.asks {
		if err := p.crowd.cfg.target.ask(ctx, p.crowd.addresses.client(p.index)); err != nil {
			return &lostError{err}
		}
	}
	socket, _, err := websocket.Dial(ctx, p.crowd.cfg.target.endpoint("ws"), &websocket.DialOptions{
		HTTPClient:      p.crowd.addresses.client(p.index),
		CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return &lostError{fmt.Errorf("connect: %w", err)}
	}
	socket.SetReadLimit(readLimit)
	p.socket = socket
	return nil
}

func (p *person) write(life context.Context, message []byte) error {
	ctx, cancel := context.WithTimeout(life, writeTimeout)
	defer cancel()
	return p.socket.Write(ctx, websocket.MessageBinary, message)
}

// buffers hold messages while they are looked at, so that an idle connection holds none.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// read reads one message and does what it asks for. It ends with the socket: to watch a context that a crowd shares
// would cost each message more than reading it does.
func (p *person) read(life context.Context) error {
	kind, r, err := p.socket.Reader(context.Background())
	if err != nil {
		return &lostError{err}
	}
	if kind != websocket.MessageBinary {
		return errors.New("got a text message, want binary ones")
	}
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	if _, err := b.ReadFrom(r); err != nil {
		return &lostError{err}
	}
	return p.receive(life, b.Bytes())
}

func (p *person) receive(life context.Context, message []byte) error {
	kind := wire.KindOf(message)
	if kind != wire.KindGoodbye && (kind == wire.KindWelcome) == p.welcomed {
		return fmt.Errorf("got a %v out of turn", kind)
	}
	switch kind {
	case wire.KindWelcome:
		return p.enter(life, message)
	case wire.KindReply:
		return p.setClock(message)
	case wire.KindBroadcast:
		if err := p.watch(message); err != nil {
			return err
		}
		p.probeIf(life, near)
		return nil
	case wire.KindLease:
		m, err := wire.ParseLease(message)
		if err != nil {
			return err
		}
		if p.worker == nil {
			return fmt.Errorf("got lease %d without a thread for it", m.Lease)
		}
		return p.worker.lend(m)
	case wire.KindRevoke:
		m, err := wire.ParseRevoke(message)
		if err == nil && p.worker != nil {
			p.worker.revoke(m.Lease)
		}
		return err
	case wire.KindGoodbye:
		m, err := wire.ParseGoodbye(message)
		if err != nil {
			return err
		}
		return &sentAway{m}
	}
	return fmt.Errorf("got a message of %v, want one that servers send", kind)
}

func (p *person) enter(life context.Context, message []byte) (err error) {
	if p.welcome, err = wire.ParseWelcome(message); err != nil {
		return err
	}
	p.welcomed = true
	p.welcomedAt = time.Now()
	p.clock = clock{instant: timeline.Instant(p.welcome.Now), at: p.welcomedAt, generation: p.welcome.Generation}
	if p.welcome.Threads > 0 {
		p.worker = startWorker(p, life, int(p.welcome.Threads))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.due = p.welcomedAt
	p.probe = time.AfterFunc(0, func() { p.probeIf(life, 0) })
	return nil
}

// probeIf sends the next probe if it is due within some time.
func (p *person) probeIf(life context.Context, within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.probe == nil || !p.takeTurn(within) {
		return
	}
	if p.write(life, p.nextProbe().Append(nil)) == nil { // else the reader sees it end
		p.probe.Reset(probeInterval)
	}
}

// takeTurn reports whether the next probe is due within some time, and has the one after it be due then. It is called with
// mu held.
func (p *person) takeTurn(within time.Duration) bool {
	if time.Until(p.due) > within {
		return false
	}
	p.due = time.Now().Add(probeInterval)
	return true
}

// nextProbe is the probe to send now. It is called with mu held.
func (p *person) nextProbe() wire.Probe {
	trip := p.trip
	p.trip = 0
	return wire.Probe{
		Sent: time.Since(p.dialed).Microseconds(), Ack: p.ack,
		Took: uint32(max(0, min(trip.Microseconds(), wire.MaxRoundTrip))),
	}
}

// stopProbing returns when no probe is being sent, and none will be.
func (p *person) stopProbing() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.probe != nil {
		p.probe.Stop()
		p.probe = nil
	}
}
