package hub

import (
	"net"
	"os"
	"syscall"
)

// A tight is a TCP connection for which the kernel holds little that is to be sent. The kernel looks at the size of its
// buffer only where it begins a segment, and lets tens of kilobytes past it into the one that is unsent. So each write
// ends its segment.
type tight struct {
	*net.TCPConn
	raw syscall.RawConn
}

// tighten returns a connection whose kernel takes a write only while it holds less than so many bytes.
func tighten(tcp *net.TCPConn, sendBuffer int) (net.Conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &tight{tcp, raw}, tcp.SetWriteBuffer(sendBuffer)
}

// Write implements net.Conn.
func (c *tight) Write(p []byte) (written int, err error) {
	for written < len(p) {
		var n int
		var refused error
		err := c.raw.Write(func(fd uintptr) (done bool) {
			for refused = syscall.EINTR; refused == syscall.EINTR; {
				n, refused = syscall.SendmsgN(int(fd), p[written:], nil, nil, syscall.MSG_EOR)
			}
			return refused != syscall.EAGAIN
		})
		if err == nil && refused != nil {
			err = &net.OpError{
				Op: "write", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError("sendmsg", refused),
			}
		}
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}
