package hub

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// An outlet is a TCP connection for which the kernel holds little that is to be sent. The kernel looks at the size of its
// buffer only where it begins a segment, and lets tens of kilobytes past it into the one that is unsent. So each write
// ends its segment. Writes may be concurrent, and none comes between the bytes of another.
type outlet struct {
	*net.TCPConn
	raw  syscall.RawConn
	busy sync.Mutex // held while something is half written
}

// newOutlet returns a connection whose kernel takes a write only while it holds less than so many bytes.
func newOutlet(tcp *net.TCPConn, sendBuffer int) (*outlet, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &outlet{TCPConn: tcp, raw: raw}, tcp.SetWriteBuffer(sendBuffer)
}

// Write implements net.Conn.
func (o *outlet) Write(p []byte) (written int, err error) { return o.send(p, syscall.MSG_EOR) }

// begin writes what a Write is to follow at once. Only then it is sent, in the same segment as far as there is room.
func (o *outlet) begin(p []byte) error {
	_, err := o.send(p, msgMore)
	return err
}

const msgMore = 0x8000 // MSG_MORE, which package syscall lacks

// try writes as much as the kernel takes at once, and reports whether that is anything. Where it is not all, the caller
// must finish the rest: until then nobody else writes. With more it is only sent with what follows.
func (o *outlet) try(p []byte, more bool) (written int, ok bool) {
	flags := syscall.MSG_EOR
	if more {
		flags = msgMore
	}
	if !o.busy.TryLock() {
		return 0, false
	}
	o.raw.Control(func(fd uintptr) { // unlike Write it waits for nobody
		written, _ = syscall.SendmsgN(int(fd), p, nil, nil, flags)
	})
	if written <= 0 || written == len(p) {
		o.busy.Unlock()
	}
	return max(0, written), written > 0
}

// finish writes the rest of what try began.
func (o *outlet) finish(rest []byte) error {
	defer o.busy.Unlock()
	_, err := o.sendAll(rest, syscall.MSG_EOR)
	return err
}

func (o *outlet) send(p []byte, flags int) (written int, err error) {
	o.busy.Lock()
	defer o.busy.Unlock()
	return o.sendAll(p, flags)
}

func (o *outlet) sendAll(p []byte, flags int) (written int, err error) {
	var refused error
	err = o.raw.Write(func(fd uintptr) (done bool) {
		for written < len(p) {
			var n int
			switch n, refused = syscall.SendmsgN(int(fd), p[written:], nil, nil, flags); refused {
			case nil:
				written += n
			case syscall.EINTR:
			case syscall.EAGAIN:
				return false
			default:
				return true
			}
		}
		return true
	})
	if err == nil && refused != nil {
		err = &net.OpError{
			Op: "write", Net: "tcp", Source: o.LocalAddr(), Addr: o.RemoteAddr(), Err: os.NewSyscallError("sendmsg", refused),
		}
	}
	return written, err
}
