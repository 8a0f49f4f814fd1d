package terminal

import (
	"context"
	"net"
	"time"
)

// sendBuffer is how many bytes the kernel is asked to hold for a stream: left to itself it would hide minutes of it. A
// terminal 300 ms away can still be sent more than the stream takes.
const sendBuffer = 16 << 10

// farewell is how long the other side may take to close when a stream has ended.
const farewell = time.Second

type connKey struct{}

// ConnContext is for http.Server: streams find their connection in what it returns, to have the kernel hold little, and
// to cut off who does not read when the relay ends.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// lowest returns a request's connection, below TLS: to close that waits for nobody. It is nil where there is none.
func lowest(ctx context.Context) net.Conn {
	c, _ := ctx.Value(connKey{}).(net.Conn)
	if above, ok := c.(interface{ NetConn() net.Conn }); ok {
		return above.NetConn()
	}
	return c
}

// holdLittle has the kernel hold little of what is sent to a request's connection.
func holdLittle(ctx context.Context) {
	if tcp, ok := lowest(ctx).(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer) // without it a slow reader is only further behind
	}
}

// cutOff closes a request's connection, and with it whatever waits for the other side.
func cutOff(ctx context.Context) {
	if c := lowest(ctx); c != nil {
		c.Close()
	}
}

// cutOffLate closes a request's connection a moment after the relay has ended, since its stream may be writing to
// somebody who does not read. The stream calls done when it has ended.
func (r *Relay) cutOffLate(ctx context.Context) (done func()) {
	ended := make(chan struct{})
	stop := context.AfterFunc(r.ending, func() {
		timer := time.NewTimer(farewell)
		defer timer.Stop()
		select {
		case <-timer.C:
			cutOff(ctx)
		case <-ended:
		}
	})
	return func() {
		stop()
		close(ended)
	}
}
