package terminal

import (
	"context"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/vt"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A world is a relay that runs in virtual time, and a fleet that airs while it is asked to.
type world struct {
	*Relay
	clock    *timeline.Clock
	reads    atomic.Int64 // of the clock
	attended bool         // owned by the relay's goroutine until that has ended, and else read when all wait
	times    int          // that this changed
	stop     func()
}

// Attend implements Fleet.
func (w *world) Attend(present bool) { w.attended, w.times = present, w.times+1 }

// relayConfig lets so many streams in, all of them from one address or from any.
func relayConfig(clock *timeline.Clock, streams int) Config {
	log := slog.New(slog.DiscardHandler)
	return Config{
		Clock: clock, Log: log, Addresses: gate.NewAddresses(gate.Proxies{netip.MustParsePrefix("127.0.0.1/32")}, log),
		Limits: gate.Limits{Clients: streams, PerAddress: max(1, streams), JoinsPerAddress: gate.MaxJoins},
		Write:  10 * time.Second,
	}
}

// newWorld returns a world, which runs until stop. It is to be called in a bubble of synctest's.
func newWorld(t *testing.T, streams int) *world {
	w := new(world)
	system := timeline.System()
	w.clock = timeline.NewClock(time.Now().Add(-1234*time.Second-567*time.Millisecond), func() timeline.Reading {
		w.reads.Add(1)
		return system()
	})
	w.Relay = New(relayConfig(w.clock, streams))
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx, w) })
	w.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	synctest.Wait()
	return w
}

// frame is the number of the frame on screen.
func (w *world) frame() uint64 {
	now, _ := w.clock.Now()
	return now.Frame()
}

// play airs for so long, two seconds and a half ahead.
func (w *world) play(d time.Duration) {
	var studio studio
	first := w.frame()
	for end := time.Now().Add(d); time.Now().Before(end); <-time.After(timeline.Span(30)) {
		for key := true; first < w.frame()+150; first, key = first+30, false {
			w.Broadcast(studio.broadcast(first, 30, key), codec.Header{})
		}
	}
	synctest.Wait()
}

// A client is a response that is written to a terminal.
type client struct {
	header http.Header
	status int
	ended  chan struct{} // closed when the handler has returned
	hangUp func()

	mu       sync.Mutex
	screen   *vt.Screen
	sent     int           // bytes
	pause    time.Duration // that each flush takes
	deadline time.Time
	err      error // of the screen
}

func (c *client) Header() http.Header    { return c.header }
func (c *client) WriteHeader(status int) { c.status = status }

func (c *client) SetWriteDeadline(at time.Time) error {
	c.deadline = at
	return nil
}

func (c *client) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sent += len(b)
	if _, err := c.screen.Write(b); err != nil && c.err == nil {
		c.err = err
	}
	return len(b), nil
}

func (c *client) FlushError() error {
	if c.pause > 0 && c.sent > 0 {
		<-time.After(min(c.pause, time.Until(c.deadline)))
		if !time.Now().Before(c.deadline) {
			return os.ErrDeadlineExceeded
		}
	}
	return nil
}

// text is what the terminal shows.
func (c *client) text(t *testing.T) string {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		t.Fatal(c.err)
	}
	return c.screen.Text()
}

// curl opens a stream.
func (w *world) curl(t *testing.T, query string, pause time.Duration) *client {
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{
		header: make(http.Header), ended: make(chan struct{}), hangUp: cancel, pause: pause,
		screen: vt.New(donut.Columns, terminalRows),
	}
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/live.ansi"+query, nil)
	go func() {
		defer close(c.ended)
		w.ServeANSI(c, request)
	}()
	synctest.Wait()
	return c
}

// over reports whether the stream has ended.
func (c *client) over() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// TestStreamFollowsTheClock looks at terminals in the middle of each frame.
func TestStreamFollowsTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		defer w.stop()
		clients := map[pace]*client{30: w.curl(t, "", 0), 60: w.curl(t, "?fps=60", 0), 7: w.curl(t, "?fps=7", 0)}
		var airing sync.WaitGroup
		airing.Go(func() { w.play(6 * time.Second) })
		<-time.After(2 * time.Second)
		clients[1] = w.curl(t, "?fps=1", 0)
		for range 240 {
			now, _ := w.clock.Now()
			n := now.Frame() + 1
			<-time.After(timeline.Start(n).Sub(now) + 8*time.Millisecond)
			synctest.Wait()
			for p, c := range clients {
				got := c.text(t)
				if p == 1 && got == textOf(pictureOf(n-n%60), terminalRows) {
					continue
				}
				if want := textOf(pictureOf(shownAt(p, n)), terminalRows); p > 1 && got != want {
					t.Fatalf("at %d a second, in frame %d, the terminal shows\n%s\nwant\n%s", p, n, got, want)
				}
			}
		}
		airing.Wait()
		if c := clients[30]; c.status != 0 || c.header.Get("Content-Type") != "text/plain; charset=utf-8" ||
			c.header.Get("Access-Control-Allow-Origin") != "*" || c.header.Get("Cache-Control") != "no-store" {
			t.Errorf("the answer has status %d and headers %v", c.status, c.header)
		}
	})
}

// TestWhoComesSeesThePictureAtOnce comes between two frames of a slow pace.
func TestWhoComesSeesThePictureAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		defer w.stop()
		w.curl(t, "?fps=60", 0)
		w.play(3*time.Second + 500*time.Millisecond)
		n := w.frame()
		c := w.curl(t, "?fps=1", 0)
		if got := c.text(t); got != textOf(pictureOf(n), terminalRows) {
			t.Errorf("who comes while frame %d is on screen is shown\n%s", n, got)
		}
	})
}

func TestFleetIsAskedWhileSomebodyWatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		defer w.stop()
		expect := func(attended bool, times int) {
			t.Helper()
			synctest.Wait()
			if w.attended != attended || w.times != times {
				t.Fatalf("somebody watches: %v, after %d changes; want %v, %d", w.attended, w.times, attended, times)
			}
		}
		expect(false, 0)
		first, second := w.curl(t, "", 0), w.curl(t, "?fps=3", 0)
		expect(true, 1)
		first.hangUp()
		expect(true, 1)
		second.hangUp()
		expect(false, 2)
		w.curl(t, "", 0)
		expect(true, 3)
	})
}

// TestIdleRelaySleeps finds out by a clock that is not read.
func TestIdleRelaySleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		defer w.stop()
		before := w.reads.Load()
		<-time.After(time.Hour)
		synctest.Wait()
		if reads := w.reads.Load() - before; reads > 0 {
			t.Errorf("with nobody there the clock was read %d times in an hour", reads)
		}
	})
}

// TestRelayIsLazyWhileTabsWatchAlone counts how often the clock is read when frames air and no terminal shows them.
func TestRelayIsLazyWhileTabsWatchAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		defer w.stop()
		before := w.reads.Load()
		const seconds = 20
		w.play(seconds * time.Second)
		if reads := w.reads.Load() - before; reads > 20*seconds {
			t.Errorf("in %d s the clock was read %d times", seconds, reads)
		}
	})
}

func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		defer w.stop()
		slow, stuck := w.curl(t, "", 1300*time.Millisecond), w.curl(t, "", time.Hour)
		w.play(w.cfg.Write + 2*time.Second)
		if !stuck.over() || slow.over() {
			t.Errorf("2 s after its patience the stuck one is over: %v, the slow one: %v", stuck.over(), slow.over())
		}
		if stats := w.Stats(); stats.Slow != 1 || stats.Streams != 1 || stats.Skipped < 5 {
			t.Errorf("the relay counts %+v, want 1 slow, 1 stream and 5 skips at least", stats)
		}
		shown := slow.text(t)
		for n := w.frame(); shown != textOf(pictureOf(n), terminalRows); n-- {
			if n+120 < w.frame() {
				t.Fatalf("the slow one shows none of the last two seconds' frames:\n%s", shown)
			}
		}
	})
}

func TestStreamsAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		defer w.stop()
		first := w.curl(t, "", 0)
		w.curl(t, "?fps=60", 0)
		third := w.curl(t, "", 0)
		retry := third.header.Get("Retry-After")
		seconds, err := strconv.Atoi(retry)
		if !third.over() || third.status != http.StatusServiceUnavailable || err != nil || seconds < 1 {
			t.Errorf("one too many is over: %v, with status %d and Retry-After %q", third.over(), third.status, retry)
		}
		first.hangUp()
		<-first.ended
		if fourth := w.curl(t, "", 0); fourth.over() {
			t.Errorf("who comes when one has left is refused with %d", fourth.status)
		}
		want := Snapshot{Streams: 2, Opened: 3, Refused: map[string]uint64{"full": 1, "address": 0, "rate": 0}}
		if got := w.Stats(); !reflect.DeepEqual(got, want) {
			t.Errorf("the relay counts %+v, want %+v", got, want)
		}
	})
}

// TestAddressesHaveSoManyStreams has a proxy ask for some addresses.
func TestAddressesHaveSoManyStreams(t *testing.T) {
	clock := timeline.NewClock(time.Now(), timeline.System())
	cfg := relayConfig(clock, 10)
	cfg.Limits.PerAddress, cfg.Limits.JoinsPerAddress = 2, 0.3 // three at once
	relay := New(cfg)
	// ask opens a stream that ends when hangUp is called, or is refused with a text.
	ask := func(from string) (hangUp func(), refused string) {
		ctx, cancel := context.WithCancel(t.Context())
		request := httptest.NewRequestWithContext(ctx, "GET", "/live.ansi", nil)
		request.RemoteAddr = "127.0.0.1:4711"
		request.Header.Set(gate.ForwardedFor, from)
		answer := httptest.NewRecorder()
		before := relay.Stats().Opened
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			relay.ServeANSI(answer, request)
		}()
		await(t, "the stream is open or refused", func() bool {
			select {
			case <-ended:
				return true
			default:
				return relay.Stats().Opened > before
			}
		})
		hangUp = func() {
			cancel()
			<-ended
		}
		t.Cleanup(hangUp)
		if relay.Stats().Opened > before {
			return hangUp, ""
		}
		if answer.Code != http.StatusServiceUnavailable || answer.Header().Get("Retry-After") == "" ||
			answer.Header().Get("Connection") != "close" {
			t.Errorf("refused with %d, %v; want 503, when to come back, and the connection's end", answer.Code, answer.Header())
		}
		return hangUp, strings.TrimSpace(answer.Body.String())
	}
	first, _ := ask("192.0.2.1")
	ask("192.0.2.1")
	for _, test := range []struct{ from, want string }{
		{"192.0.2.1", errCrowded.Error()}, {"192.0.2.2", ""}, {"127.0.0.1", ""}, {"127.0.0.1", ""}, {"127.0.0.1", ""},
	} {
		if _, got := ask(test.from); got != test.want {
			t.Errorf("who comes from %s is refused with %q, want %q", test.from, got, test.want)
		}
	}
	first()
	third, got := ask("192.0.2.1")
	if got != "" {
		t.Errorf("who comes when one of its address has left is refused with %q", got)
	}
	third()
	if _, got := ask("192.0.2.1"); got != errCrowded.Error() {
		t.Errorf("who comes a fourth time in a row is refused with %q, want %q", got, errCrowded)
	}
	want := map[string]uint64{"full": 0, "address": 1, "rate": 1}
	if got := relay.Stats().Refused; !maps.Equal(got, want) {
		t.Errorf("refused are %v, want %v", got, want)
	}
}

// TestStreamsEndWithTheRelay also lets nobody in afterwards.
func TestStreamsEndWithTheRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 10)
		playing, slow := w.curl(t, "", 0), w.curl(t, "", time.Second)
		w.play(time.Second)
		began := time.Now()
		w.stop()
		if took := time.Since(began); !playing.over() || !slow.over() || took > time.Second {
			t.Errorf("%v after the end the streams are over: %v, %v", took, playing.over(), slow.over())
		}
		late := w.curl(t, "", 0)
		if !late.over() || late.status != http.StatusServiceUnavailable || late.header.Get("Retry-After") == "" {
			t.Errorf("who comes after the end: over %v, status %d", late.over(), late.status)
		}
	})
}

// TestRelayThatIsHeldUp airs more than it takes in.
func TestRelayThatIsHeldUp(t *testing.T) {
	relay := New(relayConfig(timeline.NewClock(time.Now(), timeline.System()), 0))
	for range 2 * maxQueued {
		relay.Broadcast(nil, codec.Header{})
	}
	if len(relay.queue) != maxQueued {
		t.Errorf("%d broadcasts wait, want %d", len(relay.queue), maxQueued)
	}
}

func TestAnswers(t *testing.T) {
	relay := New(relayConfig(timeline.NewClock(time.Now(), timeline.System()), 0))
	for _, c := range []struct {
		method, url string
		status      int
		body        string
	}{
		{"GET", "/live.ansi?fps=61", 400, `fps: got ["61"], want a whole number from 1 to 60` + "\n"},
		{"GET", "/live.ansi?fps=%1b", 400, `fps: got ["\x1b"], want a whole number from 1 to 60` + "\n"},
		{"HEAD", "/live.ansi", 200, ""},
		{"GET", "/live.ansi", 503, errFull.Error() + "\n"},
	} {
		recorder := httptest.NewRecorder()
		relay.ServeANSI(recorder, httptest.NewRequest(c.method, c.url, nil))
		if recorder.Code != c.status || recorder.Body.String() != c.body {
			t.Errorf("%s %s: %d %q, want %d %q", c.method, c.url, recorder.Code, recorder.Body, c.status, c.body)
		}
		if got := recorder.Header().Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s %s is for the origins %q, want all", c.method, c.url, got)
		}
	}
	want := Snapshot{Refused: map[string]uint64{"full": 1, "address": 0, "rate": 0}}
	if got := relay.Stats(); !reflect.DeepEqual(got, want) {
		t.Errorf("the relay counts %+v, want %+v", got, want)
	}
}
