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
