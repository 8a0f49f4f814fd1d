package terminal

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/vt"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A station is a relay on a real socket.
type station struct {
	*Relay
	url    string
	clock  *timeline.Clock
	stop   func()
	studio studio
}

func newStation(t *testing.T, streams int) *station {
	t.Helper()
	s := &station{clock: timeline.NewClock(time.Now().Add(-time.Hour), timeline.System())}
	s.Relay = New(relayConfig(s.clock, streams))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx, ignorant{}) })
	mux := http.NewServeMux()
	mux.HandleFunc("GET /live.ansi", s.ServeANSI)
	mux.HandleFunc("GET /live.alis", s.ServeALiS)
	server := httptest.NewUnstartedServer(mux)
	server.Config.ConnContext = ConnContext
	server.Config.ReadTimeout = 100 * time.Millisecond // shorter than any stream
	server.Start()
	s.url = server.URL
	s.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(server.Close)
	t.Cleanup(s.stop)
	return s
}

// air airs so many frames from now on, and returns the last one.
func (s *station) air(frames int) (last uint64) {
	now, _ := s.clock.Now()
	first := now.Frame()
	for i := 0; i < frames; i += 60 {
		s.Broadcast(s.studio.broadcast(first+uint64(i), 60, i == 0), codec.Header{})
	}
	return first + uint64(frames) - 1
}

// ignorant is a fleet that does nothing.
type ignorant struct{}

func (ignorant) Attend(bool) {}

// await polls until ok, for 20 s at most.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !ok() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("waited 20 s in vain: %s", what)
		}
	}
}

// TestANSIOverASocket has a server's own timeouts, which end no stream.
func TestANSIOverASocket(t *testing.T) {
	s := newStation(t, 10)
	response, err := http.Get(s.url + "/live.ansi?fps=60")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer response.Body.Close()
	last := textOf(pictureOf(s.air(120)), terminalRows)
	screen := vt.New(donut.Columns, terminalRows)
	var sent bytes.Buffer
	for buffer := make([]byte, 100); screen.Text() != last; {
		n, err := response.Body.Read(buffer)
		write(t, screen, buffer[:n])
		sent.Write(buffer[:n])
		if err != nil {
			t.Fatalf("the stream ended with %v; the terminal shows\n%s", err, screen.Text())
		}
	}
	if frames := strings.Count(sent.String(), beginFrame); frames < 50 || frames > 121 {
		t.Errorf("two seconds took %d frames", frames)
	}
	s.stop()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Errorf("the relay's end ends the stream with %v", err)
	}
}

// TestKernelHoldsLittle has a client read nothing for as long as half a minute of the stream takes.
func TestKernelHoldsLittle(t *testing.T) {
	s := newStation(t, 10)
	wrote := make(chan int, 1)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		holdLittle(r.Context())
		stream := http.NewResponseController(w)
		stream.SetWriteDeadline(time.Now().Add(time.Second))
		size := 0
		for chunk := bytes.Repeat([]byte("x"), 700); stream.Flush() == nil; size += len(chunk) {
			w.Write(chunk)
		}
		wrote <- size
	}))
	server.Config.ConnContext = ConnContext
	server.Start()
	defer server.Close()
	defer s.stop()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	const received = 32 << 10
	transport := &http.Transport{DialContext: smallReceiver(received)}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	size := <-wrote
	t.Logf("%d bytes were written to who reads nothing", size)
	if size > 10*25_000 {
		t.Error("that is more than ten seconds of the stream")
	}
}

// TestEndCutsOffWhoDoesNotRead has streams of noise fill all buffers, and the relay end.
func TestEndCutsOffWhoDoesNotRead(t *testing.T) {
	s := newStation(t, 2)
	s.studio.picture = func(n uint64) *donut.Picture {
		rng := rand.New(rand.NewPCG(n, n))
		p := new(donut.Picture)
		for i := range p {
			p[i] = uint8(rng.IntN(donut.Levels))
		}
		return p
	}
	transport := &http.Transport{DialContext: smallReceiver(4 << 10)}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/live.ansi?fps=60", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	socket, _, err := websocket.Dial(t.Context(), s.url+"/live.alis?fps=60", &websocket.DialOptions{
		Subprotocols: []string{alisProtocol}, HTTPClient: &http.Client{Transport: transport},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.CloseNow()
	s.air(240)
	// Who is blocked for longer than the backlog misses frames when it comes back. These never do, so the only sign is
	// that shots are drawn which nobody takes.
	await(t, "both have stopped to take anything", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		t := s.stage.tracks[60]
		return t.number > 200
	})
	began := time.Now()
	s.stop()
	if took := time.Since(began); took > s.cfg.Write/2 {
		t.Errorf("the end took %v, want about %v", took, farewell)
	}
}

// smallReceiver dials connections for which the client's kernel holds about so many bytes.
func smallReceiver(size int) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, addr)
		if tcp, ok := conn.(*net.TCPConn); ok {
			err = tcp.SetReadBuffer(size)
		}
		return conn, err
	}
}
