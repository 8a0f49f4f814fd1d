package hub

import (
	"bufio"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// behindProxy names the test's own address as that of a proxy.
func behindProxy(c *Config) {
	proxies, _ := gate.ParseProxies("127.0.0.1")
	c.Addresses = gate.NewAddresses(proxies, c.Log)
}

// comeFrom connects as a proxy's client with an address, and says hello. Without an upgrade the response is returned.
func comeFrom(t testing.TB, url, addr string) (*websocket.Conn, *http.Response) {
	t.Helper()
	socket, response, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{
		HTTPHeader: http.Header{gate.ForwardedFor: {addr}},
	})
	if err != nil {
		if response == nil {
			t.Fatal(err)
		}
		return nil, response
	}
	t.Cleanup(func() { socket.CloseNow() })
	if err := socket.Write(t.Context(), websocket.MessageBinary, hello(1)); err != nil {
		t.Fatal(err)
	}
	return socket, response
}

// outcome says what becomes of a connection that has said hello: "welcome", or the reason of its goodbye.
func outcome(t *testing.T, socket *websocket.Conn) string {
	t.Helper()
	if socket == nil {
		return "no upgrade"
	}
	message, err := receive(t, socket)
	if err != nil {
		t.Fatal(err)
	}
	if wire.KindOf(message) == wire.KindWelcome {
		return "welcome"
	}
	goodbye, err := wire.ParseGoodbye(message)
	if err != nil || goodbye.Retry == 0 {
		t.Fatalf("told %+v, %v, want when to come back", goodbye, err)
	}
	if _, err := receive(t, socket); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("closed with %v, want to be asked to try again later", err)
	}
	return goodbye.Reason.String()
}

// expect has somebody come from an address, and says what should become of it.
func expect(t *testing.T, url, addr, want string) *websocket.Conn {
	t.Helper()
	socket, _ := comeFrom(t, url, addr)
	if got := outcome(t, socket); got != want {
		t.Errorf("who comes from %s gets a %s, want a %s", addr, got, want)
	}
	return socket
}

// refused returns how often somebody was refused, by reason.
func refused(h *Hub) map[string]uint64 {
	return maps.Collect(func(yield func(string, uint64) bool) {
		for name, n := range h.Stats().RefusedByName() {
			if n > 0 && !yield(name, n) {
				return
			}
		}
	})
}

func TestAddressIsFull(t *testing.T) {
	h, _, _, url := setUp(t, func(c *Config) {
		behindProxy(c)
		c.Limits.PerAddress = 2
	})
	first := expect(t, url, "192.0.2.1", "welcome")
	expect(t, url, "192.0.2.1, 127.0.0.1", "welcome")
	expect(t, url, "192.0.2.1", "crowded")
	expect(t, url, "192.0.2.2", "welcome")
	for range 5 {
		expect(t, url, "127.0.0.1", "welcome")
	}
	first.CloseNow()
	await(t, func() bool { return h.connections() == 7 })
	expect(t, url, "192.0.2.1", "welcome")
	expect(t, url, "192.0.2.1", "crowded")
	told := h.Stats().Closed(wire.ReasonCrowded)
	if got, want := refused(h), map[string]uint64{"address": 2}; !maps.Equal(got, want) || told != 2 {
		t.Errorf("refused are %v, and %d are told so; want %v, and 2", got, told, want)
	}
}

func TestAddressComesTooQuickly(t *testing.T) {
	h, _, m, url := setUp(t, func(c *Config) {
		behindProxy(c)
		c.Limits.JoinsPerAddress = 0.3 // three at once
	})
	for range 3 {
		expect(t, url, "192.0.2.1", "welcome").CloseNow()
	}
	expect(t, url, "192.0.2.1", "crowded")
	expect(t, url, "192.0.2.2", "welcome")
	m.set(m.get() + 4*time.Second)
	expect(t, url, "192.0.2.1", "welcome")
	expect(t, url, "192.0.2.1", "crowded")
	if got, want := refused(h), map[string]uint64{"rate": 2}; !maps.Equal(got, want) {
		t.Errorf("refused are %v, want %v", got, want)
	}
}

// waits reports whether an answer says when to come back: after comeBack, and less than twice that.
func waits(response *http.Response) bool {
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	after := time.Duration(seconds) * time.Second
	return err == nil && after >= comeBack && after < 2*comeBack
}

// TestFloodGetsPlainAnswers has more come to a hub that is full than are told goodbye.
func TestFloodGetsPlainAnswers(t *testing.T) {
	h, _, m, url := setUp(t, func(c *Config) { c.Limits.Clients = 1 })
	in := dial(t, url, hello(0))
	if got := outcome(t, in); got != "welcome" {
		t.Fatalf("the first gets a %s", got)
	}
	// come returns how many of a crowd were upgraded.
	come := func(crowd int) (upgraded int) {
		for range crowd {
			socket, response := comeFrom(t, url, "")
			if socket != nil {
				upgraded++
				socket.CloseNow()
				continue
			}
			if response.StatusCode != http.StatusServiceUnavailable || !waits(response) || !response.Close {
				t.Fatalf("answered by %s, %v; want 503, when to come back, and the connection's end", response.Status, response.Header)
			}
		}
		return upgraded
	}
	if got := come(120); got != 100 {
		t.Errorf("%d of 120 are told goodbye, want 100", got)
	}
	m.set(m.get() + time.Second)
	if got := come(30); got != 20 {
		t.Errorf("a second later %d of 30 are told goodbye, want 20", got)
	}
	if got, want := refused(h), map[string]uint64{"full": 150}; !maps.Equal(got, want) {
		t.Errorf("refused are %v, want %v", got, want)
	}
	await(t, func() bool { return h.connections() == 1 })
	if got := h.Stats().Accepted.Load(); got != 1 {
		t.Errorf("%d were let in, want 1", got)
	}
}

// TestWhoIsRefusedIsToldOnceItHasSpoken is told of nothing before, for as long as it may take for its first word.
func TestWhoIsRefusedIsToldOnceItHasSpoken(t *testing.T) {
	for name, word := range map[string][]byte{"silent": nil, "a hello": frame(binaryFrame, hello(0))} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, _, url := setUp(t, func(c *Config) { c.Limits.Clients = 0 })
			began := time.Now()
			socket := upgrade(t, url, 0)
			socket.Write(word)
			_, message, err := socket.read()
			if err != nil || wire.KindOf(message) != wire.KindGoodbye {
				t.Fatalf("told %v, %v, want goodbye", wire.KindOf(message), err)
			}
			if took := time.Since(began); word == nil && took < firstWord {
				t.Errorf("told after %v, want %v for its first word", took, firstWord)
			}
		})
	}
}

// TestWhoIsRefusedCannotStay is refused, and neither hangs up nor stops sending.
func TestWhoIsRefusedCannotStay(t *testing.T) {
	for name, test := range map[string]struct {
		sent   []byte
		within time.Duration
	}{
		"silent":  {nil, farewell + 2*time.Second},
		"verbose": {append(announce(binaryFrame, 1<<40), make([]byte, 2*maxIgnored)...), farewell / 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _, _, url := setUp(t, func(c *Config) { c.Limits.Clients = 0 })
			socket := upgrade(t, url, 0)
			began := time.Now()
			socket.Write(test.sent) // may be cut off
			await(t, func() bool { return h.Stats().Closed(wire.ReasonFull) == 1 && h.connections() == 0 })
			if took := time.Since(began); took > test.within {
				t.Errorf("stayed for %v, want at most %v", took, test.within)
			}
		})
	}
}

// TestDrainCutsOffWhoIsRefused closes the hub while somebody who is refused does not go.
func TestDrainCutsOffWhoIsRefused(t *testing.T) {
	h, _, _, url := setUp(t, func(c *Config) { c.Limits.Clients = 0 })
	socket := upgrade(t, url, 0)
	if opcode, message, err := socket.read(); err != nil || opcode != binaryFrame || wire.KindOf(message) != wire.KindGoodbye {
		t.Fatalf("told %v in a frame of %#x, %v, want goodbye", wire.KindOf(message), opcode, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	began := time.Now()
	h.Close(ctx, Returns{PerSecond: 1})
	if took := time.Since(began); took > farewell/2 {
		t.Errorf("the hub took %v to close", took)
	}
	if got := h.Stats().Closed(wire.ReasonDraining); got != 0 {
		t.Errorf("%d are told that the hub drains, want 0: it was refused before", got)
	}
}

// TestRequestsThatAreNoHandshakeHoldNoSeat asks for something else than a socket.
func TestRequestsThatAreNoHandshakeHoldNoSeat(t *testing.T) {
	h, _, _, url := setUp(t, func(c *Config) { c.Limits.Clients = 1 })
	for range 3 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: donut\r\nConnection: close\r\n\r\n")
		if response, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || response.StatusCode != http.StatusUpgradeRequired {
			t.Fatalf("answered by %v, %v, want 426", response, err)
		}
	}
	expect(t, url, "", "welcome")
	if got := refused(h); len(got) > 0 {
		t.Errorf("refused are %v, want none", got)
	}
}

// A census counts who is in the fleet from each address.
type census struct {
	mu     sync.Mutex
	from   map[uint32]netip.Addr
	counts map[netip.Addr]int
	most   map[netip.Addr]int
}

func (c *census) Join(number uint32, p orchestrator.Peer, addr netip.Addr, threads int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.from[number] = addr
	c.counts[addr]++
	c.most[addr] = max(c.most[addr], c.counts[addr])
	p.Welcome(threads)
}

func (c *census) Leave(number uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts[c.from[number]]--
}

func (c *census) Offer(uint32, int) {}

func (c *census) Result(uint32, wire.Result) {}

// TestCrowdAtTheDoor has a crowd of a few addresses come all at once, and then come and go as it likes.
func TestCrowdAtTheDoor(t *testing.T) {
	const most = 3
	c := &census{from: make(map[uint32]netip.Addr), counts: make(map[netip.Addr]int), most: make(map[netip.Addr]int)}
	h, _, _, _ := setUp(t, func(c *Config) {
		behindProxy(c)
		c.Limits = gate.Limits{Clients: 4 * most, PerAddress: most, JoinsPerAddress: gate.MaxJoins}
	})
	server := &http.Server{Handler: h.Handler(c)}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() { server.Serve(listener) })
	defer serving.Wait()
	defer server.Close()

	var crowd, first sync.WaitGroup
	first.Add(24)
	for i := range 24 {
		from := netip.AddrFrom4([4]byte{192, 0, 2, byte(i % 4)})
		crowd.Go(func() {
			arrive := sync.OnceFunc(first.Done)
			defer arrive()
			for range 8 {
				socket, _, err := websocket.Dial(t.Context(), "http://"+listener.Addr().String(), &websocket.DialOptions{
					HTTPHeader: http.Header{gate.ForwardedFor: {from.String()}},
				})
				if err != nil {
					continue // the goodbyes have run out
				}
				socket.Write(t.Context(), websocket.MessageBinary, hello(1)) // an error shows in the next read
				socket.Read(t.Context())
				arrive()
				first.Wait() // nobody leaves before all have come
				socket.CloseNow()
			}
		})
	}
	crowd.Wait()
	await(t, func() bool { return h.connections() == 0 })
	c.mu.Lock()
	defer c.mu.Unlock()
	for addr, n := range c.most {
		if n != most {
			t.Errorf("at most %d were here at once from %v, want %d", n, addr, most)
		}
	}
	if len(c.most) != 4 {
		t.Errorf("the fleet knows of %d addresses, want 4", len(c.most))
	}
	if total := h.Stats().Accepted.Load() + h.Stats().Refused(gate.Full) + h.Stats().Refused(gate.Address); total != 24*8 {
		t.Errorf("%d were let in or refused, want all %d", total, 24*8)
	}
}

// BenchmarkJoin connects and reads what it is told first: as one that is let in, as one that is told goodbye, and as one
// of a flood. It holds what the client takes, which is much the same for each.
func BenchmarkJoin(b *testing.B) {
	for name, change := range map[string]func(*Config){
		"welcome": nil,
		"goodbye": func(c *Config) { c.Limits.Clients = 0 },
		"503":     func(c *Config) { c.Limits.Clients = 0 },
	} {
		b.Run(name, func(b *testing.B) {
			h, d, m, url := setUp(b, change)
			for i := range uint64(4) { // a key group as long as it is at -detail 1
				h.Broadcast(make([]byte, 4<<10), codec.Header{Key: i == 0, Number: i + 1, First: 600 + 60*i, Count: 60})
			}
			if name == "503" {
				for range 100 {
					if socket, _ := comeFrom(b, url, ""); socket != nil {
						socket.CloseNow()
					}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				if name == "goodbye" {
					m.set(m.get() + time.Second)
				}
				socket, _, err := websocket.Dial(b.Context(), url, nil)
				if (err != nil) != (name == "503") {
					b.Fatal(err)
				}
				if err != nil {
					continue
				}
				socket.Write(b.Context(), websocket.MessageBinary, hello(1))
				_, message, err := socket.Read(b.Context())
				if err != nil || (wire.KindOf(message) == wire.KindWelcome) != (name == "welcome") {
					b.Fatal(wire.KindOf(message), err)
				}
				if name == "welcome" {
					<-d.joined
					for range 4 {
						if _, _, err := socket.Read(b.Context()); err != nil {
							b.Fatal(err)
						}
					}
				}
				socket.CloseNow()
			}
		})
	}
}

// TestGoodbyeIsNotPutOff has somebody who was said goodbye to probe on instead of closing.
func TestGoodbyeIsNotPutOff(t *testing.T) {
	t.Parallel()
	h, d, _, url := setUp(t, nil)
	tab := upgrade(t, url, 0)
	if _, err := tab.Write(frame(binaryFrame, hello(0))); err != nil {
		t.Fatal(err)
	}
	number := <-d.joined
	d.mu.Lock()
	peer := d.peers[number]
	d.mu.Unlock()
	peer.Dismiss(wire.Goodbye{Reason: wire.ReasonEvicted})
	ended := make(chan struct{})
	defer func() {
		tab.Close() // else it goes on for ever where the server does not end it
		<-ended
	}()
	go func() {
		defer close(ended)
		for tick := time.Tick(100 * time.Millisecond); ; <-tick {
			if _, err := tab.Write(frame(binaryFrame, wire.Probe{}.Append(nil))); err != nil {
				return
			}
		}
	}()
	await(t, func() bool { return h.connections() == 0 })
}
