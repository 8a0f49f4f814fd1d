package ring

import (
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A plant takes a ring through its steady state, a chunk at a time.
type plant struct {
	ring   *Ring
	packed []byte
	result Result
	claim  []byte
	frames []Frame
	runs   []wire.RingRun
	lease  uint64
}

const chunk = 60

// newPlant returns one with a ring of the default length, all of which is ready but for the last chunk.
func newPlant() *plant {
	p := &plant{
		ring: New(timeline.Frames(10 * donut.FPS * timeline.Span(1))), packed: picture(0, 1), result: result(0, chunk, 1, 0),
	}
	for n := range p.ring.End() - chunk {
		p.ring.Supply(n, p.packed)
	}
	return p
}

// turn lends, fills, audits and airs a chunk, and moves on by its length. It reports whether all went well.
func (p *plant) turn() bool {
	r := p.ring
	first, count := r.FreeRun(r.Cursor(), chunk)
	p.lease++
	r.Lease(first, count, 1, 1)
	p.result.Lease, p.result.First = p.lease, first
	kept, _, _ := r.Fill(p.result)
	good := count == chunk && kept == chunk
	var span Span
	for range chunk / 12 {
		span, p.claim = r.Claim(Open, 12, p.claim[:0])
		r.Approve(span)
		good = good && span.Count == 12
	}
	good = good && r.Complete(chunk)
	p.frames = r.Air(chunk, false, p.frames[:0])
	p.runs = r.Picture(p.runs[:0]).Runs
	return r.Advance(r.Playhead()+chunk) == 0 && good
}

func TestSteadyStateAllocatesOnceAResult(t *testing.T) {
	p := newPlant()
	turn := func() {
		if !p.turn() {
			t.Fatal("a turn of the ring went wrong")
		}
	}
	turn() // which gives the buffers their capacity
	if n := testing.AllocsPerRun(100, turn); n != 1 {
		t.Errorf("%v allocations a turn, want 1", n)
	}
}

// BenchmarkFrame is the ring's own cost of one frame from its lease to its broadcast.
func BenchmarkFrame(b *testing.B) {
	p := newPlant()
	p.turn()
	b.ReportAllocs()
	turns := 0
	for b.Loop() {
		if turns++; turns%chunk == 1 && !p.turn() { // so that an iteration is a frame
			b.Fatal("a turn of the ring went wrong")
		}
	}
}

// BenchmarkPurge is the cost of throwing out all that is in a ring of 10 s because of one forged frame.
func BenchmarkPurge(b *testing.B) {
	r := New(timeline.Frames(10 * time.Second))
	all := result(0, r.Size(), 1, 1)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		r.Fill(all)
		b.StartTimer()
		if purged := r.Purge(1, 1); purged != r.Size() {
			b.Fatalf("%d frames are purged, want %d", purged, r.Size())
		}
	}
}
