package orchestrator

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/seeds"
	"github.com/distributed-donut/donut/wasm/wire"
)

// TestRandomFire lets random members do random things to a core. The world checks what airs: in order, whole, once, true
// and audited. Afterwards nothing may be left over, and the same seed must give the same run.
func TestRandomFire(t *testing.T) {
	for seed := range seeds.Count(t, 8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			first, again := fire(t, seed), fire(t, seed)
			if first != again {
				t.Errorf("two runs of one seed differ: %s and %s", first, again)
			}
		})
	}
}

// fire returns a digest of what aired and what was counted in the seed's run.
func fire(t *testing.T, seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, 1))
	w := newWorld(t, nil)
	run := sha256.New()
	var members []*member
	for range 250 {
		switch what := rng.IntN(20); {
		case what < 6 && len(members) < 30:
			members = append(members, w.join(rng.IntN(5), func(m *member) { disposition(rng, m) }))
		case what < 9 && len(members) > 0:
			i := rng.IntN(len(members))
			w.leave(members[i])
			members = append(members[:i], members[i+1:]...)
		case what == 9:
			for _, m := range members {
				w.leave(m)
			}
			members = nil
		case what == 10 && len(members) > 0:
			m := members[rng.IntN(len(members))]
			m.frozen = !m.frozen
		case what == 11:
			w.broken = !w.broken
		case what == 12:
			w.now = w.now.Add(time.Duration(rng.Int64N(int64(20 * time.Second)))) // the loop is held up
		case what == 13:
			w.now = w.now.Add(time.Duration(rng.Int64N(int64(time.Hour))))
			w.core.generation++
			w.core.jump(w.now)
		case what == 14 && len(members) > 0:
			nonsense(rng, members[rng.IntN(len(members))])
		}
		w.run(time.Duration(rng.Int64N(int64(2 * time.Second))))
		fmt.Fprintln(run, w.now, len(w.messages), w.core.counts)
	}

	for _, m := range members {
		w.leave(m)
	}
	w.broken = false
	w.run(time.Minute)
	c := w.core
	if len(c.peers) != 0 || c.fleet.Conns() != 0 || c.fleet.Threads() != 0 || len(c.rescuing) != 0 || c.idle != 2 || c.active() {
		t.Errorf("after everybody left: %d peers, %d connections and %d threads lent to, %d frames being rendered, %d of 2 auditors idle",
			len(c.peers), c.fleet.Conns(), c.fleet.Threads(), len(c.rescuing), c.idle)
	}
	if int(c.counts.Aired)+w.holes() != len(w.shown) || int(c.counts.Stalled) < w.holes() {
		t.Errorf("%d frames were covered, %d of them holes, but %d aired and %d stalled", len(w.shown), w.holes(),
			c.counts.Aired, c.counts.Stalled)
	}

	// And it still works.
	w.join(1, nil)
	stalled := c.counts.Stalled
	w.run(20 * time.Second)
	if c.counts.Stalled != stalled {
		t.Errorf("%d frames stalled in a quiet fleet afterwards", c.counts.Stalled-stalled)
	}
	return fmt.Sprintf("%x", run.Sum(nil))
}

// disposition gives a member a character: fast or slow, near or far, and one in six of them a forger.
func disposition(rng *rand.Rand, m *member) {
	m.addr = netip.AddrFrom4([4]byte{192, 0, 2, byte(rng.IntN(100))})
	m.perFrame = time.Duration(rng.Int64N(int64(time.Millisecond)) << rng.IntN(8))
	m.rtt = time.Duration(rng.Int64N(int64(400 * time.Millisecond)))
	if rng.IntN(6) == 0 {
		one := rng.Uint64N(50) + 1
		m.forge = func(n uint64, packed []byte) {
			if n%one == 0 {
				packed[n%wire.PackedSize] ^= 1
			}
		}
	}
	if rng.IntN(4) == 0 {
		m.answered = func(r wire.Result) { // everything twice
			if _, here := m.w.core.peers[m.number]; here {
				m.w.core.result(m.w.now, m.number, r)
			}
		}
	}
}

// nonsense sends a result that answers nothing.
func nonsense(rng *rand.Rand, m *member) {
	r := wire.Result{Lease: rng.Uint64N(1 << 20), First: rng.Uint64(), Frames: truth(0)}
	switch rng.IntN(3) {
	case 0:
		r.First = m.w.core.ring.Cursor()
	case 1:
		r.First = timeline.Start(0).Frame()
	}
	if _, here := m.w.core.peers[m.number]; here {
		m.send(r)
	}
}
