package orchestrator

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/wire"
)

// costly makes a world in which an audit takes far more than there is time for.
func costly(t *testing.T, auditors int, renderTime time.Duration) *world {
	w := newWorld(t, func(c *Config) { c.Detail, c.Auditors = 16, auditors })
	w.renderTime, w.sampling = renderTime, true
	return w
}

// TestSamplingTakesOver has frames that cost too much to audit them all: newcomers are audited whole, and the others at
// the rates of their tiers.
func TestSamplingTakesOver(t *testing.T) {
	w := costly(t, 3, 100*time.Millisecond)
	for range 10 {
		w.join(1, func(m *member) { m.perFrame = 40 * time.Millisecond })
	}
	for w.core.fleet.Trusted() == 0 { // till then nothing airs on trust
		w.run(tickPeriod)
		if w.core.counts.Unaudited != 0 {
			t.Fatalf("%d frames of newcomers aired unaudited", w.core.counts.Unaudited)
		}
	}
	w.run(5 * time.Minute)
	before := w.core.counts
	w.run(time.Minute)
	c := w.core.counts
	if w.core.fleet.Trusted() != 10 {
		t.Fatalf("%d of 10 members are trusted after 6 minutes", w.core.fleet.Trusted())
	}
	aired, unaudited := float64(c.Aired-before.Aired), float64(c.Unaudited-before.Unaudited)
	if c.Stalled != before.Stalled || aired < 3500 {
		t.Errorf("%v frames aired in a minute and %d stalled", aired, c.Stalled-before.Stalled)
	}
	if share := 1 - unaudited/aired; share < 0.05 || share > 0.35 {
		t.Errorf("%.2f of the frames that aired were audited, want about the rate of the members' tiers", share)
	}
	if cores := (c.auditTime - before.auditTime).Minutes(); cores > 2 {
		t.Errorf("audits took %.2f cores", cores)
	}
	if c.Forged != 0 || c.Evictions != 0 {
		t.Errorf("%d forged frames and %d evictions of an honest fleet", c.Forged, c.Evictions)
	}
}

// TestEverythingIsAuditedWithinTheBudget is the default: nothing airs on trust. The world sees to that.
func TestEverythingIsAuditedWithinTheBudget(t *testing.T) {
	w := newWorld(t, nil)
	for range 5 {
		w.join(2, nil)
	}
	w.run(2 * time.Minute)
	w.noStall()
	if c := w.core.counts; c.Audited < c.Fleet {
		t.Errorf("%d frames of the fleet aired, and %d were audited", c.Fleet, c.Audited)
	}
}

// TestSleeperIsFoundAtTheFloor has a trusted member forge one frame in four of a chunk once sampling has taken over.
func TestSleeperIsFoundAtTheFloor(t *testing.T) {
	w := costly(t, 3, 100*time.Millisecond)
	asleep := true
	var sleeper *member
	for i := range 6 {
		m := w.join(1, func(m *member) {
			m.perFrame = 40 * time.Millisecond
			if i == 0 {
				m.forge = func(n uint64, packed []byte) {
					if !asleep && n%4 == 0 {
						packed[7] ^= 1
					}
				}
			}
		})
		if i == 0 {
			sleeper = m
		}
	}
	w.forgeryAirs = true // a forged frame may air before the first that is drawn; the rest of it never
	w.run(3 * time.Minute)
	if w.core.peers[sleeper.number].passes < trust.NewcomerPasses {
		t.Fatal("the sleeper is no trusted member yet")
	}
	asleep = false
	w.run(time.Minute)
	if sleeper.goodbye.Reason != wire.ReasonEvicted || w.core.counts.Evictions != 1 {
		t.Errorf("the sleeper was told %+v, %d evictions", sleeper.goodbye, w.core.counts.Evictions)
	}
	if w.forged > 60 {
		t.Errorf("%d forged frames aired before the sleeper was found", w.forged)
	}
}

// TestSecondCopyThatDiffersIsAudited has a member send a result again, with another cell.
func TestSecondCopyThatDiffersIsAudited(t *testing.T) {
	w := newWorld(t, nil)
	w.join(1, nil)
	w.run(20 * time.Second)
	liar := w.join(1, func(m *member) {
		m.addr = netip.MustParseAddr("198.51.100.7")
		m.answered = func(r wire.Result) {
			m.answered = nil
			m.send(r)
			r.Frames = bytes.Clone(r.Frames)
			r.Frames[len(r.Frames)-1] ^= 1
			w.after(100*time.Millisecond, func() { m.send(r) }) // its first copy is audited by then
		}
	})
	w.run(5 * time.Second)
	w.noStall()
	if c := w.core.counts; c.disputed == 0 || c.Evictions != 1 || liar.goodbye.Reason != wire.ReasonEvicted {
		t.Errorf("%d disputed frames, %d evictions, the liar was told %+v", c.disputed, c.Evictions, liar.goodbye)
	}
}

// TestFrameThatAiredOnTrustIsHeldAgainstALateCopy has an honest late result convict who was believed.
func TestFrameThatAiredOnTrustIsHeldAgainstALateCopy(t *testing.T) {
	w := costly(t, 1, 10*time.Millisecond)
	w.forgeryAirs = true
	liar := w.join(1, func(m *member) { m.frozen, m.addr = true, netip.MustParseAddr("198.51.100.7") })
	w.run(9 * time.Second) // its leases run out, and it rests
	var kept wire.Result
	late := w.join(1, func(m *member) {
		m.answered = func(r wire.Result) { kept, m.frozen = r, true }
	})
	late.frozen = false
	for kept.Frames == nil {
		w.run(tickPeriod)
	}
	forged := bytes.Clone(kept.Frames)
	forged[0] ^= 1
	w.core.peers[liar.number].answered = true
	w.core.ring.Purge(late.number, kept.Lease)
	w.core.ring.Release(kept.First, kept.Count(), kept.Lease)
	if n, _, _ := w.core.ring.Fill(ring.Result{
		Owner: liar.number, Lease: 1 << 40, First: kept.First, Packed: forged, Must: make([]bool, kept.Count()), Sample: -1,
	}); n != kept.Count() {
		t.Fatalf("%d of %d frames are taken", n, kept.Count())
	}
	for w.core.ring.Cursor() <= kept.First {
		w.core.budget.Spend(w.now, time.Hour)
		w.run(tickPeriod)
	}
	if w.forged != 1 {
		t.Fatalf("%d forged frames aired on trust, want 1", w.forged)
	}
	late.send(kept)
	w.run(time.Second)
	if late.goodbye.Reason != 0 {
		t.Errorf("the honest one was told %+v", late.goodbye)
	}
	if liar.goodbye.Reason != wire.ReasonEvicted {
		t.Errorf("the liar was told %+v", liar.goodbye)
	}
}

// TestBannedAddressIsLentNothingOnItsOtherConnections strikes one of two connections from an address.
func TestBannedAddressIsLentNothingOnItsOtherConnections(t *testing.T) {
	w := newWorld(t, nil)
	w.join(1, nil)
	addr := netip.MustParseAddr("198.51.100.7")
	twin := w.join(1, func(m *member) { m.addr = addr })
	w.run(10 * time.Second)
	w.join(1, func(m *member) {
		m.addr = addr
		m.forge = func(_ uint64, packed []byte) { packed[5] ^= 1 }
	})
	w.run(20 * time.Second)
	w.noStall()
	if twin.goodbye.Reason != wire.ReasonEvicted || w.core.counts.Evictions != 1 {
		t.Errorf("the other connection was told %+v, %d evictions", twin.goodbye, w.core.counts.Evictions)
	}
}

// TestFloodOfForgers has newcomers join all the time, forge their first chunk, and come again from another address.
func TestFloodOfForgers(t *testing.T) {
	w := newWorld(t, nil)
	for range 3 {
		w.join(1, nil)
	}
	w.run(20 * time.Second)
	before := w.core.counts
	for i := range 30 * 200 {
		forger := w.join(1, func(m *member) {
			m.addr = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			m.forge = func(_ uint64, packed []byte) { packed[i%wire.PackedSize] ^= 1 }
		})
		w.after(time.Duration(100+i*7919%4000)*time.Millisecond, func() { w.leave(forger) })
		w.run(5 * time.Millisecond)
	}
	w.noStall()
	c := w.core.counts
	if c.Evictions < 50 {
		t.Errorf("%d of 6000 forgers were evicted in 30 s, want some a second", c.Evictions)
	}
	if share := float64(c.Fleet-before.Fleet) / float64(c.Aired-before.Aired); share < 0.9 {
		t.Errorf("the honest rendered %.2f of what aired, want 0.9 at least", share)
	}
	if per := (c.Audited - before.Audited) / (c.Aired - before.Aired); per > 2 {
		t.Errorf("%d frames were audited for each that aired", per)
	}
}

// TestHonestNewcomersAreTrustedBesideOthers has a fleet that needs nobody take in another.
func TestHonestNewcomersAreTrustedBesideOthers(t *testing.T) {
	w := newWorld(t, nil)
	for range 3 {
		w.join(1, nil)
	}
	w.run(20 * time.Second)
	newcomer := w.join(1, nil)
	w.run(15 * time.Second)
	if w.core.peers[newcomer.number].passes < trust.NewcomerPasses || w.core.fleet.Trusted() != 4 {
		t.Errorf("after 15 s a newcomer has %d passes, and %d of 4 threads are trusted",
			w.core.peers[newcomer.number].passes, w.core.fleet.Trusted())
	}
}

// TestServersOwnFrameIsAnAuditOfTheCopyThatCameMeanwhile has a result arrive while the server renders the same frame.
func TestServersOwnFrameIsAnAuditOfTheCopyThatCameMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		forge   byte
		broken  bool // the verifier fails for a while, just then
		evicted bool
		passes  uint64
	}{
		"the same":                 {0, false, false, 1},
		"another":                  {1, false, true, 0},
		"another, and no verifier": {1, true, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.renderTime = 5 * time.Millisecond
			w.join(0, nil) // for whom the server starts to render
			sender := w.join(1, func(m *member) { m.frozen, m.addr = true, netip.MustParseAddr("198.51.100.7") })
			w.core.peers[sender.number].answered = true
			n := w.core.ring.Cursor()
			if _, underway := w.core.rescuing[n]; !underway {
				t.Fatalf("the server is not rendering frame %d", n)
			}
			packed := truth(n)
			packed[3] ^= c.forge
			// The auditors are busy rendering, so nobody looks at it before.
			if kept, _, _ := w.core.ring.Fill(ring.Result{
				Owner: sender.number, Lease: 1 << 40, First: n, Packed: packed, Must: []bool{true}, Sample: -1,
			}); kept != 1 {
				t.Fatal("the copy is not taken")
			}
			for _, underway := w.core.rescuing[n]; underway; _, underway = w.core.rescuing[n] {
				w.run(time.Millisecond)
			}
			if w.broken = c.broken; c.broken {
				w.run(2 * time.Second)
				w.broken = false
			}
			w.run(time.Second)
			if got := sender.goodbye.Reason == wire.ReasonEvicted; got != c.evicted {
				t.Errorf("the sender is evicted: %v, want %v", got, c.evicted)
			}
			if p, ok := w.core.peers[sender.number]; ok != !c.evicted || ok && p.passes != c.passes {
				t.Errorf("the sender is there: %v, and has %+v, want %d passes", ok, p, c.passes)
			}
		})
	}
}

// TestSuspectsAreBounded has far more disputes than can be looked into while the verifier fails.
func TestSuspectsAreBounded(t *testing.T) {
	w := newWorld(t, nil)
	w.join(1, nil)
	w.run(20 * time.Second)
	w.broken = true
	for range 10 * maxSuspects {
		here, ok := w.core.ring.Copy(w.core.ring.Cursor())
		if !ok {
			t.Fatal("no frame is there")
		}
		w.core.accuse(w.core.ring.Cursor(), here)
	}
	if got := len(w.core.suspects); got != maxSuspects {
		t.Errorf("%d suspects wait, want %d", got, maxSuspects)
	}
	w.broken = false
	w.run(time.Second)
	if len(w.core.suspects) != 0 || w.core.counts.Evictions != 0 {
		t.Errorf("%d suspects are left, and %d evicted who were right", len(w.core.suspects), w.core.counts.Evictions)
	}
}

func TestNewcomerIsTrustedAfterSixtyPasses(t *testing.T) {
	w := newWorld(t, nil)
	m := w.join(1, nil)
	for w.core.fleet.Trusted() == 0 {
		if got := w.core.peers[m.number].passes; got >= trust.NewcomerPasses {
			t.Fatalf("a newcomer has %d passes", got)
		}
		w.run(time.Millisecond)
	}
	if got := w.core.peers[m.number].passes; got < trust.NewcomerPasses {
		t.Errorf("trusted after %d passes, want %d", got, trust.NewcomerPasses)
	}
}

// TestNewcomersAreLentWhatCanBeAudited has newcomers who answer nothing, and audits whose cost is not known before some
// were made.
func TestNewcomersAreLentWhatCanBeAudited(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Auditors = 1 })
	w.renderTime = 20 * time.Millisecond // forty times what is expected
	w.sampling = true
	first := w.join(1, nil)
	w.run(10 * time.Second)
	w.leave(first)
	w.run(10 * time.Second)
	lent := 0
	for range 200 {
		w.join(1, func(m *member) { m.frozen, m.lent = true, func(frames int) { lent += frames } })
	}
	w.run(2 * time.Second)
	// The auditor's time is 50 frames a second, and as much was saved up.
	if lent < 120 || lent > 180 {
		t.Errorf("newcomers are lent %d frames in 2 s, want about 150", lent)
	}
}

// TestOneFrameOfAResultIsAuditedFirst looks at which one.
func TestOneFrameOfAResultIsAuditedFirst(t *testing.T) {
	w := newWorld(t, nil)
	m := w.join(1, nil)
	w.run(20 * time.Second)
	var result wire.Result
	m.answered = func(r wire.Result) { result = r }
	places := make(map[uint64]int)
	w.jobs = func(j job) {
		if result.Frames == nil {
			return
		}
		if j.audit == nil || j.audit.span.Lease != result.Lease || j.audit.span.Count != 1 {
			t.Errorf("the first job after a result is %+v, want the audit of one frame of it", j)
		}
		places[(j.audit.span.First-result.First)*4/uint64(result.Count())]++
		result.Frames = nil
	}
	w.run(4 * time.Minute)
	for quarter := range uint64(4) {
		if places[quarter] < 10 {
			t.Errorf("the sample is %d times in quarter %d of the result, want it anywhere: %v", places[quarter], quarter+1, places)
		}
	}
}

func TestFrozenTabsChunksAreElsewhereWithinASecond(t *testing.T) {
	w := newWorld(t, nil)
	for range 3 {
		w.join(1, nil)
	}
	w.run(20 * time.Second)
	var frozen *member
	for frozen == nil {
		w.run(time.Millisecond)
		for _, n := range w.lentTo(0) {
			frozen = w.core.peers[w.owner(n)].conn.(*member)
		}
	}
	frozen.frozen = true
	held := w.lentTo(frozen.number)
	w.run(time.Second)
	for _, n := range held {
		if slices.Contains(w.lentTo(frozen.number), n) {
			t.Errorf("frame %d is still lent to the frozen tab alone after a second", n)
		}
	}
	w.run(20 * time.Second)
	w.noStall()
}

// lentTo returns the frames that are lent to a connection, or to any for 0.
func (w *world) lentTo(number uint32) (frames []uint64) {
	picture := w.core.ring.Picture(nil)
	n := picture.First
	for _, run := range picture.Runs {
		for range run.Count {
			if run.State == wire.RingLeased && (number == 0 || run.Owner == number) {
				frames = append(frames, n)
			}
			n++
		}
	}
	return frames
}

func (w *world) owner(n uint64) uint32 {
	picture := w.core.ring.Picture(nil)
	at := picture.First
	for _, run := range picture.Runs {
		if at += uint64(run.Count); n < at {
			return run.Owner
		}
	}
	return 0
}
