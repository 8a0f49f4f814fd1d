package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/digest"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A program is a running server.
type program struct {
	url    string
	admin  string       // the URL for operators, where there is one
	client *http.Client // that trusts it
	log    *lines
	stop   func() error
}

// start runs a server on a free port, until stop or the end of the test.
func start(t *testing.T, args ...string) program {
	t.Helper()
	return startIn(t, nil, args...)
}

// startIn starts a server in some environment.
func startIn(t *testing.T, environment []string, args ...string) program {
	t.Helper()
	bytes, err := moduletest.Module()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"-addr", "127.0.0.1:0", "-admin-addr", "", "-cache-dir", os.TempDir() + "/donut-test-cache"}, args...)
	log := new(lines)
	cfg, err := parseConfig(args, environment, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, cfg, bytes, log) }()
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("the server ended with %v", err)
		}
		if t.Failed() {
			t.Logf("the server's log:\n%s", log)
		}
	})
	pattern := regexp.MustCompile(`msg=listening addr=(\S+) admin_addr=(\S+)`)
	var match []string
	await(t, "the server listens", func() bool {
		match = pattern.FindStringSubmatch(log.String())
		return match != nil
	})
	return program{url: "http://" + match[1], admin: "http://" + match[2], client: http.DefaultClient, log: log, stop: stop}
}

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

// statistic reads one number of /api/stats.
func (p program) statistic(t *testing.T, name string) float64 {
	t.Helper()
	response, err := p.client.Get(p.url + "/api/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var stats map[string]any
	if err := json.NewDecoder(response.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	value, ok := stats[name].(float64)
	if !ok {
		t.Fatalf("/api/stats has no number %q: %v", name, stats)
	}
	return value
}

// A tab is a client as a browser's tab is one, in Go.
type tab struct {
	t      *testing.T
	socket *websocket.Conn
	// spoil changes a frame of the tab's before it is sent; nil leaves it as it should be.
	spoil func(p *donut.Picture, n uint64)
	// seen is called for every frame that the tab is sent, nil for one that is missing.
	seen    func(n uint64, p *donut.Picture)
	decoder codec.Decoder
	welcome wire.Welcome
	goodbye wire.Goodbye
}

// join connects a tab with so many threads and waits until it is welcomed.
func join(t *testing.T, p program, threads int) *tab {
	t.Helper()
	return joinFrom(t, p, threads, "")
}

// joinFrom joins as a proxy does for an address, or for nobody.
func joinFrom(t *testing.T, p program, threads int, forwarded string) *tab {
	t.Helper()
	hello := wire.Hello{Threads: uint8(threads), Codec: codec.Version, Digest: moduleDigest(t)}
	tab := dial(t, p, forwarded, hello.Append(nil))
	message, err := tab.read()
	if err != nil {
		t.Fatal(err)
	}
	if tab.welcome, err = wire.ParseWelcome(message); err != nil {
		t.Fatal(err)
	}
	return tab
}

// moduleDigest is what a tab that runs the module says of it.
func moduleDigest(t *testing.T) wire.Digest {
	t.Helper()
	bytes, err := moduletest.Module()
	if err != nil {
		t.Fatal(err)
	}
	hash := digest.New()
	hash.Write(bytes)
	return hash.Sum()
}

// dial connects for an address, or for nobody, and says hello.
func dial(t *testing.T, p program, forwarded string, hello []byte) *tab {
	t.Helper()
	options := &websocket.DialOptions{HTTPClient: p.client, HTTPHeader: make(http.Header)}
	if forwarded != "" {
		options.HTTPHeader.Set(gate.ForwardedFor, forwarded)
	}
	socket, _, err := websocket.Dial(t.Context(), p.url+"/ws", options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.CloseNow() })
	socket.SetReadLimit(1 << 20)
	tab := &tab{t: t, socket: socket}
	tab.write(hello)
	return tab
}

// read returns the next message, for which it waits 20 s at most.
func (c *tab) read() ([]byte, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	_, message, err := c.socket.Read(ctx)
	return message, err
}

func (c *tab) write(message []byte) {
	c.socket.Write(c.t.Context(), websocket.MessageBinary, message) // an error shows in the next read
}

// play renders what it is lent and watches, until the connection ends. It returns the error that ended it.
func (c *tab) play() error {
	renderer := donut.NewRenderer(int(c.welcome.Detail))
	c.write(wire.Probe{}.Append(nil))
	probed := time.Now()
	for {
		message, err := c.read()
		if err != nil {
			return err
		}
		switch wire.KindOf(message) {
		case wire.KindLease:
			lease, err := wire.ParseLease(message)
			if err != nil {
				return err
			}
			result := wire.Result{Lease: lease.Lease, First: lease.First, Spent: 1000}
			var picture donut.Picture
			for i := range uint64(lease.Count) {
				renderer.Render(&picture, lease.First+i)
				if c.spoil != nil {
					c.spoil(&picture, lease.First+i)
				}
				result.Frames = append(result.Frames, make([]byte, wire.PackedSize)...)
				wire.Pack(result.Frames[int(i)*wire.PackedSize:], &picture)
			}
			c.write(result.Append(nil))
		case wire.KindBroadcast:
			m, err := wire.ParseBroadcast(message)
			if err != nil {
				return err
			}
			if _, err := c.decoder.Decode(m.Stream, c.seen); err != nil {
				return err
			}
			if time.Since(probed) >= time.Second {
				probed = time.Now()
				c.write(wire.Probe{Ack: c.decoder.Number()}.Append(nil))
			}
		case wire.KindGoodbye:
			if c.goodbye, err = wire.ParseGoodbye(message); err != nil {
				return err
			}
		case wire.KindReply, wire.KindRevoke:
		default:
			return fmt.Errorf("unexpected %v", wire.KindOf(message))
		}
	}
}

// gathered waits until the stream has its head start, before which a busy machine may miss a frame.
func (p program) gathered(t *testing.T) {
	t.Helper()
	await(t, "the stream has gathered its head start", func() bool { return p.statistic(t, "lead_seconds") > 5 })
}

// A watch checks each frame that a viewer is shown.
type watch struct {
	t        *testing.T
	mu       sync.Mutex
	renderer *donut.Renderer
	frames   int
	missing  int
	last     uint64
}

// counts returns how many frames were shown, and how many were missing.
func (w *watch) counts() (frames, missing int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.frames, w.missing
}

// seen reports whether frame n, or a later one, was shown.
func (w *watch) seen(n uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last >= n
}

func newWatch(t *testing.T, detail int) *watch {
	return &watch{t: t, renderer: donut.NewRenderer(detail)}
}

// compare returns what a tab may call for every frame where none need follow another: it counts those that are shown.
func compare(t *testing.T, shown *atomic.Int64) func(n uint64, p *donut.Picture) {
	renderer := donut.NewRenderer(1)
	return func(n uint64, p *donut.Picture) {
		if p == nil {
			return
		}
		shown.Add(1)
		var want donut.Picture
		if renderer.Render(&want, n); *p != want {
			t.Errorf("frame %d is forged", n)
		}
	}
}

func (w *watch) frame(n uint64, p *donut.Picture) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.frames > 0 && n != w.last+1 {
		w.t.Errorf("frame %d follows frame %d", n, w.last)
	}
	w.frames++
	w.last = n
	var want donut.Picture
	w.renderer.Render(&want, n)
	if p == nil {
		w.missing++
	} else if *p != want {
		w.t.Errorf("frame %d is forged", n)
	}
}
