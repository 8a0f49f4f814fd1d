package orchestrator

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/wire"
)

// ranking is what a board should show: the slow and obvious way.
func ranking(peers map[uint32]*peer) (all []wire.Contributor) {
	for number, p := range peers {
		if p.passes > 0 {
			all = append(all, wire.Contributor{Owner: number, Verified: p.passes})
		}
	}
	slices.SortFunc(all, func(a, b wire.Contributor) int {
		return cmp.Or(cmp.Compare(b.Verified, a.Verified), cmp.Compare(a.Owner, b.Owner))
	})
	return all[:min(len(all), wire.MaxBoard)]
}

// TestBoardIsTheRanking has connections come, pass audits and leave at random, and looks now and then.
func TestBoardIsTheRanking(t *testing.T) {
	for _, crowd := range []uint32{3, wire.MaxBoard, wire.MaxBoard + 1, 40} {
		rng := rand.New(rand.NewPCG(1, uint64(crowd)))
		peers := make(map[uint32]*peer)
		var b board
		for range 20_000 {
			number := 1 + rng.Uint32N(crowd)
			switch p := peers[number]; {
			case p == nil:
				peers[number] = new(peer)
			case rng.IntN(10) == 0:
				delete(peers, number)
				b.leave(number)
			default:
				p.passes += 1 + rng.Uint64N(3)
				b.note(wire.Contributor{Owner: number, Verified: p.passes})
			}
			if rng.IntN(3) > 0 {
				continue
			}
			if got, want := b.ranking(peers), ranking(peers); !slices.Equal(got, want) {
				t.Fatalf("of %d the board shows %v, want %v", crowd, got, want)
			}
			if b.gap {
				t.Fatal("the board looks through all for a place that is taken")
			}
		}
	}
}

// TestOnlyAuditedFramesCount samples the work of members who are trusted; the world compares each board with what they
// passed.
func TestOnlyAuditedFramesCount(t *testing.T) {
	w := costly(t, 3, 100*time.Millisecond)
	for range 10 {
		w.join(1, func(m *member) { m.perFrame = 40 * time.Millisecond })
	}
	w.run(5 * time.Minute)
	verified := uint64(0)
	for _, p := range w.core.peers {
		verified += p.passes
	}
	c := w.core.counts
	if c.Unaudited == 0 || verified == 0 || verified+c.Unaudited > c.Fleet+uint64(w.core.ring.Size()) {
		t.Errorf("%d frames are verified, where %d of %d that the fleet rendered aired unaudited", verified, c.Unaudited, c.Fleet)
	}
}

// TestNoFrameCountsTwice has the server render a frame itself while a copy of it comes, and perhaps is with an auditor.
func TestNoFrameCountsTwice(t *testing.T) {
	for name, underway := range map[string]bool{"waiting": false, "with an auditor": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			m := w.join(0, nil)
			c, n := w.core, w.core.ring.End()-1
			c.ring.Fill(ring.Result{Owner: m.number, Lease: 1, First: n, Packed: truth(n), Must: []bool{true}})
			a := new(audit)
			if underway {
				if a.span, a.packed = c.ring.Claim(ring.Owed, 1, nil); a.span.First != n || a.span.Count != 1 {
					t.Fatalf("claimed %+v, want frame %d", a.span, n)
				}
			}
			c.rescued(w.now, &render{n, 1}, truth(n), nil)
			if underway {
				c.audited(w.now, a, w.renderTime, nil)
			}
			if m.credit != 1 {
				t.Errorf("%d frames are verified, want 1", m.credit)
			}
		})
	}
}

// TestForgerLeavesTheBoard has somebody forge who has the most verified frames.
func TestForgerLeavesTheBoard(t *testing.T) {
	w := newWorld(t, nil)
	honest := true
	forger := w.join(2, func(m *member) {
		m.forge = func(_ uint64, packed []byte) {
			if !honest {
				packed[7] ^= 1
			}
		}
	})
	w.run(20 * time.Second)
	if best := w.core.board.ranking(w.core.peers); len(best) != 1 || best[0].Owner != forger.number || forger.credit < trust.NewcomerPasses {
		t.Fatalf("the board is %v, want connection %d alone", best, forger.number)
	}
	honest = false
	w.run(20 * time.Second)
	if forger.goodbye.Reason != wire.ReasonEvicted || len(w.core.board.ranking(w.core.peers)) != 0 {
		t.Errorf("the forger was told %v, and the board is %v", forger.goodbye.Reason, w.core.board.best)
	}
}

// BenchmarkBoard is a second of the stream with 10,000 who all render: sixty audits of whoever it is, and one board.
func BenchmarkBoard(b *testing.B) {
	const crowd = 10_000
	for name, leaves := range map[string]bool{"all stay": false, "the best one leaves": true} {
		b.Run(name, func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			peers := make(map[uint32]*peer)
			var board board
			pass := func(number uint32) {
				peers[number].passes++
				board.note(wire.Contributor{Owner: number, Verified: peers[number].passes})
			}
			for number := range uint32(crowd) {
				peers[1+number] = &peer{passes: rng.Uint64N(1000)}
				pass(1 + number)
			}
			b.ReportAllocs()
			for b.Loop() {
				for range 60 {
					pass(1 + rng.Uint32N(crowd))
				}
				best := board.ranking(peers)
				if leaves {
					peers[best[0].Owner].passes = 0 // it comes again
					board.leave(best[0].Owner)
				}
			}
		})
	}
}
