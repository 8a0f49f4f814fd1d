package terminal

import (
	"context"
	"net"
)

// sendBuffer is how many bytes the kernel is asked to hold for a stream: left to itself it would hide minutes of it. A
// terminal 300 ms away can still be sent more than the stream takes.
const sendBuffer = 16 << 10

type connKey struct{}

// ConnContext is for http.Server: streams find their connection in what it returns, to have the kernel hold little.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// holdLittle has the kernel hold little of what is sent to a request's connection.
func holdLittle(ctx context.Context) {
	if tcp, ok := ctx.Value(connKey{}).(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer) // without it a slow reader is only further behind
	}
}
