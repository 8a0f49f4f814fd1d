//go:build !linux

package hub

import "net"

// An outlet is a TCP connection. Writes may be concurrent, and none comes between the bytes of another.
type outlet struct{ *net.TCPConn }

// newOutlet returns a connection whose kernel is asked to hold so many bytes at most.
func newOutlet(tcp *net.TCPConn, sendBuffer int) (*outlet, error) {
	return &outlet{tcp}, tcp.SetWriteBuffer(sendBuffer)
}

// begin writes what a Write is to follow at once.
func (o *outlet) begin(p []byte) error {
	_, err := o.Write(p)
	return err
}

// try writes nothing: there is no way here that surely waits for nobody.
func (o *outlet) try([]byte, bool) (written int, ok bool) { return 0, false }

// finish writes the rest of what try began.
func (o *outlet) finish(rest []byte) error {
	_, err := o.Write(rest)
	return err
}
