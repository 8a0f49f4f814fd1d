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
	sendBuffer = 8 << 10
	// ownBuffer is the size in bytes of the buffers for frames' headers, control frames and small messages.
	ownBuffer = 512
)

// A tap is a response whose connection may be taken over. It then notes the connection, and makes it one that costs
// little while nobody reads.
type tap struct {
	http.ResponseWriter
	conn outlet
}

// Hijack implements http.Hijacker.
func (t *tap) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(t.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	if t.conn, err = newOutlet(conn, sendBuffer); err != nil {
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
