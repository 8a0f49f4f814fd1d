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
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// raceLead is the ring of a race: 300 chunks, so that who loses one goes on with others for a while, and shows by the next
// answer that it has lost it. A lease that no answer follows is missed after 100 ms, which is the least that it lasts.
const raceLead = 10 * time.Minute

// warmUp is how long a race runs before it counts. Who is new has two seconds for a first chunk, and where that gets lost
// for another one.
const warmUp = 5 * time.Second

// BenchmarkFleet is how many frames a second the server lends, receives, checks for shape and commits when nothing paces
// it, through the real hub and real sockets: with workers that answer at once with frames that they need not render, of
// which a share gets lost.
func BenchmarkFleet(b *testing.B) {
	for _, airs := range []bool{false, true} {
		for _, drop := range []float64{0, 0.25, 0.5} {
			for _, workers := range []int{1, 2, 4, 8} {
				b.Run(fmt.Sprintf("airs=%v/dropped=%v%%/workers=%d", airs, 100*drop, workers), func(b *testing.B) {
					r := race{verifier: approval{}, airs: airs, crowd: slices.Repeat([]racer{{drop: drop}}, workers)}
					b.ReportMetric(r.run(b, b.N), "frames/s")
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// BenchmarkSpeeds is how much of what each worker does alone a fleet does whose workers take their time: all the same, and
// some fifty times as long as others. The rates are measured one after the other; -benchtime says how often.
func BenchmarkSpeeds(b *testing.B) {
	fast := racer{perFrame: 200 * time.Microsecond}
	slow := racer{perFrame: 50 * fast.perFrame}
	for _, slowOnes := range []int{0, 2, 4} {
		b.Run(fmt.Sprintf("fast=4/slow=%d", slowOnes), func(b *testing.B) {
			crowd := append([]racer{fast, fast, fast, fast}, slices.Repeat([]racer{slow}, slowOnes)...)
			var sum, together float64
			for range b.N {
				alone := make(map[racer]float64)
				for _, each := range crowd {
					if _, ok := alone[each]; !ok {
						r := race{verifier: approval{}, crowd: []racer{each}}
						alone[each] = r.run(b, int(2*time.Second/each.perFrame))
					}
					sum += alone[each]
				}
				r := race{verifier: approval{}, crowd: crowd}
				together += r.run(b, int(float64(4*2*time.Second)/float64(fast.perFrame)))
			}
			b.ReportMetric(together/float64(b.N), "frames/s")
			b.ReportMetric(100*together/sum, "%ofthesum")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkAuditedFleet is the same where every frame is audited: the module bounds it, and nothing may collapse.
func BenchmarkAuditedFleet(b *testing.B) {
	bytes, err := moduletest.Module()
	if err != nil {
		b.Fatal(err)
	}
	pool, err := verify.New(b.Context(), bytes, verify.Config{Detail: 1, CacheDir: os.TempDir() + "/donut-test-cache"})
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close(context.Background())
	for _, workers := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			r := race{verifier: shape{verifier{pool}}, budget: orchestrator.MaxAuditBudget, crowd: make([]racer, workers)}
			b.ReportMetric(r.run(b, b.N), "frames/s")
			b.ReportMetric(0, "ns/op")
		})
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

// A race is a fleet and what becomes of its frames. Without a budget only newcomers are audited, and who is trusted soon is
// at the floor.
type race struct {
	verifier orchestrator.Verifier
	budget   float64 // of audits, in cores
	airs     bool    // messages are made and broadcast
	crowd    []racer
}

// A racer is a worker that answers with blank frames.
type racer struct {
	drop     float64       // the share of its answers that gets lost
	perFrame time.Duration // what it takes, by a timer
}

// run has the fleet fill so many frames, and returns how many that is a second.
func (r race) run(b *testing.B, goal int) float64 {
	clock := timeline.NewClock(time.Now().Add(-time.Hour), timeline.System())
	log := slog.New(slog.DiscardHandler)
	limits := gate.Limits{Clients: 100, PerAddress: 100, JoinsPerAddress: gate.MaxJoins}
	h := hub.New(hub.Config{Clock: clock, Log: log, Detail: 1, Lead: raceLead, Limits: limits, SendBuffer: hub.DefaultSendBuffer})
	var frames int
	var start time.Time
	rate := make(chan float64, 1)
	cfg := orchestrator.Config{
		Clock: clock, Verifier: r.verifier, Log: log, Lead: raceLead, Detail: 1, Auditors: max(1, runtime.GOMAXPROCS(0)-1), MaxLease: orchestrator.MaxLease,
		Policy: trust.Policy{Floor: 1e-12}, AuditBudget: r.budget, Random: unforeseeable{},
		Race: func(count int) { // in the loop's goroutine
			switch took := time.Since(start); {
			case took < 0:
			case frames < goal && frames+count >= goal:
				rate <- float64(frames+count) / took.Seconds()
				fallthrough
			default:
				frames += count
			}
		},
	}
	if r.airs {
		cfg.Audience = h
	}
	fleet, err := orchestrator.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var running sync.WaitGroup
	start = time.Now().Add(warmUp)
	running.Go(func() { fleet.Run(ctx) })
	server := httptest.NewServer(http.HandlerFunc(h.Handler(fleet).ServeHTTP))
	for i, each := range r.crowd {
		running.Go(func() {
			if err := each.answer(ctx, server.URL, rand.New(rand.NewPCG(1, uint64(i)))); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
		})
	}
	reached := <-rate
	cancel()
	server.Close()
	closing, stop := context.WithTimeout(context.Background(), 0)
	defer stop()
	h.Close(closing, hub.Returns{PerSecond: 1})
	running.Wait()
	return reached
}

// answer answers leases until ctx is done.
func (r racer) answer(ctx context.Context, url string, rng *rand.Rand) error {
	socket, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		return err
	}
	defer socket.CloseNow()
	socket.SetReadLimit(1 << 20)
	hello := wire.Hello{Threads: 1, Codec: codec.Version}
	if err := socket.Write(ctx, websocket.MessageBinary, hello.Append(nil)); err != nil {
		return err
	}
	leases := make(chan wire.Lease, 100)
	var revoked sync.Map // their numbers
	var rendering sync.WaitGroup
	defer rendering.Wait()
	defer close(leases)
	rendering.Go(func() {
		blank := make([]byte, wire.MaxChunk*wire.PackedSize)
		var result []byte
		for l := range leases {
			if r.perFrame > 0 && !r.take(ctx, l, &revoked) || rng.Float64() < r.drop {
				continue
			}
			m := wire.Result{
				Lease: l.Lease, First: l.First, Spent: max(10, uint32(time.Duration(l.Count)*r.perFrame/time.Microsecond)),
				Frames: blank[:int(l.Count)*wire.PackedSize],
			}
			result = m.Append(result[:0])
			socket.Write(ctx, websocket.MessageBinary, result) // an error shows in the next read
		}
	})
	probed := time.Now()
	for {
		_, message, err := socket.Read(ctx)
		if err != nil {
			return err
		}
		if time.Since(probed) > time.Second {
			probed = time.Now()
			socket.Write(ctx, websocket.MessageBinary, wire.Probe{}.Append(nil))
		}
		switch wire.KindOf(message) {
		case wire.KindLease:
			lease, err := wire.ParseLease(message)
			if err != nil {
				return err
			}
			leases <- lease
		case wire.KindRevoke:
			revoke, err := wire.ParseRevoke(message)
			if err != nil {
				return err
			}
			revoked.Store(revoke.Lease, true)
		}
	}
}

// take takes the time for a lease, and reports whether it was not revoked meanwhile.
func (r racer) take(ctx context.Context, l wire.Lease, revoked *sync.Map) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Duration(l.Count) * r.perFrame); time.Now().Before(end); {
		if _, ok := revoked.LoadAndDelete(l.Lease); ok {
			return false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}
