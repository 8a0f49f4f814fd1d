package hub

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// desk is a fleet that welcomes everybody at once and notes what it is told.
type desk struct {
	mu      sync.Mutex
	peers   map[uint32]orchestrator.Peer
	results []wire.Result
	left    int
	offers  []int
	joined  chan uint32
}

func newDesk() *desk {
	return &desk{peers: make(map[uint32]orchestrator.Peer), joined: make(chan uint32, 100)}
}

func (d *desk) Offer(number uint32, threads int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offers = append(d.offers, threads)
}

func (d *desk) Join(number uint32, p orchestrator.Peer, _ netip.Addr, threads int) {
	d.mu.Lock()
	d.peers[number] = p
	d.mu.Unlock()
	p.Welcome(threads)
	d.joined <- number
}

func (d *desk) Leave(uint32) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left++
}

func (d *desk) Result(_ uint32, m wire.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.results = append(d.results, m)
}

// peer returns a connection by its number.
func (d *desk) peer(number uint32) orchestrator.Peer {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.peers[number]
}

// took returns how many results came.
func (d *desk) took() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.results)
}

var testDigest = wire.Digest{1, 2, 3}

// setUp serves a hub with a desk on loopback. Its clock stands at frame 600 and moves only with the test's.
func setUp(t testing.TB, change func(*Config)) (*Hub, *desk, *machine, string) {
	t.Helper()
	m := &machine{}
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m.set(10 * time.Second)
	cfg := Config{
		Clock: timeline.NewClock(epoch, func() timeline.Reading {
			return timeline.Reading{Monotonic: m.get(), Wall: epoch.Add(m.get())}
		}),
		Log: slog.New(slog.DiscardHandler), Digest: testDigest, Detail: 1, Lead: 10 * time.Second,
		Limits:    gate.Limits{Clients: 100, PerAddress: 100, JoinsPerAddress: 100},
		Addresses: gate.NewAddresses(nil, slog.New(slog.DiscardHandler)), Messages: MaxMessages, SendBuffer: DefaultSendBuffer,
		Timeouts: Timeouts{Hello: 5 * time.Second, Message: 2 * time.Second, Write: 10 * time.Second},
	}
	if change != nil {
		change(&cfg)
	}
	h, d := New(cfg), newDesk()
	server := httptest.NewServer(h.Handler(d))
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		h.Close(ctx, Returns{PerSecond: 1})
	})
	return h, d, m, server.URL
}

type machine struct {
	mu  sync.Mutex
	now time.Duration
}

func (m *machine) get() time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *machine) set(now time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = now
}

// dial connects and sends the given first message, where there is one.
func dial(t *testing.T, url string, hello []byte) *websocket.Conn {
	t.Helper()
	socket, _, err := websocket.Dial(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	socket.SetReadLimit(1 << 20)
	t.Cleanup(func() { socket.CloseNow() })
	if hello != nil {
		send(t, socket, hello)
	}
	return socket
}

func send(t *testing.T, socket *websocket.Conn, message []byte) {
	t.Helper()
	if err := socket.Write(t.Context(), websocket.MessageBinary, message); err != nil {
		t.Fatal(err)
	}
}

// receive reads the next message, within 10 s.
func receive(t *testing.T, socket *websocket.Conn) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, message, err := socket.Read(ctx)
	return message, err
}

func hello(threads uint8) []byte {
	return wire.Hello{Threads: threads, Codec: codec.Version, Digest: testDigest}.Append(nil)
}

// air broadcasts a message of 60 frames whose bytes are its number.
func air(h *Hub, number, first uint64, key bool) {
	h.Broadcast([]byte{byte(number)}, codec.Header{Key: key, Number: number, First: first, Count: 60})
	h.serve()
}

// serve returns when everybody was served, beside the hub's own goroutine.
func (h *Hub) serve() {
	for serving := true; serving; {
		_, serving = h.serveNext()
	}
}

// TestRepliesSayWhatWasVerified credits a connection between its probes.
func TestRepliesSayWhatWasVerified(t *testing.T) {
	_, d, _, url := setUp(t, nil)
	worker, viewer := dial(t, url, hello(1)), dial(t, url, hello(0))
	// verified probes, and returns what the reply says.
	verified := func(socket *websocket.Conn) uint64 {
		t.Helper()
		send(t, socket, wire.Probe{}.Append(nil))
		message, err := receive(t, socket)
		if err != nil {
			t.Fatal(err)
		}
		reply, err := wire.ParseReply(message)
		if err != nil {
			t.Fatal(err)
		}
		return reply.Verified
	}
	for range 2 {
		<-d.joined
	}
	for _, socket := range []*websocket.Conn{worker, viewer} {
		welcome, err := receive(t, socket)
		if err != nil {
			t.Fatal(err)
		}
		m, err := wire.ParseWelcome(welcome)
		if err != nil {
			t.Fatal(err)
		}
		if got := verified(socket); got != 0 {
			t.Errorf("%d frames are verified of who just came, want 0", got)
		}
		if socket == viewer {
			continue
		}
		for _, want := range []uint64{12, 1 << 40} {
			d.peer(m.You).Credit(want)
			if got := verified(socket); got != want {
				t.Errorf("%d frames are verified, want %d", got, want)
			}
		}
	}
	if got := verified(viewer); got != 0 {
		t.Errorf("%d frames are verified of who only watches, want 0", got)
	}
}

func TestWelcomeAndBacklog(t *testing.T) {
	h, _, m, url := setUp(t, nil)
	for i, key := range []bool{true, false, false, false, true, false, false, false} {
		air(h, uint64(i+1), 420+60*uint64(i), key) // keys at frames 420 and 660
	}
	join := func() (got []byte) {
		socket := dial(t, url, hello(2))
		message, err := receive(t, socket)
		if err != nil {
			t.Fatal(err)
		}
		welcome, err := wire.ParseWelcome(message)
		if err != nil {
			t.Fatal(err)
		}
		if welcome.Threads != 2 || welcome.Digest != testDigest || welcome.Generation != 1 || welcome.Now != m.get().Microseconds() {
			t.Errorf("welcomed by %+v", welcome)
		}
		send(t, socket, wire.Probe{Sent: 77}.Append(nil))
		for {
			if message, err = receive(t, socket); err != nil {
				t.Fatal(err)
			}
			if reply, err := wire.ParseReply(message); err == nil {
				if reply.Sent != 77 || reply.Received != m.get().Microseconds() || reply.Replied != reply.Received {
					t.Errorf("answered by %+v", reply)
				}
				return got
			}
			got = append(got, message...)
		}
	}
	for _, test := range []struct {
		frame int
		want  []byte
	}{
		{600, []byte{1, 2, 3, 4, 5, 6, 7, 8}}, // in the first group
		{660, []byte{5, 6, 7, 8}},             // at the second one's key
		{899, []byte{5, 6, 7, 8}},             // at the last frame
		{900, nil},                            // behind it: the stream is late, or has stopped
	} {
		m.set(timeline.Start(uint64(test.frame)).Sub(0))
		if got := join(); !bytes.Equal(got, test.want) {
			t.Errorf("who joins at frame %d gets messages %v, want %v", test.frame, got, test.want)
		}
	}
}

// TestWhoJoinsOffTheScreenGetsAnUnbrokenStream has a stream end before the playhead, and somebody join. If it is late
// it goes on, which takes what went before; if it had stopped, what it had aired is of no use to anybody.
func TestWhoJoinsOffTheScreenGetsAnUnbrokenStream(t *testing.T) {
	for name, test := range map[string]struct {
		next uint64 // the first frame of message 3
		key  bool
		want []byte
	}{
		"late":    {720, false, []byte{1, 2, 3}},
		"stopped": {760, true, []byte{3}},
	} {
		t.Run(name, func(t *testing.T) {
			h, _, m, url := setUp(t, nil)
			air(h, 1, 600, true)
			air(h, 2, 660, false)
			m.set(timeline.Start(730).Sub(0))
			early := dial(t, url, hello(0))
			send(t, early, wire.Probe{Sent: 77}.Append(nil))
			for range 2 { // the welcome, and the reply
				if message, err := receive(t, early); err != nil || len(message) == 1 {
					t.Fatalf("got %v, %v before message 3 has aired", message, err)
				}
			}
			air(h, 3, test.next, test.key)
			late := dial(t, url, hello(0))
			if _, err := receive(t, late); err != nil {
				t.Fatal(err)
			}
			for who, socket := range map[string]*websocket.Conn{"before": early, "after": late} {
				for _, want := range test.want {
					if message, err := receive(t, socket); err != nil || !bytes.Equal(message, []byte{want}) {
						t.Fatalf("who joined %s message 3 gets %v, %v, want message %d", who, message, err, want)
					}
				}
			}
		})
	}
}

// TestGapsTakeNothingFromWhoWatches has the server's clock jump while a message is being served.
func TestGapsTakeNothingFromWhoWatches(t *testing.T) {
	h, _, m, url := setUp(t, nil)
	m.set(timeline.Start(600).Sub(0))
	air(h, 1, 600, true)
	socket := dial(t, url, hello(0))
	receive(t, socket) // the welcome, or an error that comes again
	if message, err := receive(t, socket); err != nil || !bytes.Equal(message, []byte{1}) {
		t.Fatalf("got %v, %v, want message 1", message, err)
	}
	h.mu.Lock()
	for c := range h.conns {
		c.follow([]aired{
			{framed([]byte{2}), codec.Header{Number: 2, First: 660, Count: 60}},
			{framed([]byte{3}), codec.Header{Number: 3, First: 6000, Count: 60, Key: true}},
		})
	}
	h.mu.Unlock()
	for _, want := range []byte{2, 3} {
		if message, err := receive(t, socket); err != nil || !bytes.Equal(message, []byte{want}) {
			t.Fatalf("got %v, %v, want message %d", message, err, want)
		}
	}
}

func TestResultsReachTheFleet(t *testing.T) {
	_, d, _, url := setUp(t, nil)
	socket := dial(t, url, hello(1))
	d.peer(<-d.joined).Lend(wire.Lease{Lease: 5, Detail: 1, First: 600, Count: 120})
	want := wire.Result{Lease: 5, First: 600, Spent: 3, Frames: make([]byte, 120*wire.PackedSize)}
	send(t, socket, want.Append(nil))
	socket.Close(websocket.StatusNormalClosure, "")
	await(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.left == 1
	})
	if len(d.results) != 1 || d.results[0].Lease != 5 || !bytes.Equal(d.results[0].Frames, want.Frames) {
		t.Errorf("the fleet was told of %d results", len(d.results))
	}
}

func TestOffersReachTheFleet(t *testing.T) {
	h, d, _, url := setUp(t, nil)
	socket := dial(t, url, hello(0))
	peer := d.peer(<-d.joined)
	offers := func() []int {
		d.mu.Lock()
		defer d.mu.Unlock()
		return slices.Clone(d.offers)
	}
	send(t, socket, wire.Offer{Threads: 2}.Append(nil))
	await(t, func() bool { return len(offers()) == 1 })
	peer.Lend(wire.Lease{Lease: 5, Detail: 1, First: 600, Count: 1})
	send(t, socket, wire.Result{Lease: 5, First: 600, Frames: make([]byte, wire.PackedSize)}.Append(nil)) // it is a worker now
	send(t, socket, wire.Offer{}.Append(nil))
	await(t, func() bool { return len(offers()) == 2 })
	if got := offers(); !slices.Equal(got, []int{2, 0}) {
		t.Errorf("the fleet was offered %v threads, want 2 and then 0", got)
	}
	for range offersAtOnce {
		send(t, socket, wire.Offer{Threads: 1}.Append(nil))
	}
	await(t, func() bool { return h.Stats().Closed(wire.ReasonFlooding) == 1 })
	if got := len(offers()); got > offersAtOnce {
		t.Errorf("the fleet was offered threads %d times at once, want at most %d", got, offersAtOnce)
	}
}

func TestFull(t *testing.T) {
	h, d, _, url := setUp(t, func(c *Config) { c.Limits.Clients = 1 })
	first := dial(t, url, hello(0))
	<-d.joined
	second := dial(t, url, hello(0))
	message, err := receive(t, second)
	if err != nil {
		t.Fatal(err)
	}
	if goodbye, err := wire.ParseGoodbye(message); err != nil || goodbye.Reason != wire.ReasonFull || goodbye.Retry == 0 {
		t.Errorf("told %+v, %v, want full and when to come back", goodbye, err)
	}
	if _, err := receive(t, second); websocket.CloseStatus(err) != websocket.StatusTryAgainLater {
		t.Errorf("closed with %v", err)
	}
	first.CloseNow()
	await(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return len(h.conns) == 0
	})
	dial(t, url, hello(0))
	<-d.joined
}

func TestOrigins(t *testing.T) {
	_, _, _, url := setUp(t, func(c *Config) { c.Origins = []string{"*.example.com"} })
	for origin, want := range map[string]bool{
		url: true, "https://www.example.com": true, "https://example.org": false,
	} {
		socket, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: map[string][]string{"Origin": {origin}}})
		if err == nil {
			socket.CloseNow()
		}
		if got := err == nil; got != want {
			t.Errorf("a page of %s may connect: %v, want %v", origin, got, want)
		}
	}
}

func TestCloseSaysGoodbyeToAll(t *testing.T) {
	h, d, _, url := setUp(t, nil)
	var sockets []*websocket.Conn
	for range 5 {
		sockets = append(sockets, dial(t, url, hello(0)))
		<-d.joined
	}
	silent := dial(t, url, nil) // has not said hello yet
	_ = silent
	var said sync.WaitGroup
	var mu sync.Mutex
	var retries []uint32
	for _, socket := range sockets {
		said.Go(func() {
			for {
				message, err := receive(t, socket)
				if err != nil {
					if websocket.CloseStatus(err) != websocket.StatusGoingAway {
						t.Errorf("closed with %v, want status 1001", err)
					}
					return
				}
				if goodbye, err := wire.ParseGoodbye(message); err == nil && goodbye.Reason != wire.ReasonDraining {
					t.Errorf("told %+v, want draining", goodbye)
				} else if err == nil {
					mu.Lock()
					retries = append(retries, goodbye.Retry)
					mu.Unlock()
				}
			}
		})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	h.Close(ctx, Returns{First: 1500 * time.Millisecond, PerSecond: 4})
	said.Wait()
	slices.Sort(retries)
	if want := []uint32{1500, 1750, 2000, 2250, 2500, 2750}; len(retries) != 5 || !subset(retries, want) {
		t.Errorf("asked back after %v ms, want five different ones of %v", retries, want)
	}
	_, response, err := websocket.Dial(t.Context(), url, nil)
	if err == nil || response == nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("who comes after the close is answered %v, %v, want status 503", response, err)
	}
}

// subset reports whether all of some are among others, and none is twice. Both are sorted.
func subset(some, others []uint32) bool {
	for i, each := range some {
		if !slices.Contains(others, each) || i > 0 && some[i-1] == each {
			return false
		}
	}
	return true
}

// TestReturnsAreSpreadEvenly hands out moments to a crowd, and to one that is too large for it.
func TestReturnsAreSpreadEvenly(t *testing.T) {
	const perSecond, crowd = 500, 40_000
	r := returns{Returns: Returns{First: time.Second, PerSecond: perSecond}}
	var seconds [int(maxReturn / time.Second)]int
	for range crowd {
		after := r.next() - r.First
		if after < 0 || after >= maxReturn {
			t.Fatalf("asked back after %v more than the first, want less than %v", after, maxReturn)
		}
		seconds[after/time.Second]++
	}
	for second, n := range seconds {
		want := perSecond
		if second < (crowd-perSecond*len(seconds))/perSecond { // where the rest goes
			want *= 2
		}
		if n != want {
			t.Errorf("%d are asked back in second %d, want %d", n, second, want)
		}
	}
}

// TestWhoIsRefusedIsAskedBackAtDifferentTimes asks many times.
func TestWhoIsRefusedIsAskedBackAtDifferentTimes(t *testing.T) {
	different := make(map[time.Duration]bool)
	for range 1000 {
		after := later()
		if after < comeBack || after >= 2*comeBack {
			t.Fatalf("asked back after %v, want %v to %v", after, comeBack, 2*comeBack)
		}
		different[after/(comeBack/10)] = true
	}
	if len(different) != 10 {
		t.Errorf("asked back in %d tenths of the time, want in all 10", len(different))
	}
}

// TestWhoComesWhileItDrains has one connection hold the hub open, and another one come.
func TestWhoComesWhileItDrains(t *testing.T) {
	h, _, _, url := setUp(t, nil)
	if !h.begin() { // a connection that does not leave
		t.Fatal("nobody is let in")
	}
	var closed sync.WaitGroup
	closed.Go(func() { h.Close(t.Context(), Returns{PerSecond: 1}) })
	await(t, func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.draining
	})
	message, err := receive(t, dial(t, url, nil))
	if goodbye, parsed := wire.ParseGoodbye(message); err != nil || parsed != nil || goodbye.Reason != wire.ReasonDraining {
		t.Errorf("who comes is told %v, %v, %v, want that it is draining", goodbye, err, parsed)
	}
	h.end()
	closed.Wait()
}

// stuck returns a connection whose writer never comes: what a conn does with a queue nobody empties.
func stuck(h *Hub) *conn {
	c := &conn{hub: h, writing: true}
	h.conns[c] = struct{}{}
	h.audience.add(c)
	return c
}

func (c *conn) waits() (numbers []byte) {
	for _, i := range c.pending {
		numbers = append(numbers, i.bytes[2]) // behind the frame's header
	}
	return numbers
}

func TestSlowViewerIsSentTheOpenGroupAgain(t *testing.T) {
	h, _, m, _ := setUp(t, nil)
	c := stuck(h)
	defer func() { delete(h.conns, c) }()
	air(h, 1, 480, true) // a group of four messages: frames 480 to 719
	c.next()             // message 1 is being written
	air(h, 2, 540, false)
	air(h, 3, 600, false)
	air(h, 4, 660, false)
	c.Send([]byte{99}) // what is no broadcast is kept
	air(h, 5, 720, true)
	if got, want := c.waits(), []byte{2, 3, 4, 99, 5}; !bytes.Equal(got, want) {
		t.Fatalf("messages %v wait, want %v", got, want)
	}

	air(h, 6, 780, false) // one too many, but the playhead at 600 still needs the first group
	if got, want := c.waits(), []byte{99, 2, 3, 4, 5, 6}; !bytes.Equal(got, want) {
		t.Fatalf("messages %v wait, want %v", got, want)
	}
	m.set(13 * time.Second) // frame 780 is on screen: the group from 720 on is what counts
	air(h, 7, 840, false)
	if got, want := c.waits(), []byte{99, 5, 6, 7}; !bytes.Equal(got, want) {
		t.Fatalf("messages %v wait, want %v", got, want)
	}
	if got := h.Stats().Replayed.Load(); got != 2 {
		t.Errorf("%d replays are counted, want 2", got)
	}
	if c.waiting != 3 || c.frames != 180 {
		t.Errorf("%d broadcasts of %d frames are counted as waiting, want 3 of 180", c.waiting, c.frames)
	}
}

func TestControlFloodEndsAConnection(t *testing.T) {
	for worker, most := range map[bool]int{false: maxReplies, true: maxControl} {
		h, _, _, _ := setUp(t, nil)
		c := stuck(h)
		c.worker = worker
		defer func() { delete(h.conns, c) }()
		for range most {
			c.Send([]byte{1})
		}
		if len(c.pending) != most {
			t.Errorf("worker %v: %d messages wait, want %d", worker, len(c.pending), most)
		}
		c.Send([]byte{1})
		if len(c.pending) != 1 || !c.pending[0].last || h.Stats().Closed(wire.ReasonSlow) != 1 {
			t.Errorf("worker %v: %d messages wait, %d connections counted as slow; want the goodbye alone, and 1", worker,
				len(c.pending), h.Stats().Closed(wire.ReasonSlow))
		}
	}
}

// TestDeadPeerIsDropped cuts the network below a connection that never says goodbye.
func TestDeadPeerIsDropped(t *testing.T) {
	_, d, _, url := setUp(t, nil)
	socket := dial(t, url, hello(1))
	<-d.joined
	socket.CloseNow()
	await(t, func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.left == 1
	})
	if _, err := receive(t, socket); err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("reading from a closed connection: %v", err)
	}
}

// TestRoundTripsAreTold has a tab tell of one once, and not tell of one.
func TestRoundTripsAreTold(t *testing.T) {
	told := make(chan time.Duration, 3)
	_, _, _, url := setUp(t, func(cfg *Config) { cfg.Probed = func(took time.Duration) { told <- took } })
	socket := dial(t, url, hello(0))
	for _, took := range []uint32{42_000, 0, wire.MaxRoundTrip} {
		send(t, socket, wire.Probe{Took: took}.Append(nil))
	}
	for _, want := range []time.Duration{42 * time.Millisecond, time.Minute} {
		if got := <-told; got != want {
			t.Errorf("told of %v, want %v", got, want)
		}
	}
}

// TestInARushTheStreamWaitsForTheFirstProbe has more join at once than are sent the open group unasked.
func TestInARushTheStreamWaitsForTheFirstProbe(t *testing.T) {
	h, d, m, url := setUp(t, func(c *Config) { c.Limits = gate.Limits{Clients: 1000, PerAddress: 1000, JoinsPerAddress: 1000} })
	s := &stream{hub: h, machine: m, frames: 60}
	s.next() // at 10 s, where the clock stays
	viewers := make([]*raw, groupsAtOnce+1)
	write := func(viewer *raw, sent []byte) {
		t.Helper()
		if _, err := viewer.Write(sent); err != nil {
			t.Fatal(err)
		}
	}
	for i := range viewers {
		viewers[i] = upgrade(t, url, 0)
		write(viewers[i], frame(binaryFrame, hello(0)))
		<-d.joined
	}
	next := func(viewer *raw, want wire.Kind) {
		t.Helper()
		if _, message, err := viewer.read(); err != nil || wire.KindOf(message) != want {
			t.Fatalf("got %v, %v; want %v", wire.KindOf(message), err, want)
		}
	}
	for _, viewer := range viewers[:groupsAtOnce] {
		next(viewer, wire.KindWelcome)
		next(viewer, wire.KindBroadcast)
	}
	last := viewers[groupsAtOnce]
	next(last, wire.KindWelcome)
	s.next()
	next(viewers[0], wire.KindBroadcast)
	write(last, frame(ping, nil))
	if opcode, _, err := last.read(); err != nil || opcode != pong {
		t.Fatalf("who has not probed is sent opcode %#x, %v; want nothing but a pong", opcode, err)
	}
	write(last, frame(binaryFrame, wire.Probe{}.Append(nil)))
	next(last, wire.KindBroadcast)
	next(last, wire.KindBroadcast)
	next(last, wire.KindReply)
	s.next()
	next(last, wire.KindBroadcast)
}

// TestWhoProbesBeforeItIsWelcomed is sent the stream behind the welcome, be there a rush or not.
func TestWhoProbesBeforeItIsWelcomed(t *testing.T) {
	h, _, _, _ := setUp(t, nil)
	now, _ := h.cfg.Clock.Now()
	for h.groups.Take(now) {
	}
	air(h, 1, 480, true)
	c := stuck(h)
	h.audience.remove(c)
	defer func() { delete(h.conns, c); h.audience.remove(c) }()
	if err := h.acknowledge(c, 0); err != nil || len(c.pending) != 0 {
		t.Fatalf("a probe before the welcome: %v, and %d messages wait", err, len(c.pending))
	}
	h.welcome(c, []byte{99})
	air(h, 2, 540, false)
	if got, want := c.waits(), []byte{99, 1, 2}; !bytes.Equal(got, want) {
		t.Errorf("messages %v wait, want %v", got, want)
	}
}

// await polls until ok, for 10 s at most.
func await(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for poll := time.Tick(2 * time.Millisecond); !ok(); {
		select {
		case <-poll:
		case <-deadline:
			t.Fatal("waited 10 s in vain")
		}
	}
}
