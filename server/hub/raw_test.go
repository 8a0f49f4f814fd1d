package hub

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A raw is a client that speaks the WebSocket protocol byte by byte, and so need not keep to it.
type raw struct {
	net.Conn
	in *bufio.Reader
}

// upgrade connects. Segments to the client are as long as segment says, or as the system likes with 0.
func upgrade(t *testing.T, url string, segment int) *raw {
	t.Helper()
	r, err := connect(url, segment)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func connect(url string, segment int) (*raw, error) {
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) (err error) {
		if segment == 0 {
			return nil
		}
		return errors.Join(err, c.Control(func(fd uintptr) {
			err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, segment)
		}))
	}}
	socket, err := dialer.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return nil, err
	}
	r := &raw{socket, bufio.NewReaderSize(socket, 16)} // what it has not asked for stays in the kernel
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		request.Header.Set(name, value)
	}
	if err := request.Write(socket); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(r.in, request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("the upgrade is answered by %s", response.Status)
	}
	return r, nil
}

// Opcodes of frames. The first bit of a frame that ends its message is set.
const (
	continuation = 0x80
	text         = 0x81
	binaryFrame  = 0x82
	closeFrame   = 0x88
	ping         = 0x89
	pong         = 0x8a
)

// frame returns a frame as clients send it, masked by zeros.
func frame(opcode byte, payload []byte) []byte {
	return append(announce(opcode, uint64(len(payload))), payload...)
}

// announce returns the header of a frame of so many bytes.
func announce(opcode byte, length uint64) []byte {
	header := binary.BigEndian.AppendUint64([]byte{opcode, 0x80 | 127}, length)
	return append(header, 0, 0, 0, 0)
}

// read returns the next frame of the server's.
func (r *raw) read() (opcode byte, payload []byte, err error) {
	header := make([]byte, 2, 10)
	if _, err = io.ReadFull(r.in, header); err != nil {
		return 0, nil, err
	}
	length := uint64(header[1])
	if extra := map[byte]int{126: 2, 127: 8}[header[1]]; extra > 0 {
		if _, err = io.ReadFull(r.in, header[2:2+extra]); err != nil {
			return 0, nil, err
		}
		length = 0
		for _, b := range header[2 : 2+extra] {
			length = length<<8 | uint64(b)
		}
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r.in, payload)
	return header[0], payload, err
}

// end reads until the other side has ended the connection, within 10 s, does so itself, and returns what was said of it.
func (r *raw) end() (goodbye wire.Reason, status websocket.StatusCode) {
	defer r.Close()
	r.SetReadDeadline(time.Now().Add(10 * time.Second))
	for status = -1; ; {
		opcode, payload, err := r.read()
		switch {
		case err != nil:
			return goodbye, status
		case opcode == closeFrame && len(payload) >= 2:
			status = websocket.StatusCode(binary.BigEndian.Uint16(payload))
			r.Write(frame(closeFrame, payload[:2]))
		case opcode == binaryFrame:
			if m, err := wire.ParseGoodbye(payload); err == nil {
				goodbye = m.Reason
			}
		}
	}
}

// A stream airs messages that carry their number, and moves the clock along.
type stream struct {
	hub     *Hub
	machine *machine
	size    int // of a message in bytes
	frames  int // that a message covers
	number  uint64
	at      []time.Time // when each message aired
}

// next airs a message. Every fourth is a key.
func (s *stream) next() {
	first := 600 + s.number*uint64(s.frames)
	s.number++
	s.machine.set(timeline.Start(first).Sub(0))
	message := make([]byte, max(9, s.size))
	message[0] = byte(wire.KindBroadcast)
	binary.LittleEndian.PutUint64(message[1:], s.number)
	s.at = append(s.at, time.Now())
	s.hub.Broadcast(message, codec.Header{Key: s.number%4 == 1, Number: s.number, First: first, Count: s.frames})
	s.hub.serve() // else its clock runs ahead of the delivery
}

// run airs a message each period until stop, which returns when none comes any more.
func (s *stream) run(period time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(period)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.next()
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// numberOf returns the number of a stream's message, or 0 for another one.
func numberOf(message []byte) uint64 {
	if wire.KindOf(message) != wire.KindBroadcast {
		return 0
	}
	return binary.LittleEndian.Uint64(message[1:])
}

// A witness is a viewer that keeps up, and that complains of every message it misses.
type witness struct {
	socket *websocket.Conn
	mu     sync.Mutex
	last   uint64
	at     map[uint64]time.Time // when each message came
}

// watch starts a witness, which is welcome when it returns.
func watch(t *testing.T, url string) *witness {
	t.Helper()
	w := &witness{socket: dial(t, url, hello(0)), at: make(map[uint64]time.Time)}
	if message, err := receive(t, w.socket); err != nil || wire.KindOf(message) != wire.KindWelcome {
		t.Fatalf("the witness is welcomed by %v, %v", wire.KindOf(message), err)
	}
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(ended)
		w.read(ctx, t)
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	return w
}

func (w *witness) read(ctx context.Context, t *testing.T) {
	for {
		_, message, err := w.socket.Read(ctx)
		if err != nil {
			if ctx.Err() == nil {
				t.Errorf("the witness lost its connection: %v", err)
			}
			return
		}
		number := numberOf(message)
		if number == 0 {
			continue
		}
		w.mu.Lock()
		if number != w.last+1 {
			t.Errorf("the witness gets message %d after %d", number, w.last)
		}
		w.last, w.at[number] = number, time.Now()
		w.mu.Unlock()
		w.socket.Write(ctx, websocket.MessageBinary, wire.Probe{Ack: number}.Append(nil)) // an error shows in the next read
	}
}

// seen returns the number of the last message that came.
func (w *witness) seen() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

// connections returns how many connections the hub holds.
func (h *Hub) connections() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.conns)
}
