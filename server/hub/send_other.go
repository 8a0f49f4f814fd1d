//go:build !linux

package hub

import "net"

// tighten returns a connection whose kernel is asked to hold so many bytes at most.
func tighten(tcp *net.TCPConn, sendBuffer int) (net.Conn, error) {
	return tcp, tcp.SetWriteBuffer(sendBuffer)
}
