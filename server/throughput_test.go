package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// BenchmarkFleet is how many frames a second the server lends, receives, checks for shape, audits and commits when
// nothing paces it, through the real hub and real sockets: with workers that answer at once with frames that they need
// not render, of which a share gets lost. A lease that is lost is missed after 100 ms at the earliest.
func BenchmarkFleet(b *testing.B) {
	for _, airs := range []bool{false, true} {
		for _, drop := range []float64{0, 0.25, 0.5} {
			for _, workers := range []int{1, 2, 4, 8} {
				b.Run(fmt.Sprintf("airs=%v/dropped=%v%%/workers=%d", airs, 100*drop, workers), func(b *testing.B) {
					race(b, approval{}, 0, workers, drop, airs)
				})
			}
		}
	}
}

// BenchmarkAuditedFleet is the same where every frame is audited: the module bounds it, and nothing may collapse.
func BenchmarkAuditedFleet(b *testing.B) {
	bytes, err := module()
	if err != nil {
		b.Fatal(err)
	}
	pool, err := verify.New(b.Context(), bytes, verify.Config{Detail: 1, CacheDir: os.TempDir() + "/donut-test-cache"})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close(context.Background())
	for _, workers := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) { race(b, shape{verifier{pool}}, orchestrator.MaxAuditBudget, workers, 0, false) })
	}
}

// approval audits nothing.
type approval struct{}

func (approval) Render(_ context.Context, _ uint64, count int) ([]byte, error) {
	return make([]byte, count*wire.PackedSize), nil
}

func (approval) Check(context.Context, uint64, []byte) (time.Duration, error) { return 0, nil }

// shape audits as the server does, and takes no offence: who answers without rendering is always wrong.
type shape struct{ verifier }

func (s shape) Check(ctx context.Context, first uint64, packed []byte) (time.Duration, error) {
	spent, _ := s.verifier.Check(ctx, first, packed)
	return spent, nil
}

// race has a fleet fill b.N frames, and reports how many that is a second. Without a budget, only newcomers are audited,
// and who is trusted soon is at the floor.
func race(b *testing.B, v orchestrator.Verifier, budget float64, workers int, drop float64, airs bool) {
	clock := timeline.NewClock(time.Now().Add(-time.Hour), timeline.System())
	log := slog.New(slog.DiscardHandler)
	limits := gate.Limits{Clients: 100, PerAddress: 100, JoinsPerAddress: gate.MaxJoins}
	h := hub.New(hub.Config{Clock: clock, Log: log, Detail: 1, Lead: 10 * time.Second, Limits: limits})
	var frames atomic.Int64
	goal, reached := int64(b.N), make(chan struct{})
	cfg := orchestrator.Config{
		Clock: clock, Verifier: v, Log: log, Lead: 10 * time.Second, Detail: 1, Auditors: max(1, runtime.GOMAXPROCS(0)-1),
		Policy: trust.Policy{Floor: 1e-12}, AuditBudget: budget, Random: unforeseeable{},
		Race: func(count int) {
			if n := frames.Add(int64(count)); n >= goal && n-int64(count) < goal {
				close(reached)
			}
		},
	}
	if airs {
		cfg.Audience = h
	}
	fleet, err := orchestrator.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	running.Go(func() { fleet.Run(ctx) })
	server := httptest.NewServer(http.HandlerFunc(h.Handler(fleet).ServeHTTP))
	b.ResetTimer()
	start := time.Now()
	for i := range workers {
		running.Go(func() { answer(ctx, b, server.URL, rand.New(rand.NewPCG(1, uint64(i))), drop) })
	}
	<-reached
	b.ReportMetric(float64(frames.Load())/time.Since(start).Seconds(), "frames/s")
	b.ReportMetric(0, "ns/op")
	b.StopTimer()
	cancel()
	server.Close()
	closing, stop := context.WithTimeout(context.Background(), 0)
	defer stop()
	h.Close(closing, 0)
	running.Wait()
}

// answer plays a worker that answers each lease with blank frames, or not at all.
func answer(ctx context.Context, b *testing.B, url string, rng *rand.Rand, drop float64) {
	socket, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		if ctx.Err() == nil {
			b.Error(err)
		}
		return
	}
	defer socket.CloseNow()
	socket.SetReadLimit(1 << 20)
	hello := wire.Hello{Threads: 1, Codec: codec.Version}
	if err := socket.Write(ctx, websocket.MessageBinary, hello.Append(nil)); err != nil {
		b.Error(err)
		return
	}
	blank := make([]byte, wire.MaxChunk*wire.PackedSize)
	var result []byte
	for {
		_, message, err := socket.Read(ctx)
		if err != nil {
			return // the race is over
		}
		if wire.KindOf(message) != wire.KindLease {
			continue
		}
		lease, err := wire.ParseLease(message)
		if err != nil {
			b.Error(err)
			return
		}
		if rng.Float64() < drop {
			continue
		}
		m := wire.Result{Lease: lease.Lease, First: lease.First, Spent: 10, Frames: blank[:int(lease.Count)*wire.PackedSize]}
		result = m.Append(result[:0])
		if socket.Write(ctx, websocket.MessageBinary, result) != nil {
			return
		}
	}
}
