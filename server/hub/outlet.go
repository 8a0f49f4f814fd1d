package hub

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// An outlet is a connection for which the kernel holds little that is to be sent. Writes may be concurrent, and none
// comes between the bytes of another. Close cuts it off at once.
type outlet interface {
	net.Conn
	// CloseWrite says that nothing more comes.
	CloseWrite() error
	// begin writes what a Write is to follow at once.
	begin(p []byte) error
	// try writes as much as the kernel takes at once, and reports whether that is anything. Where it is not all, the
	// caller must finish the rest: until then nobody else writes. With more it is only sent with what follows.
	try(p []byte, more bool) (written int, ok bool)
	// finish writes the rest of what try began.
	finish(rest []byte) error
}

// newOutlet returns an outlet for a connection of net/http's, whose kernel takes a write only while it holds less than
// so many bytes.
func newOutlet(conn net.Conn, sendBuffer int) (outlet, error) {
	switch conn := conn.(type) {
	case *net.TCPConn:
		return newPlain(conn, sendBuffer)
	case *tls.Conn:
		tcp, ok := conn.NetConn().(*net.TCPConn)
		if !ok {
			return nil, fmt.Errorf("hub: got TLS over a connection of type %T, want TCP", conn.NetConn())
		}
		return &secure{Conn: conn, tcp: tcp}, tcp.SetWriteBuffer(sendBuffer)
	default:
		return nil, fmt.Errorf("hub: got a connection of type %T, want TCP or TLS", conn)
	}
}

// secure is an outlet over TLS. A record that the kernel takes in part cannot be taken back, so all writes may wait.
type secure struct {
	*tls.Conn
	tcp *net.TCPConn
}

func (s *secure) begin(p []byte) error {
	_, err := s.Write(p)
	return err
}

func (s *secure) try([]byte, bool) (written int, ok bool) { return 0, false }

func (s *secure) finish(rest []byte) error {
	_, err := s.Write(rest)
	return err
}

// CloseWrite ends what is encrypted, and then what it is sent by.
func (s *secure) CloseWrite() error { return errors.Join(s.Conn.CloseWrite(), s.tcp.CloseWrite()) }

// Close implements net.Conn. TLS would say that it closes first, for which it waits.
func (s *secure) Close() error { return s.tcp.Close() }
