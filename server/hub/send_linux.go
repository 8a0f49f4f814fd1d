package hub

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// plain is an outlet over TCP. The kernel looks at the size of its buffer only where it begins a segment, and lets tens
// of kilobytes past it into the one that is unsent. So each write ends its segment.
type plain struct {
	*net.TCPConn
	raw  syscall.RawConn
	busy sync.Mutex // held while something is half written
}

func newPlain(tcp *net.TCPConn, sendBuffer int) (*plain, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	return &plain{TCPConn: tcp, raw: raw}, tcp.SetWriteBuffer(sendBuffer)
}

// Write implements net.Conn.
func (o *plain) Write(p []byte) (written int, err error) { return o.send(p, syscall.MSG_EOR) }

// begin has nothing sent before what follows, in the same segment as far as there is room.
func (o *plain) begin(p []byte) error {
	_, err := o.send(p, msgMore)
	return err
}

const msgMore = 0x8000 // MSG_MORE, which package syscall lacks

func (o *plain) try(p []byte, more bool) (written int, ok bool) {
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

func (o *plain) finish(rest []byte) error {
	defer o.busy.Unlock()
	_, err := o.sendAll(rest, syscall.MSG_EOR)
	return err
}

func (o *plain) send(p []byte, flags int) (written int, err error) {
	o.busy.Lock()
	defer o.busy.Unlock()
	return o.sendAll(p, flags)
}

func (o *plain) sendAll(p []byte, flags int) (written int, err error) {
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
