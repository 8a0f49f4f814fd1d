package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/wire"
)

var (
	// errSilent is the error for a message that did not come, or not whole, in time.
	errSilent = errors.New("hub: the connection is silent")
	// errTruncated is the error for a connection that ended within a message.
	errTruncated = errors.New("hub: the connection ended within a message")
	// errFraming is the error for bytes that are no WebSocket frames.
	errFraming = errors.New("hub: not the WebSocket protocol")
)

// read returns the next message, which has to begin within the timeout, to arrive whole soon after, and to be at most as
// long as limit says when it begins. What the other side has read by then was sent before, so a limit that is raised
// before a message is queued holds for the answer. The error is one of the above, a *wire.SyntaxError, or the one with
// which a connection ended between messages.
func (c *conn) read(timeout time.Duration, limit func() int) ([]byte, error) {
	c.expect(timeout)
	// The library would start a timer and two contexts for each read.
	kind, r, err := c.socket.Reader(context.Background())
	if err != nil {
		return nil, c.readError(err, false)
	}
	c.expect(c.hub.cfg.Timeouts.Message)
	if kind != websocket.MessageBinary {
		return nil, &wire.SyntaxError{Message: "message", Field: "type", Got: "text", Want: "binary"}
	}
	most := limit()
	// The buffer grows with what arrives, not with what is announced.
	message, err := io.ReadAll(io.LimitReader(r, int64(most)+1))
	switch {
	case err != nil:
		return nil, c.readError(err, true)
	case len(message) > most:
		return nil, &wire.SyntaxError{
			Message: "message", Field: "length", Got: "more", Want: "at most " + strconv.Itoa(most) + " bytes",
		}
	}
	return message, nil
}

// expect has reading fail after some time, unless a goodbye is under way, which has a time of its own.
func (c *conn) expect(within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.leaving {
		c.tcp.SetReadDeadline(time.Now().Add(within))
	}
}

// readError says why nothing could be read, before a message or within one.
func (c *conn) readError(err error, within bool) error {
	var network *net.OpError
	switch {
	case c.flooded:
		return errFlood
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded): // that is a control frame's
		return fmt.Errorf("%w: %w", errSilent, err)
	case errors.Is(err, net.ErrClosed), websocket.CloseStatus(err) != -1:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), within && (errors.Is(err, io.EOF) || errors.As(err, &network)):
		return fmt.Errorf("%w: %w", errTruncated, err)
	case errors.Is(err, io.EOF), errors.As(err, &network):
		return err
	}
	return fmt.Errorf("%w: %w", errFraming, err)
}
