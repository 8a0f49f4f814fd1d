package turnstile

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/leakcheck"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// patience is how long something may take that has no promise of its own.
const patience = 20 * time.Second

// A building is a server behind a turnstile: /at-once is answered at once, /later when later is called, and /socket is
// taken over.
type building struct {
	*Listener
	t     *testing.T
	later func()        // answers whoever waits for that, at the end of the test at the latest
	begun chan struct{} // has an element for each /later that has begun
}

func open(t *testing.T, limits Limits, secure bool) *building {
	t.Helper()
	later, stop := context.WithCancel(context.Background())
	b := &building{t: t, later: stop, begun: make(chan struct{}, 100)}
	mux := http.NewServeMux()
	mux.HandleFunc("/at-once", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/later", func(http.ResponseWriter, *http.Request) {
		b.begun <- struct{}{}
		<-later.Done()
	})
	mux.HandleFunc("/socket", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { conn.Close() })
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
	})
	server := httptest.NewUnstartedServer(mux)
	b.Listener = New(server.Listener, limits)
	server.Listener, server.Config.ConnState = b.Listener, b.ConnState
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		b.later()
		server.Close()
	})
	return b
}

// A visitor is a connection.
type visitor struct {
	net.Conn
	t  *testing.T
	in *bufio.Reader
}

// enter connects from an address.
func (b *building) enter(from string) *visitor {
	b.t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.Dial("tcp", b.Addr().String())
	if err != nil {
		b.t.Skipf("this system has no address %s to come from: %v", from, err)
	}
	b.t.Cleanup(func() { conn.Close() })
	conn.SetReadDeadline(time.Now().Add(patience))
	return &visitor{Conn: conn, t: b.t, in: bufio.NewReader(conn)}
}

func (v *visitor) ask(path string) {
	io.WriteString(v, "GET "+path+" HTTP/1.1\r\nHost: donut\r\n\r\n") // an error shows in what is answered
}

// answered reports that an answer comes.
func (v *visitor) answered(what string) {
	v.t.Helper()
	if _, err := http.ReadResponse(v.in, nil); err != nil {
		v.t.Errorf("%s is not answered: %v", what, err)
	}
}

// closed reports that the connection is closed.
func (v *visitor) closed(what string) {
	v.t.Helper()
	if b, err := v.in.ReadByte(); err == nil || os.IsTimeout(err) {
		v.t.Errorf("%s is not closed: got byte %q, %v", what, b, err)
	}
}

// counts waits until so many connections are open, and expects so many to have been dropped.
func (b *building) counts(open int, forAll, forAddress uint64) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); b.Stats().Open != open; runtime.Gosched() {
		if time.Now().After(deadline) {
			b.t.Fatalf("%d connections are open, want %d", b.Stats().Open, open)
		}
	}
	if d := b.Stats().Dropped; d[full] != forAll || d[address] != forAddress || len(d) != 2 {
		b.t.Errorf("dropped are %v, want %d in all, and %d of an address", d, forAll, forAddress)
	}
}

func TestWhoHasWaitedLongestMakesRoom(t *testing.T) {
	b := open(t, Limits{Connections: 3, PerAddress: 1}, false)
	first, second, third := b.enter("127.0.0.1"), b.enter("127.0.0.1"), b.enter("127.0.0.1")
	b.counts(3, 0, 0)
	first.ask("/at-once")
	first.answered("who has asked")
	fourth := b.enter("127.0.0.1")
	second.closed("who has waited longest")
	b.counts(3, 1, 0)
	for _, v := range []*visitor{first, third, fourth} {
		v.ask("/at-once")
		v.answered("who remains")
	}
	third.Close()
	b.counts(2, 1, 0)
	b.enter("127.0.0.1").ask("/later")
	<-b.begun
	b.counts(3, 1, 0)
	b.later()
}

func TestWhoIsAnsweredIsNotDisturbed(t *testing.T) {
	b := open(t, Limits{Connections: 2, PerAddress: 1}, false)
	first, second := b.enter("127.0.0.1"), b.enter("127.0.0.1")
	for _, v := range []*visitor{first, second} {
		v.ask("/later")
		<-b.begun
	}
	b.enter("127.0.0.1").closed("who comes when all are being answered")
	b.counts(2, 1, 0)
	b.later()
	first.answered("the first")
	second.answered("the second")
	second.Close()
	b.counts(1, 1, 0)
	third := b.enter("127.0.0.1")
	third.ask("/at-once")
	third.answered("who comes when one has gone")
}

func TestAddressesHaveALimitOfTheirOwn(t *testing.T) {
	proxy := netip.MustParseAddr("127.0.0.9")
	b := open(t, Limits{Connections: 100, PerAddress: 2, Exempt: func(a netip.Addr) bool { return a == proxy }}, false)
	neighbour := b.enter("127.0.0.3")
	b.counts(1, 0, 0)
	waits, busy := b.enter("127.0.0.2"), b.enter("127.0.0.2")
	busy.ask("/later")
	<-b.begun
	third := b.enter("127.0.0.2")
	waits.closed("who waits at an address that has too many")
	third.ask("/later")
	<-b.begun
	b.enter("127.0.0.2").closed("who comes from an address that has too many")
	b.counts(3, 0, 2)
	for range 5 {
		b.enter(proxy.String())
		b.enter("127.0.0.1")
	}
	b.counts(13, 0, 2)
	b.later()
	for _, v := range []*visitor{busy, third} {
		v.answered("who was there first")
		v.Close()
	}
	b.counts(11, 0, 2)
	neighbour.ask("/at-once")
	neighbour.answered("the neighbour")
	neighbour.Close()
	again := b.enter("127.0.0.2")
	again.ask("/at-once")
	again.answered("who comes again")
	b.counts(11, 0, 2)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.origins) != 1 {
		t.Errorf("%d addresses are known, want that of the one who is here", len(b.origins))
	}
}

func TestSocketsLeave(t *testing.T) {
	b := open(t, Limits{Connections: 1, PerAddress: 1}, false)
	for range 3 {
		v := b.enter("127.0.0.2")
		v.ask("/socket")
		v.answered("a socket")
		b.counts(0, 0, 0)
	}
}

// TestBelowTLS has the handshake take the place of silence.
func TestBelowTLS(t *testing.T) {
	b := open(t, Limits{Connections: 1, PerAddress: 1}, true)
	silent := b.enter("127.0.0.1")
	b.counts(1, 0, 0)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig.InsecureSkipVerify = true
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Get("https://" + b.Addr().String() + "/at-once")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	silent.closed("who has waited for longest")
	b.counts(1, 1, 0)
	transport.CloseIdleConnections()
	b.counts(0, 1, 0)
}
