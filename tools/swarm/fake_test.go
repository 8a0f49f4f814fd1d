package main

import (
	"context"
	"crypto/sha256"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// The fake server's stream: one group of so many messages of so many frames. When somebody joins it is still to come, so
// that a slow machine is late for nothing.
const (
	fakeFirst    = 4_800
	fakeMessage  = 60
	fakeMessages = 4
	fakeEnd      = fakeFirst + fakeMessages*fakeMessage
	fakePlayhead = fakeFirst - fakeDelay*donut.FPS
	fakeDelay    = 60 // seconds
)

var fakeModule = []byte("the module")

// A fakeServer sends everybody all of its stream at once and lends each worker one chunk. Its fields say how it fails.
type fakeServer struct {
	// airs edits frame n before it is encoded, for one message's bytes that all get; nil is a hole.
	airs func(n uint64, p *donut.Picture) *donut.Picture
	// sends returns what connection number, from 1, is sent in place of the stream's messages.
	sends func(number uint32, messages [][]byte) [][]byte
	// goodbye is sent to workers in answer to their first result, unless it is 0.
	goodbye wire.Reason
	// partings is how many are sent it, and are expected to come again; 0 for all of them, who are not.
	partings int
	// unready is how many who ask are told that nobody takes their socket.
	unready int
	// lease is what workers are lent.
	lease wire.Lease
	// mute ends a connection in place of a welcome.
	mute bool

	t        *testing.T
	messages [][]byte

	mu      sync.Mutex
	conns   uint32
	asked   int
	addrs   map[string]bool
	results []wire.Result
	parted  int    // who were sent a goodbye
	probers int    // people who probed
	awaited int    // people who are not done
	allDone func() // called when nobody is awaited any more
}

var someLease = wire.Lease{Lease: 7, Detail: 1, First: 5_000, Count: 6, Within: 1_000}

// play starts the server, and has the command play a crowd against it that leaves when all are done.
func (f *fakeServer) play(t *testing.T, workers, viewers int, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.t, f.addrs, f.awaited, f.allDone = t, make(map[string]bool), workers+viewers, cancel
	if f.lease == (wire.Lease{}) {
		f.lease = someLease
	}
	f.messages = f.encode()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /donut.wasm", func(w http.ResponseWriter, _ *http.Request) { w.Write(fakeModule) })
	mux.HandleFunc("HEAD /readyz", f.answer)
	mux.HandleFunc("GET /ws", f.accept)
	server := httptest.NewServer(mux)
	defer server.Close()

	args = append([]string{
		"-url", server.URL, "-duration", "2m", "-workers", strconv.Itoa(workers), "-viewers", strconv.Itoa(viewers),
	}, args...)
	var out, errs strings.Builder
	err = run(ctx, args, &out, &errs)
	return out.String(), errs.String(), err
}

// honestFrames are the pictures of the stream.
var honestFrames = sync.OnceValue(func() (frames [fakeEnd - fakeFirst]donut.Picture) {
	r := donut.NewRenderer(1)
	for i := range frames {
		r.Render(&frames[i], fakeFirst+uint64(i))
	}
	return frames
})

func (f *fakeServer) encode() (messages [][]byte) {
	var e codec.Encoder
	for i := range fakeMessages {
		first := uint64(fakeFirst + i*fakeMessage)
		frames := make([]*donut.Picture, fakeMessage)
		for j := range frames {
			frames[j] = new(honestFrames()[i*fakeMessage+j])
			if f.airs != nil {
				frames[j] = f.airs(first+uint64(j), frames[j])
			}
		}
		m := wire.Broadcast{Stream: e.Append(nil, first, frames, i == 0)}
		messages = append(messages, m.Append(nil))
	}
	return messages
}

func (f *fakeServer) answer(w http.ResponseWriter, _ *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.asked <= f.unready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (f *fakeServer) accept(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, nil)
	if err != nil {
		f.t.Errorf("accept: %v", err)
		return
	}
	defer socket.CloseNow()
	socket.SetReadLimit(wire.MaxResult)
	f.mu.Lock()
	f.conns++
	number := f.conns
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	f.addrs[host] = true
	f.mu.Unlock()

	accepted := time.Now()
	v := &visit{server: f, socket: socket, now: func() int64 {
		return int64(timeline.Start(fakePlayhead).Add(time.Since(accepted)))
	}}
	defer v.end()
	v.speak(r.Context(), number)
}

// A visit is a connection, as far as it has come. It is done when it has read all that it was sent, probed, and
// answered its lease; or when it has ended.
type visit struct {
	server *fakeServer
	socket *websocket.Conn
	now    func() int64 // its own, so that a slow machine is late for nobody

	// Guarded by the server's mu.
	toRead, toProbe, toRender, done bool
}

// check finds out whether the visit is done. It is called with the server's mu held.
func (v *visit) check() {
	if v.done || v.toRead || v.toProbe || v.toRender {
		return
	}
	v.done = true
	v.server.awaited--
	if v.server.awaited == 0 {
		v.server.allDone()
	}
}

// end marks the visit as done.
func (v *visit) end() {
	v.server.mu.Lock()
	defer v.server.mu.Unlock()
	v.toRead, v.toProbe, v.toRender = false, false, false
	v.check()
}

// write sends a message. That the other side has left is noticed by reading.
func (v *visit) write(ctx context.Context, b []byte) { v.socket.Write(ctx, websocket.MessageBinary, b) }

// speak speaks the protocol until the other side leaves.
func (v *visit) speak(ctx context.Context, number uint32) {
	f := v.server
	_, b, err := v.socket.Read(ctx)
	if err != nil {
		return
	}
	hello, err := wire.ParseHello(b)
	if err != nil || hello.Codec != codec.Version || hello.Digest != sha256.Sum256(fakeModule) {
		f.t.Errorf("hello is %+v, %v, want codec version %d and the digest of the module served", hello, err, codec.Version)
		return
	}
	if f.mute {
		v.done = true // the crowd finds out by itself
		return
	}
	v.toRead, v.toProbe, v.toRender = true, true, hello.Threads > 0
	v.write(ctx, wire.Welcome{Detail: 1, Threads: hello.Threads, You: number, Now: v.now(), Digest: hello.Digest}.Append(nil))
	messages := f.messages
	if f.sends != nil {
		messages = f.sends(number, messages)
	}
	for _, m := range messages {
		v.write(ctx, m)
	}
	if hello.Threads > 0 {
		v.write(ctx, f.lease.Append(nil))
	}

	var pinged sync.WaitGroup
	pinged.Go(func() {
		if v.socket.Ping(ctx) == nil { // answered in turn: all before it was read
			f.mu.Lock()
			defer f.mu.Unlock()
			v.toRead = false
			v.check()
		}
	})
	defer pinged.Wait()
	defer v.socket.CloseNow() // which ends the ping
	for {
		_, b, err := v.socket.Read(ctx)
		if err != nil || !v.answer(ctx, b) {
			return
		}
	}
}

// answer answers a message, and reports whether the connection goes on.
func (v *visit) answer(ctx context.Context, b []byte) bool {
	f := v.server
	f.mu.Lock()
	defer f.mu.Unlock()
	switch wire.KindOf(b) {
	case wire.KindProbe:
		probe, err := wire.ParseProbe(b)
		if err != nil {
			f.t.Errorf("probe: %v", err)
		}
		if v.toProbe {
			f.probers++
			v.toProbe = false
		}
		v.write(ctx, wire.Reply{Sent: probe.Sent, Received: v.now(), Replied: v.now()}.Append(nil))
	case wire.KindResult:
		result, err := wire.ParseResult(b)
		if err != nil {
			f.t.Errorf("result: %v", err)
		}
		f.results = append(f.results, result)
		v.toRender = false
		if f.goodbye != 0 && (f.partings == 0 || f.parted < f.partings) {
			if f.parted++; f.partings > 0 {
				f.awaited++
			}
			v.write(ctx, wire.Goodbye{Reason: f.goodbye}.Append(nil))
			v.socket.Close(websocket.StatusPolicyViolation, "")
			return false
		}
	default:
		f.t.Errorf("got a %v, want a probe or a result", wire.KindOf(b))
	}
	v.check()
	return true
}
