package hub

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
)

const (
	// sendBuffer is how many bytes the kernel is asked to hold for a connection at most. It takes twice as much memory,
	// and on top of that a message. Left to itself it hides minutes of the stream from us. A viewer 300 ms away can
	// still be sent several times what the stream takes.
	sendBuffer = 12 << 10
	// ownBuffer is the size in bytes of the buffers for frames' headers and small messages.
	ownBuffer = 512
)

// A tap is a response whose connection may be taken over. It then notes the connection, and makes it one that costs
// little while nobody reads.
type tap struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack implements http.Hijacker.
func (t *tap) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if conn, err = tighten(tcp, sendBuffer); err != nil {
			tcp.Close()
			return nil, nil, err
		}
	}
	t.conn = conn
	// What came with the request stays buffered.
	early := buffers.Reader.Buffered()
	start, _ := buffers.Peek(early)
	in := bufio.NewReaderSize(io.MultiReader(bytes.NewReader(start), conn), max(ownBuffer, early))
	in.Peek(early)
	return conn, bufio.NewReadWriter(in, bufio.NewWriterSize(conn, ownBuffer)), nil
}
