package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	patience      = 10 * time.Second // for the server's welcome
	probeInterval = 5 * time.Second

	// maxMessage is the longest message of the server's, in bytes: a broadcast, with room for its statistics and ring.
	maxMessage = codec.MaxMessage + 64<<10
)

// A viewer is a connection that watches.
type viewer struct {
	conn    *websocket.Conn
	welcome wire.Welcome
	start   time.Time
}

// join connects to the server and is welcomed. The caller must close the viewer.
func join(ctx context.Context, server *url.URL, module []byte) (_ *viewer, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	endpoint := server.JoinPath("ws")
	conn, _, err := websocket.Dial(ctx, endpoint.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", endpoint.Redacted(), err)
	}
	defer func() {
		if err != nil {
			conn.CloseNow()
		}
	}()
	conn.SetReadLimit(maxMessage)

	digest := wire.Digest(sha256.Sum256(module))
	hello := wire.Hello{Codec: codec.Version, Digest: digest}
	if err := conn.Write(ctx, websocket.MessageBinary, hello.Append(nil)); err != nil {
		return nil, fmt.Errorf("send hello: %w", err)
	}
	_, message, err := conn.Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("receive welcome: %w", err)
	}
	if wire.KindOf(message) == wire.KindGoodbye {
		return nil, goodbye(message)
	}
	welcome, err := wire.ParseWelcome(message)
	if err != nil {
		return nil, fmt.Errorf("receive welcome: %w", err)
	}
	if welcome.Digest != digest {
		return nil, fmt.Errorf("receive welcome: module: got %x, want %x", welcome.Digest, digest)
	}
	return &viewer{conn, welcome, time.Now()}, nil
}

// close ends the connection without ceremony.
func (v *viewer) close() { v.conn.CloseNow() }

// header is that of a recording of what the viewer is sent.
func (v *viewer) header(server *url.URL) header {
	return header{
		detail: int(v.welcome.Detail), epoch: v.welcome.Epoch, begun: v.start.UnixMicro(),
		digest: v.welcome.Digest, url: publicURL(server),
	}
}

// receive takes messages for the duration, and probes meanwhile so that the server knows what was read. What keep is
// given, before anything else is made of it, are the broadcasts; it must not hold on to them. The error says why it ended
// early.
func (v *viewer) receive(
	ctx context.Context, d time.Duration, seen *stream, keep func(message []byte) error, yield func(span) error,
) error {
	watching, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var ack atomic.Uint64
	var prober sync.WaitGroup
	defer prober.Wait()
	defer cancel() // before the wait
	prober.Go(func() { v.probe(watching, &ack) })

	for {
		_, message, err := v.conn.Read(watching)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case watching.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("receive message: %w", err)
		}
		switch kind := wire.KindOf(message); kind {
		case wire.KindBroadcast:
			if err := keep(message); err != nil {
				return err
			}
			if err := seen.take(message, yield); err != nil {
				return err
			}
			ack.Store(seen.number)
		case wire.KindReply:
			_, err = wire.ParseReply(message)
		case wire.KindGoodbye:
			err = goodbye(message)
		default:
			err = fmt.Errorf("receive message: kind: got %v, want what viewers are sent", kind)
		}
		if err != nil {
			return err
		}
	}
}

// probe sends a probe now and then until ctx is done. Where that fails, reading does too, and has the better error.
func (v *viewer) probe(ctx context.Context, ack *atomic.Uint64) {
	ticker := time.NewTicker(probeInterval)
	defer ticker.Stop()
	for {
		p := wire.Probe{Sent: time.Since(v.start).Microseconds(), Ack: ack.Load()}
		if err := v.conn.Write(ctx, websocket.MessageBinary, p.Append(nil)); err != nil {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// goodbye is the error for the server's.
func goodbye(message []byte) error {
	m, err := wire.ParseGoodbye(message)
	switch {
	case err != nil:
		return err
	case m.Reason == wire.ReasonOutdated:
		return errors.New("the server says goodbye: it runs another module than this program")
	}
	return fmt.Errorf("the server says goodbye: %v", m.Reason)
}
