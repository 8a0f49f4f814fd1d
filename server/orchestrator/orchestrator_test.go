package orchestrator

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// truthful is a verifier of this package's world that takes no time.
type truthful struct{}

func (truthful) Render(_ context.Context, first uint64, count int) (packed []byte, err error) {
	for n := first; n < first+uint64(count); n++ {
		packed = append(packed, truth(n)...)
	}
	return packed, nil
}

func (truthful) Check(context.Context, uint64, []byte) (time.Duration, error) { return 0, nil }

// recorder is an audience and a peer that notes what it gets, and that renders what it is lent in no time.
type recorder struct {
	fleet    *Orchestrator
	mu       sync.Mutex
	aired    []codec.Header
	leases   []wire.Lease
	welcomed int
}

func (r *recorder) Broadcast(_ []byte, h codec.Header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.aired = append(r.aired, h)
}

func (r *recorder) Welcome(int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.welcomed++
}

func (r *recorder) Lend(lease wire.Lease) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leases = append(r.leases, lease)
	go func() {
		packed, _ := truthful{}.Render(context.Background(), lease.First, int(lease.Count))
		r.fleet.Result(1, wire.Result{Lease: lease.Lease, First: lease.First, Spent: 1000, Frames: packed})
	}()
}

func (r *recorder) Credit(uint64) {}

func (r *recorder) Send([]byte) {}

func (r *recorder) Dismiss(wire.Goodbye) {}

// running starts an orchestrator on a clock of the bubble's, until the end of the test.
func running(t *testing.T, r *recorder) *Orchestrator {
	t.Helper()
	o, err := New(Config{
		Clock: timeline.NewClock(time.Now().Add(-time.Hour), timeline.System()), Audience: r, Verifier: truthful{},
		Log: slog.New(slog.DiscardHandler), Lead: 10 * time.Second, Detail: 1, Auditors: 2, MaxLease: MaxLease,
		Policy: trust.Policy{Floor: 0.05}, AuditBudget: 0.1, Random: rand.NewPCG(1, 2),
	})
	if err != nil {
		t.Fatal(err)
	}
	r.fleet = o
	ctx, cancel := context.WithCancel(context.Background())
	go o.Run(ctx)
	t.Cleanup(func() {
		cancel()
		<-o.stopped
	})
	return o
}

// pass lets time pass in a bubble, where it takes none, until nobody has anything left to do.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func TestLoopAirsWhatItsPeersSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		o := running(t, r)
		o.Join(1, r, netip.MustParseAddr("192.0.2.1"), 1)
		pass(30 * time.Second)
		if r.welcomed != 1 || len(r.leases) == 0 {
			t.Fatalf("%d welcomes and %d leases, want 1 and some", r.welcomed, len(r.leases))
		}
		if got := o.Snapshot(); got.Stalled != 0 || got.Aired < 30*60 || got.Fleet < got.Aired*95/100 {
			t.Errorf("after 30 s: %+v", got)
		}
		o.Leave(1)
		pass(2 * time.Second)
		aired := len(r.aired)
		pass(time.Minute)
		if got := o.Snapshot(); got.Viewers != 0 || len(r.aired) != aired {
			t.Errorf("a minute after everybody left: %d viewers, %d messages more", got.Viewers, len(r.aired)-aired)
		}
	})
}

func TestStoppedLoopBlocksNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := new(recorder)
		o := running(t, r)
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		other, err := New(o.cfg)
		if err != nil {
			t.Fatal(err)
		}
		other.Run(ctx)
		for range 1000 { // more than the loop's queue holds
			other.Leave(1)
		}
	})
}

func TestConfigIsValidated(t *testing.T) {
	good := Config{
		Clock: timeline.NewClock(time.Now(), timeline.System()), Audience: new(recorder), Verifier: truthful{},
		Log: slog.New(slog.DiscardHandler), Lead: 10 * time.Second, Detail: 1, Auditors: 1, MaxLease: MaxLease,
		Policy: trust.Policy{Floor: 1}, AuditBudget: 0, Random: rand.NewPCG(1, 2),
	}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Config){
		"no clock":    func(c *Config) { c.Clock = nil },
		"short lead":  func(c *Config) { c.Lead = time.Second },
		"long lead":   func(c *Config) { c.Lead = time.Hour },
		"no detail":   func(c *Config) { c.Detail = 0 },
		"no auditors": func(c *Config) { c.Auditors = 0 },
		"no leases":   func(c *Config) { c.MaxLease = MinLease - 1 },
		"long leases": func(c *Config) { c.MaxLease = MaxLease + 1 },
		"no floor":    func(c *Config) { c.Policy.Floor = 0 },
		"high floor":  func(c *Config) { c.Policy.Floor = 1.01 },
		"no number":   func(c *Config) { c.Policy.Floor = math.NaN() },
		"less budget": func(c *Config) { c.AuditBudget = -1 },
		"endless":     func(c *Config) { c.AuditBudget = math.Inf(1) },
		"no chance":   func(c *Config) { c.Random = nil },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestAnswerSaysWhetherTheLoopRuns asks before, while and after it does.
func TestAnswerSaysWhetherTheLoopRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, err := New(Config{
			Clock: timeline.NewClock(time.Now(), timeline.System()), Audience: new(recorder), Verifier: truthful{},
			Log: slog.New(slog.DiscardHandler), Lead: MinLead, Detail: 1, Auditors: 1, MaxLease: MaxLease, Policy: trust.Policy{Floor: 1},
			Random: rand.NewPCG(1, 1),
		})
		if err != nil {
			t.Fatal(err)
		}
		answer := func() error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return o.Answer(ctx)
		}
		if err := answer(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before the loop runs: %v, want that it takes too long", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { o.Run(ctx) })
		if err := answer(); err != nil {
			t.Errorf("while the loop runs: %v", err)
		}
		cancel()
		running.Wait()
		for range cap(o.events) + 1 { // which nobody reads any more
			if err := answer(); !errors.Is(err, ErrStopped) {
				t.Fatalf("after the loop: %v, want %v", err, ErrStopped)
			}
		}
	})
}
