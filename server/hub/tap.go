package hub

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
)

const (
	// DefaultSendBuffer is a Config.SendBuffer with which a viewer 300 ms away can still be sent several times what the
	// stream takes.
	DefaultSendBuffer = 8 << 10
	// MinSendBuffer and MaxSendBuffer are its range.
	MinSendBuffer = 4 << 10
	MaxSendBuffer = 1 << 20
	// ownBuffer is the size in bytes of the buffers for frames' headers, control frames and small messages.
	ownBuffer = 512
)

// A tap is a response whose connection may be taken over. It then notes the connection, and makes it one that costs
// little while nobody reads.
type tap struct {
	http.ResponseWriter
	sendBuffer int // bytes
	conn       outlet
}

// Hijack implements http.Hijacker.
func (t *tap) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if t.conn, err = newOutlet(conn, t.sendBuffer); err != nil {
		conn.Close()
		return nil, nil, err
	}
	// What came with the request stays buffered.
	early := buffers.Reader.Buffered()
	start, _ := buffers.Peek(early)
	in := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(start), t.conn), max(ownBuffer, early))
	in.Peek(early)
	return t.conn, bufio.NewReadWriter(in, bufio.NewWriterSize(t.conn, ownBuffer)), nil
}
