package cluster

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/distributed-donut/donut/server/cluster/natstest"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/wire"
)

// patience is how long something may take that has no promise of its own.
const patience = 20 * time.Second

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// foreign is one call of Foreign.
type foreign struct {
	member uint32
	first  uint64
	packed []byte
}

// A station is the rest of a server, with a ring that holds what a test puts there.
type station struct {
	*Cluster
	came chan foreign
	stop func() // ends Run and waits for it

	mu     sync.Mutex
	report Report
	ring   map[uint64][]byte // by first frame, whole runs
}

func (s *station) Foreign(member uint32, first uint64, packed []byte) {
	select {
	case s.came <- foreign{member, first, packed}:
	default: // a test that reads none wants none
	}
}

func (s *station) Frames(first uint64, count int, answer func(first uint64, packed []byte)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if run, ok := s.ring[first]; ok {
		answer(first, run[:min(len(run), count*wire.PackedSize)])
	}
}

func (s *station) Report() Report {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.report
}

func (s *station) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// now is the station's own.
func (s *station) now() timeline.Instant {
	now, _ := s.config.Clock.Now()
	return now
}

// run starts a server. Its wall clock is off by as much as it is told.
func run(t *testing.T, url string, off time.Duration, change func(*Config)) *station {
	t.Helper()
	read := timeline.System()
	clock := timeline.NewClock(epoch, func() timeline.Reading {
		r := read()
		r.Wall = r.Wall.Add(off)
		return r
	})
	config := Config{URL: url, Name: t.Name(), Detail: 1, Clock: clock, Log: slog.New(slog.DiscardHandler)}
	if len(config.Name) > maxName {
		config.Name = config.Name[:maxName]
	}
	if change != nil {
		change(&config)
	}
	c, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	s := &station{Cluster: c, came: make(chan foreign, 1024), ring: make(map[uint64][]byte)}
	s.report = Report{Capacity: 60, Viewers: 1}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx, s) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run did not end")
		}
	})
	t.Cleanup(s.stop)
	return s
}

// until waits for something to come true, and returns how long that took.
func until(t *testing.T, what string, true func() bool) time.Duration {
	t.Helper()
	begun := time.Now()
	for !true() {
		if time.Since(begun) > patience {
			t.Fatalf("after %v it is not so that %s", patience, what)
		}
		runtime.Gosched()
	}
	return time.Since(begun)
}

// sees says whether a server has n others that are alive, and is in itself.
func (s *station) sees(n int) bool {
	v, alive := s.View(), 0
	for _, m := range v.Members {
		if m.State == Alive && m.Measured {
			alive++
		}
	}
	return alive == n && !v.Out
}

// number returns the number that a server has given to another.
func (s *station) number(t *testing.T, other *station) uint32 {
	t.Helper()
	for _, m := range s.View().Members {
		if m.Identity == other.config.Identity {
			return m.Number
		}
	}
	t.Fatal("a server is not known")
	return 0
}

func whole(t *testing.T, all ...*station) time.Duration {
	t.Helper()
	return until(t, "the fleet is whole", func() bool {
		for _, s := range all {
			if !s.sees(len(all) - 1) {
				return false
			}
		}
		return true
	})
}

// next returns what comes next.
func (s *station) next(t *testing.T) foreign {
	t.Helper()
	select {
	case f := <-s.came:
		return f
	case <-time.After(patience):
		t.Fatal("no frames came")
		return foreign{}
	}
}

func TestThreeServersShareTheirWork(t *testing.T) {
	nats := natstest.Start(t)
	a, b, c := run(t, nats.URL(), 0, nil), run(t, nats.URL(), 0, nil), run(t, nats.URL(), 0, nil)
	whole(t, a, b, c)
	if sum := a.View().Sum; sum.Capacity != 120 || sum.Viewers != 2 {
		t.Errorf("the others add up to %+v", sum)
	}

	// A frame for all, once.
	packed := moduletest.Native(1, 60, timeline.ChunkFrames)
	a.Publish(60, packed)
	for _, s := range []*station{b, c} {
		if got := s.next(t); got.member != s.number(t, a) || got.first != 60 || !bytes.Equal(got.packed, packed) {
			t.Errorf("%d bytes from frame %d on came from %d", len(got.packed), got.first, got.member)
		}
	}

	// Everybody says the same of a chunk, in numbers of its own.
	until(t, "all servers agree on a hundred chunks", func() bool {
		for chunk := range uint64(100) {
			owner := make(map[uint64]bool)
			for _, s := range []*station{a, b, c} {
				s.Cluster.mu.Lock()
				owner[s.members.winner(t, s.now(), chunk)] = true
				s.Cluster.mu.Unlock()
			}
			if len(owner) != 1 {
				return false
			}
		}
		return true
	})

	// What one misses another has.
	b.set(func() { b.ring[90] = moduletest.Native(1, 90, 7) })
	a.Fetch(90, 20)
	if got := a.next(t); got.member != a.number(t, b) || got.first != 90 || !bytes.Equal(got.packed, moduletest.Native(1, 90, 7)) {
		t.Errorf("%d bytes from frame %d on were fetched from %d", len(got.packed), got.first, got.member)
	}

	if strangers := a.View().Counters.Strangers; strangers != 0 {
		t.Errorf("a server heard %d messages of its own", strangers)
	}

	// Who leaves says so; who is cut off is not heard.
	c.stop()
	until(t, "a server that left is gone", func() bool { return a.sees(1) && b.sees(1) })
	a.Cluster.mu.Lock()
	if !a.members.find(c.config.Identity).said.leaving {
		t.Error("it did not say that it leaves")
	}
	a.Cluster.mu.Unlock()
	forger := a.number(t, b)
	a.Cut(forger, "frame 7 is forged")
	b.Publish(120, packed)
	until(t, "the forger's frames are thrown away", func() bool { return a.View().Counters.Strangers > 0 })
	if a.Alive(a.now(), forger) || a.Owner(a.now(), 3) != 0 || len(a.came) != 0 {
		t.Error("a server that was cut off still takes part")
	}
	if v := a.View(); v.Counters.ChunksPublished != 1 || v.Counters.ChunksFetched != 1 || v.Counters.Fetches != 1 ||
		b.View().Counters.ChunksReceived != 1 || b.View().Counters.ChunksAnswered != 1 {
		t.Errorf("counted: %+v", v.Counters)
	}
}

// TestSilenceIsNoticed cuts a server's line without a word.
func TestSilenceIsNoticed(t *testing.T) {
	nats := natstest.Start(t)
	proxy := natstest.StartProxy(t, nats)
	a, b := run(t, nats.URL(), 0, nil), run(t, proxy.URL(), 0, nil)
	whole(t, a, b)
	number := a.number(t, b)
	proxy.Swallow(true)
	until(t, "both are alone", func() bool { return a.sees(0) && b.sees(0) })
	if a.Alive(a.now(), number) || a.Owner(a.now(), 1) != 0 || b.Owner(b.now(), 1) != 0 {
		t.Error("who is alone does not own all")
	}
	until(t, "the line is given up", func() bool { return !b.View().Connected })
	b.Publish(0, moduletest.Native(1, 0, 1))
	until(t, "frames are dropped without a connection", func() bool { return b.View().Counters.Dropped == 1 })
	proxy.Swallow(false)
	t.Logf("whole %v after the proxy healed", whole(t, a, b))
	if got := a.number(t, b); got != number {
		t.Errorf("the same server came back as %d, was %d", got, number)
	}
}

func TestNATSMayComeAndGo(t *testing.T) {
	nats := natstest.Start(t)
	nats.Stop()
	a, b := run(t, nats.URL(), 0, nil), run(t, nats.URL(), 0, nil)
	until(t, "both are alone", func() bool { return a.sees(0) && b.sees(0) && !a.View().Connected })
	for range 2 {
		nats.Restart(t)
		t.Logf("whole %v after NATS was there", whole(t, a, b))
		nats.Stop()
		until(t, "both are alone", func() bool { return a.sees(0) && b.sees(0) && !a.View().Connected })
	}
	if a.View().Counters.Reconnects == 0 {
		t.Error("no reconnect was counted")
	}
}

// TestFleetsDoNotMix runs two editions on one NATS.
func TestFleetsDoNotMix(t *testing.T) {
	nats := natstest.Start(t)
	edition := func(n byte) func(*Config) { return func(c *Config) { c.Digest = wire.Digest{n} } }
	a, b := run(t, nats.URL(), 0, edition(1)), run(t, nats.URL(), 0, edition(1))
	c, d := run(t, nats.URL(), 0, edition(2)), run(t, nats.URL(), 0, edition(2))
	finer := run(t, nats.URL(), 0, func(c *Config) { edition(1)(c); c.Detail = 2 })
	all := []*station{a, b, c, d, finer}
	until(t, "all know all", func() bool {
		for _, s := range all {
			if len(s.View().Members) != len(all)-1 {
				return false
			}
		}
		return a.sees(1) && b.sees(1) && c.sees(1) && d.sees(1) && finer.sees(0)
	})
	states := make(map[State]int)
	for _, m := range a.View().Members {
		states[m.State]++
	}
	if states[Alive] != 1 || states[OtherModule] != 2 || states[OtherTimeline] != 1 {
		t.Errorf("the others are %v", states)
	}
	if sum := a.View().Sum; sum.Viewers != 1 || sum.Capacity != 60 {
		t.Errorf("the own fleet's other adds up to %+v", sum)
	}

	// What NATS has taken of one fleet would come to the others before what is published after it.
	for _, first := range []uint64{30, 60} {
		for _, s := range []*station{a, c, finer} {
			published := s.View().Counters.ChunksPublished
			s.Publish(first, moduletest.Native(1, first, 2))
			until(t, "it is published", func() bool { return s.View().Counters.ChunksPublished == published+1 })
			if err := s.line.conn.FlushTimeout(patience); err != nil {
				t.Fatal(err)
			}
		}
		if b.next(t).first != first || d.next(t).first != first {
			t.Errorf("something else came than the own fleet's frame %d", first)
		}
	}
	for _, s := range all {
		if len(s.came) != 0 || s.View().Counters.Strangers != 0 {
			t.Error("frames came from another fleet")
		}
	}
}

// TestClockThatIsOffStaysOut has a third server whose clock is two seconds ahead.
func TestClockThatIsOffStaysOut(t *testing.T) {
	nats := natstest.Start(t)
	a, b := run(t, nats.URL(), 0, nil), run(t, nats.URL(), 300*time.Millisecond, nil)
	c := run(t, nats.URL(), 2*time.Second, nil)
	until(t, "two are a fleet and the third is out", func() bool {
		v := c.View()
		return a.sees(1) && b.sees(1) && v.ClockOff && len(v.Members) == 2
	})
	for chunk := range uint64(50) {
		if c.Owner(c.now(), chunk) != 0 {
			t.Fatalf("who stays out leaves chunk %d to somebody", chunk)
		}
	}
	c.Publish(0, moduletest.Native(1, 0, 1))
	c.Fetch(0, 1)
	until(t, "it publishes nothing and asks for nothing", func() bool { return c.View().Counters.Dropped == 2 })
	a.Publish(0, moduletest.Native(1, 0, 1))
	b.next(t)
	until(t, "it takes nothing", func() bool { return c.View().Counters.Strangers == 1 })
	until(t, "it knows how far it is from the nearer of the two", func() bool {
		return (c.View().Ahead - 1700*time.Millisecond).Abs() < 100*time.Millisecond
	})
	// The median of the three wall clocks is the second's.
	until(t, "the first two are led to the median", func() bool {
		const near = 50 * time.Millisecond
		return (a.View().Steered-300*time.Millisecond).Abs() < near && b.View().Steered.Abs() < near
	})
	if ahead := a.config.Clock.Compare().Ahead; ahead < 4*time.Millisecond {
		t.Errorf("its clock is led by %v, want half a percent of a second to begin with", ahead)
	}
	if c.View().Steered != 0 {
		t.Errorf("who stays out is steered by %v", c.View().Steered)
	}
}

// TestGarbageIsCounted publishes what no server of ours would.
func TestGarbageIsCounted(t *testing.T) {
	server := natstest.Start(t)
	a, b := run(t, server.URL(), 0, nil), run(t, server.URL(), 0, nil)
	whole(t, a, b)
	stranger, err := nats.Connect(server.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.Close()
	rng := rand.New(rand.NewPCG(1, 1))
	const each = 20
	var p packer
	unknown, err := p.append(nil, 12345, 0, moduletest.Native(1, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	torn, err := p.append(nil, b.config.Identity, 0, moduletest.Native(1, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	torn[len(torn)-1] ^= 1
	id := a.config.Identity
	for range each {
		noise := make([]byte, rng.IntN(200))
		for i := range noise {
			noise[i] = byte(rng.Uint64())
		}
		if len(noise) > 0 {
			noise[0] |= 0x80 // no kind
		}
		for _, subject := range []string{a.names.announce, a.names.fetch, of(a.names.probe, id), of(a.names.reply, id)} {
			if err := stranger.Publish(subject, noise); err != nil {
				t.Fatal(err)
			}
		}
		for subject, message := range map[string][]byte{
			a.names.frames:         torn,
			of(a.names.frames, id): unknown,
			of(a.names.reply, id):  reply{from: b.config.Identity, name: math.MaxInt64}.append(nil),
			of(a.names.probe, id):  probe{from: 12345}.append(nil),
		} {
			if err := stranger.Publish(subject, message); err != nil {
				t.Fatal(err)
			}
		}
	}
	until(t, "all of it was counted", func() bool {
		v := a.View().Counters
		return v.Malformed == Malformed{each, each, each, each, each} && v.Strangers == each
	})
	if !a.sees(1) || len(a.came) != 0 {
		t.Error("garbage did harm")
	}
	a.Publish(0, moduletest.Native(1, 0, 1))
	b.next(t)
}

// TestWeightsTravel has one server announce that it has no tabs: the other one owns everything.
func TestWeightsTravel(t *testing.T) {
	nats := natstest.Start(t)
	a, b := run(t, nats.URL(), 0, nil), run(t, nats.URL(), 0, nil)
	b.set(func() { b.report.Capacity = math.NaN() })
	whole(t, a, b)
	until(t, "all chunks are of the server that has tabs", func() bool {
		for chunk := range uint64(50) {
			if a.Owner(a.now(), chunk) != 0 || b.Owner(b.now(), chunk) != b.number(t, a) {
				return false
			}
		}
		return true
	})
}

func TestNewRefuses(t *testing.T) {
	good := Config{URL: "nats://127.0.0.1", Name: "a", Detail: 1, Log: slog.New(slog.DiscardHandler)}
	good.Clock = timeline.NewClock(epoch, timeline.System())
	if c, err := New(good); err != nil || c.config.Identity == 0 {
		t.Fatalf("a good configuration is refused, or gets no identity: %v", err)
	}
	for name, change := range map[string]func(*Config){
		"no URL":          func(c *Config) { c.URL = "" },
		"detail 0":        func(c *Config) { c.Detail = 0 },
		"too fine":        func(c *Config) { c.Detail = 33 },
		"a name of lines": func(c *Config) { c.Name = "a\nb" },
		"no credentials":  func(c *Config) { c.Credentials = "/nonexistent" },
		"no authorities":  func(c *Config) { c.CA = "/nonexistent" },
	} {
		bad := good
		change(&bad)
		if _, err := New(bad); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
	bad := good
	bad.URL = "nats://127.0.0.1:port"
	c, err := New(bad)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context(), nil); err == nil {
		t.Error("a URL that is none is tried for ever")
	}
}

func TestOutboxMakesWay(t *testing.T) {
	var b outbox[int]
	b.init()
	if _, ok := b.take(); ok {
		t.Error("there is something in an empty outbox")
	}
	for i := range outboxSize + 3 {
		b.put(i)
	}
	for i := range outboxSize {
		if v, ok := b.take(); !ok || v != i+3 {
			t.Fatalf("got %d, %v; want %d", v, ok, i+3)
		}
	}
	if _, ok := b.take(); ok || b.drops() != 3 || len(b.ready) != 1 {
		t.Errorf("%d dropped, want 3", b.drops())
	}
}
