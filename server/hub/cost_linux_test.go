package hub

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/distributed-donut/donut/wasm/wire"
)

// maxViewer is how much memory a viewer may cost, stalled or not, in bytes: the process' own and the kernel's to send.
const maxViewer = 64 << 10

// instrumented reports whether the race detector is on, whose books are no part of what a viewer costs.
func instrumented() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// kernelHolds returns how many bytes a socket holds that are to be sent or acknowledged, and how much memory they take.
func kernelHolds(c net.Conn) (payload, memory int, err error) {
	const (
		memInfo    = 55 // SO_MEMINFO
		wmemQueued = 5  // SK_MEMINFO_WMEM_QUEUED
	)
	control, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	var queue int32
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	var queueError, infoError syscall.Errno
	err = control.Control(func(fd uintptr) {
		_, _, queueError = syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&queue)))
		_, _, infoError = syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.SOL_SOCKET, memInfo,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	})
	if err == nil && queueError|infoError != 0 {
		err = fmt.Errorf("%w, %w", queueError, infoError)
	}
	return int(queue), int(info[wmemQueued]), err
}

// kernelHoldsAtMost returns the greatest of what the kernel holds for each connection but the first.
func (h *Hub) kernelHoldsAtMost() (payload, memory int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		if c.number == 1 {
			continue
		}
		p, m, e := kernelHolds(c.tcp)
		if e != nil {
			err = e // most likely it is being closed
			continue
		}
		payload, memory = max(payload, p), max(memory, m)
	}
	return payload, memory, err
}

// userMemory returns what the process holds on heap and stacks, garbage not counted.
func userMemory() int {
	runtime.GC()
	runtime.GC() // what pools and finalizers held on to
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// TestStalledViewersCostLittle airs messages to a crowd that reads nothing, until none can be written to anybody, has the
// crowd probe, and weighs it. The figures hold the crowd's own sockets too, which are in the same process.
func TestStalledViewersCostLittle(t *testing.T) {
	const crowd = 200
	for _, test := range []struct {
		message, segment int
	}{
		{16 << 10, 0}, {4 << 10, 0}, {16 << 10, 1448}, {4 << 10, 1448}, // the internet's segments are short
	} {
		t.Run(fmt.Sprintf("%d bytes a message, segments of %d", test.message, test.segment), func(t *testing.T) {
			h, d, m, url := setUp(t, func(c *Config) { c.Limits.Clients = crowd + 1 })
			s := &stream{hub: h, machine: m, size: test.message, frames: 60}
			witness := watch(t, url)
			<-d.joined
			before := userMemory()
			viewers := make([]*raw, crowd)
			for i := range viewers {
				viewers[i] = upgrade(t, url, test.segment)
				if _, err := viewers[i].Write(frame(binaryFrame, hello(0))); err != nil {
					t.Fatal(err)
				}
				<-d.joined
			}
			welcomed := userMemory()
			// count returns of how many of the crowd something is so.
			count := func(is func(c *conn) bool) (n int) {
				h.mu.Lock()
				defer h.mu.Unlock()
				for c := range h.conns {
					c.mu.Lock()
					if c.number != 1 && is(c) {
						n++
					}
					c.mu.Unlock()
				}
				return n
			}
			// The kernels still find room for a while after they seem full.
			poll := time.Tick(100 * time.Millisecond)
			for full := 0; full < 10; {
				if count(func(c *conn) bool { return c.waiting >= 3 }) == crowd {
					full++
					<-poll
					continue
				}
				if full = 0; s.number == 1000 {
					t.Fatal("somebody still takes messages that nobody reads")
				}
				s.next()
				await(t, func() bool { return witness.seen() == s.number })
			}
			probes := bytes.Repeat(frame(binaryFrame, wire.Probe{}.Append(nil)), maxReplies)
			for _, viewer := range viewers {
				if _, err := viewer.Write(probes); err != nil {
					t.Fatal(err)
				}
			}
			// Here and there the kernel takes a message more, and with it perhaps the replies.
			await(t, func() bool {
				return count(func(c *conn) bool { return len(c.pending)-c.waiting >= maxReplies-1 }) > crowd*3/4
			})

			user := (userMemory() - before) / crowd
			payload, memory, err := h.kernelHoldsAtMost()
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("a viewer takes %d bytes of the process, %d just welcomed; the kernel holds %d bytes at most, in %d",
				user, (welcomed-before)/crowd, payload, memory)
			most := maxViewer
			if instrumented() {
				most += maxViewer / 4
			}
			if user+memory > most {
				t.Errorf("a stalled viewer costs %d bytes, want at most %d", user+memory, most)
			}
			runtime.KeepAlive(viewers)
		})
	}
}

// A laggard is a viewer that does not keep up.
type laggard struct {
	name         string
	rate         int  // bytes that it reads in a second; 0 reads until the first message and then no more
	acknowledges bool // what it has read
}

// TestLaggardsAreReplayedOrClosed has viewers fall behind, each in its own way and in real time, beside one that must not
// notice.
func TestLaggardsAreReplayedOrClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 20 s")
	}
	t.Parallel()
	h, _, m, url := setUp(t, nil)
	s := &stream{hub: h, machine: m, size: 16 << 10, frames: 60}
	witness := watch(t, url)
	life, end := context.WithCancel(context.Background())
	var people sync.WaitGroup
	var lagging atomic.Int64 // people that are still connected
	for _, l := range []laggard{
		{"reads 10 kbit/s", 10_000 / 8, true},
		{"stops reading", 0, true},
		{"reads, and acknowledges nothing", 1 << 20, false},
		{"reads at two thirds of the pace", 10 << 10, true},
	} {
		socket := upgrade(t, url, 0)
		if _, err := socket.Write(frame(binaryFrame, hello(0))); err != nil {
			t.Fatal(err)
		}
		lagging.Add(1)
		people.Go(func() {
			defer lagging.Add(-1)
			if err := l.watch(life, socket); err != nil {
				t.Errorf("who %s: %v", l.name, err)
			}
		})
	}
	stop := s.run(time.Second)

	worst := 0
	deadline := time.After(time.Minute)
	// The fourth goes on: a second replay takes a while longer.
	for tick := time.Tick(100 * time.Millisecond); h.Stats().Closed(wire.ReasonSlow) < 3 || h.Stats().Replayed.Load() == 0; {
		select {
		case <-tick:
			_, memory, _ := h.kernelHoldsAtMost()
			worst = max(worst, memory)
		case <-deadline:
			t.Fatalf("%d are closed and %d replayed, want 3, and some", h.Stats().Closed(wire.ReasonSlow), h.Stats().Replayed.Load())
		}
	}
	await(t, func() bool { return h.connections() == 2 })
	stop()
	await(t, func() bool { return witness.seen() == s.number })
	await(t, func() bool { return lagging.Load() <= 2 }) // the first has much to read before it sees the end
	end()
	people.Wait()
	t.Logf("after %d messages: %d replayed; the kernel held %d bytes for one at most", s.number, h.Stats().Replayed.Load(), worst)
	if most := maxViewer - 20<<10; worst > most {
		t.Errorf("the kernel held %d bytes for one viewer, want at most %d", worst, most)
	}
	for i, aired := range s.at {
		if late := witness.at[uint64(i+1)].Sub(aired); late > 2*time.Second {
			t.Errorf("the witness gets message %d after %v", i+1, late)
		}
	}
}

// watch watches until the context is done or the connection ends. Its error is a message that should not have come.
func (l laggard) watch(ctx context.Context, socket *raw) error {
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	var last atomic.Uint64
	var probing sync.WaitGroup
	defer probing.Wait()
	defer socket.Close()
	probing.Go(func() {
		for tick := time.Tick(time.Second); ; {
			select {
			case <-tick:
			case <-ctx.Done():
				return
			}
			ack := uint64(0)
			if l.acknowledges {
				ack = last.Load()
			}
			if _, err := socket.Write(frame(binaryFrame, wire.Probe{Ack: ack}.Append(nil))); err != nil {
				return
			}
		}
	})
	socket.in.Reset(&drip{socket.Conn, time.Tick(50 * time.Millisecond), max(1<<10, l.rate) / 20})
	for {
		_, payload, err := socket.read()
		if err != nil {
			return nil
		}
		number := numberOf(payload)
		if before := last.Load(); number != 0 && number != before+1 && number%4 != 1 {
			return fmt.Errorf("message %d follows message %d, and is no key", number, before)
		}
		last.Store(max(number, last.Load()))
		if number != 0 && l.rate == 0 {
			probing.Wait() // until the server hangs up
			return nil
		}
	}
}

// A drip is a connection that is read a little at a time.
type drip struct {
	net.Conn
	tick <-chan time.Time
	most int // bytes a tick
}

// Read implements io.Reader.
func (d *drip) Read(p []byte) (int, error) {
	<-d.tick
	return d.Conn.Read(p[:min(len(p), d.most)])
}

// TestKernelIsAskedToHoldAsMuchAsIsSet asks it what it was told. It doubles that, for its own books.
func TestKernelIsAskedToHoldAsMuchAsIsSet(t *testing.T) {
	for _, size := range []int{MinSendBuffer, DefaultSendBuffer, 64 << 10} {
		h, _, _, url := setUp(t, func(cfg *Config) { cfg.SendBuffer = size })
		socket := dial(t, url, hello(0))
		if _, err := receive(t, socket); err != nil { // it is welcomed
			t.Fatal(err)
		}
		h.mu.Lock()
		for c := range h.conns {
			var got int
			var failed error
			err := c.tcp.(*plain).raw.Control(func(fd uintptr) {
				got, failed = syscall.GetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF)
			})
			if err != nil || failed != nil || got != 2*size {
				t.Errorf("asked for %d bytes the kernel says %d, %v, %v, want twice as many", size, got, err, failed)
			}
		}
		if len(h.conns) != 1 {
			t.Errorf("%d connections are there, want 1", len(h.conns))
		}
		h.mu.Unlock()
	}
}
