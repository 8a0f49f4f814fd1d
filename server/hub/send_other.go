//go:build !linux

package hub

import "net"

// plain is an outlet over TCP.
type plain struct{ *net.TCPConn }

func newPlain(tcp *net.TCPConn, sendBuffer int) (*plain, error) {
	return &plain{tcp}, tcp.SetWriteBuffer(sendBuffer)
}

func (o *plain) begin(p []byte) error {
	_, err := o.Write(p)
	return err
}

// try writes nothing: there is no way here that surely waits for nobody.
func (o *plain) try([]byte, bool) (written int, ok bool) { return 0, false }

func (o *plain) finish(rest []byte) error {
	_, err := o.Write(rest)
	return err
}
