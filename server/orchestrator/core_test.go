package orchestrator

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/airing"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// noStall fails where a frame was missing or late.
func (w *world) noStall() {
	w.t.Helper()
	if holes := w.holes(); holes > 0 || w.core.counts.Stalled > 0 || w.late > 0 {
		w.t.Errorf("%d frames are missing, %d counted as stalled, %d late; want none", holes, w.core.counts.Stalled, w.late)
	}
}

func TestServerCarriesTheStreamAlone(t *testing.T) {
	w := newWorld(t, nil)
	w.join(0, nil)
	w.run(30 * time.Second)
	w.noStall()
	if got := w.core.counts; got.Fleet != 0 || got.Server < 30*60 {
		t.Errorf("after 30 s the server has rendered %d aired frames, and a fleet that is not there %d", got.Server, got.Fleet)
	}
	// It renders no more than what plays, and the head start.
	if got := w.core.counts.Server; got > 34*60 {
		t.Errorf("after 30 s the server has rendered %d frames", got)
	}
}

func TestFirstPictureWithinTheFirstFrames(t *testing.T) {
	w := newWorld(t, nil)
	w.join(0, nil)
	w.run(100 * time.Millisecond)
	if len(w.messages) == 0 {
		t.Fatal("nothing aired within 100 ms")
	}
	if first := w.messages[0]; !first.Key || timeline.Start(first.First).Sub(start) > 120*time.Millisecond {
		t.Errorf("the first message is %+v, want a key for frame %d or the next", first, start.Add(100*time.Millisecond).Frame())
	}
}

func TestSteadyMessages(t *testing.T) {
	w := newWorld(t, nil)
	w.join(2, nil)
	w.run(20 * time.Second)
	aired := len(w.messages)
	w.run(time.Minute)
	for _, m := range w.messages[aired:] {
		if m.Count != airing.MessageFrames || m.First%airing.MessageFrames != 0 {
			t.Fatalf("message %+v is not on the grid of %d frames", m, airing.MessageFrames)
		}
		if want := m.First%codec.KeyInterval == 0; m.Key != want {
			t.Fatalf("message %+v: key is %v, want %v", m, m.Key, want)
		}
	}
	if got := len(w.messages) - aired; got < 59 || got > 61 {
		t.Errorf("%d messages aired in a minute, want 60", got)
	}
}

func TestFleetCarriesTheStream(t *testing.T) {
	w := newWorld(t, nil)
	for range 3 {
		w.join(1, nil)
	}
	w.run(70 * time.Second)
	w.noStall()
	c := w.core.counts
	if share := float64(c.Fleet) / float64(c.Aired); share < 0.98 {
		t.Errorf("the fleet rendered %.3f of the aired frames, want 0.98 at least", share)
	}
	if c.Wasted > c.Aired/50 {
		t.Errorf("%d of %d frames were rendered in vain", c.Wasted, c.Aired)
	}
	if c.Forged != 0 || c.Evictions != 0 {
		t.Errorf("%d frames of an honest fleet are called forged, %d evictions", c.Forged, c.Evictions)
	}
	for _, p := range w.core.peers {
		if p.conn.(*member).leases < 5 {
			t.Errorf("a member of three was lent to %d times in 70 s", p.conn.(*member).leases)
		}
	}
}

func TestNothingHappensWithNobodyThere(t *testing.T) {
	w := newWorld(t, nil)
	m := w.join(1, nil)
	w.run(20 * time.Second)
	w.leave(m)
	w.run(time.Second) // what was under way ends
	before, messages := w.core.counts, len(w.messages)
	w.run(time.Minute)
	if w.core.counts != before || len(w.messages) != messages || w.core.active() || len(w.todo.actions) > 0 {
		t.Errorf("a minute with nobody there: %+v became %+v, %d messages", before, w.core.counts, len(w.messages)-messages)
	}
	w.noStall()

	aired := len(w.messages)
	returned := w.now
	w.join(0, nil)
	w.run(200 * time.Millisecond)
	if len(w.messages) == aired {
		t.Fatal("nothing aired within 200 ms of the first one's return")
	}
	if first := w.messages[aired]; !first.Key || timeline.Start(first.First) < returned {
		t.Errorf("the first message after a pause is %+v, want a key in the future of frame %d", first, returned.Frame())
	}
	w.run(20 * time.Second)
	w.noStall()
}

// TestSomebodyWatchesBesideTheConnections has the stream run for whoever is left.
func TestSomebodyWatchesBesideTheConnections(t *testing.T) {
	w := newWorld(t, nil)
	w.run(time.Second)
	w.core.attend(w.now, true)
	w.run(10 * time.Second)
	viewer := w.join(0, nil)
	w.run(10 * time.Second)
	w.leave(viewer)
	w.run(10 * time.Second)
	w.join(1, nil)
	w.core.attend(w.now, false)
	w.run(10 * time.Second)
	w.noStall()
	anew := func(h codec.Header) bool { return h.Key && h.First%codec.KeyInterval != 0 }
	if i := slices.IndexFunc(w.messages[1:], anew); i >= 0 {
		t.Errorf("the stream starts anew with %+v while somebody watches", w.messages[1+i])
	}
	if got := w.core.snapshot(w.now).Viewers; got != 1 {
		t.Errorf("%d connections watch, want 1", got)
	}
	w.core.attend(w.now, true)
	for _, p := range w.core.peers {
		w.leave(p.conn.(*member))
	}
	if !w.core.active() {
		t.Error("the stream stops while somebody watches")
	}
	w.core.attend(w.now, false)
	if w.core.active() {
		t.Error("the stream runs for nobody")
	}
}

// TestReturnWhileTheStreamStillPlays reloads the only tab: what has aired already must not air again.
func TestReturnWhileTheStreamStillPlays(t *testing.T) {
	for _, away := range []time.Duration{0, 100 * time.Millisecond, time.Second, 2400 * time.Millisecond, 3 * time.Second} {
		t.Run(away.String(), func(t *testing.T) {
			w := newWorld(t, nil)
			w.leave(w.join(1, nil))
			w.join(1, nil)
			w.run(10 * time.Second)
			aired := w.next
			for _, p := range w.core.peers {
				w.leave(p.conn.(*member))
			}
			w.run(away)
			w.join(0, nil)
			messages := len(w.messages)
			w.run(20 * time.Second) // world.Broadcast fails on a frame that airs twice
			w.noStall()
			first := w.messages[messages]
			if !first.Key || first.First < aired || away < 2*time.Second && first.First != aired {
				t.Errorf("%v later the stream goes on with %+v, want a key at frame %d", away, first, aired)
			}
		})
	}
}

func TestForgedFrameNeverAirs(t *testing.T) {
	w := newWorld(t, nil)
	honest := w.join(1, nil)
	forger := w.join(1, func(m *member) {
		m.addr = netip.MustParseAddr("198.51.100.7")
		m.forge = func(n uint64, packed []byte) {
			if n%60 == 17 {
				packed[300] ^= 1
			}
		}
	})
	w.run(30 * time.Second) // world.Broadcast fails on a forged frame
	w.noStall()
	c := w.core.counts
	if c.Forged == 0 || c.Evictions != 1 {
		t.Errorf("%d forged frames found, %d evictions, want some and 1", c.Forged, c.Evictions)
	}
	if forger.goodbye.Reason != wire.ReasonEvicted || honest.goodbye.Reason != 0 {
		t.Errorf("the forger was told %v, the honest one %v", forger.goodbye, honest.goodbye)
	}

	again := w.join(1, func(m *member) { m.addr = forger.addr })
	if again.threads != 0 {
		t.Errorf("the forger's address may render with %d threads after its eviction", again.threads)
	}
	w.run(16 * time.Minute)
	if later := w.join(1, func(m *member) { m.addr = forger.addr }); later.threads != 1 {
		t.Errorf("after 16 minutes the forger's address may render with %d threads, want 1", later.threads)
	}
}

func TestForgerWhoLeavesBeforeTheAuditIsStruck(t *testing.T) {
	w := newWorld(t, nil)
	w.join(1, nil)
	w.run(10 * time.Second)
	addr := netip.MustParseAddr("198.51.100.7")
	var forger *member
	forger = w.join(1, func(m *member) {
		m.addr = addr
		m.forge = func(_ uint64, packed []byte) { packed[5] ^= 1 }
		m.answered = func(result wire.Result) {
			m.answered = nil
			w.core.result(w.now, forger.number, result)
			w.leave(forger)
		}
	})
	w.run(5 * time.Second)
	w.noStall()
	if w.core.counts.Evictions != 1 {
		t.Errorf("%d evictions, want 1", w.core.counts.Evictions)
	}
	if again := w.join(1, func(m *member) { m.addr = addr }); again.threads != 0 {
		t.Errorf("the address may render with %d threads", again.threads)
	}
}

func TestFrozenThreadDelaysNobody(t *testing.T) {
	w := newWorld(t, nil)
	w.join(1, nil)
	frozen := w.join(4, nil)
	w.run(10 * time.Second)
	frozen.frozen = true
	server := w.core.counts.Server
	w.run(time.Minute)
	w.noStall()
	if got := w.core.counts.Server - server; got > 0 {
		t.Errorf("the server rendered %d frames while a capable thread was there", got)
	}
}

func TestClosedConnectionFreesItsLeasesAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	helper := w.join(1, nil)
	w.run(10 * time.Second)
	slow := w.join(1, func(m *member) { m.perFrame = 10 * time.Second })
	for slow.leases == 0 {
		w.run(tickPeriod)
	}
	before := helper.leases
	w.leave(slow) // no time passes
	if helper.leases == before {
		t.Error("the leases of a closed connection were not lent again at once")
	}
}

func TestWhoRestsFreesItsLeasesAtOnceAndMayReturn(t *testing.T) {
	w := newWorld(t, nil)
	helper := w.join(1, nil)
	w.run(10 * time.Second)
	slow := w.join(1, func(m *member) { m.perFrame = 10 * time.Second })
	for slow.leases == 0 {
		w.run(tickPeriod)
	}
	before := helper.leases
	w.core.offer(w.now, slow.number, 0)
	w.core.tick(w.now)
	if helper.leases == before {
		t.Error("the leases of who rests were not lent again at once")
	}
	if got := w.core.stats(w.now); got.Workers != 1 || got.Threads != 1 || got.Viewers != 2 {
		t.Errorf("%d workers with %d threads and %d viewers are told, want 1 with 1, and 2", got.Workers, got.Threads, got.Viewers)
	}
	lent := slow.leases
	w.run(10 * time.Second)
	if slow.leases != lent {
		t.Error("who rests was lent something")
	}
	w.core.offer(w.now, slow.number, 1)
	w.run(time.Minute)
	if slow.leases == lent {
		t.Error("who came back was lent nothing")
	}
	w.noStall()
}

func TestViewerWhoOffersThreadsBecomesAWorker(t *testing.T) {
	w := newWorld(t, nil)
	m := w.join(0, nil)
	w.run(2 * time.Second)
	w.core.offer(w.now, m.number, 2)
	w.run(10 * time.Second)
	if m.leases == 0 || w.core.counts.Fleet == 0 {
		t.Errorf("it was lent %d leases, and the fleet rendered %d frames", m.leases, w.core.counts.Fleet)
	}
	w.noStall()
}

func TestOfferFromABannedAddressIsSentAway(t *testing.T) {
	w := newWorld(t, nil)
	m := w.join(0, nil)
	w.core.book.Strike(w.now, m.addr)
	w.core.offer(w.now, m.number, 1)
	if m.goodbye.Reason != wire.ReasonEvicted {
		t.Errorf("it was told %v, want %v", m.goodbye.Reason, wire.ReasonEvicted)
	}
	w.core.offer(w.now, m.number, 1) // and it is gone
}

func TestLateResultIsWelcome(t *testing.T) {
	w := newWorld(t, nil)
	w.join(0, nil)
	w.run(8 * time.Second)
	// Too slow for the first lease's deadline, in time for the air.
	late := w.join(1, func(m *member) { m.perFrame = 700 * time.Millisecond })
	w.run(4 * time.Second)
	if w.core.counts.late == 0 {
		t.Fatal("no late result")
	}
	if late.goodbye.Reason != 0 {
		t.Errorf("a late worker was told %v", late.goodbye)
	}
	w.noStall()
}

func TestResultForNoLeaseEndsTheConnection(t *testing.T) {
	valid := truth(0)
	for name, result := range map[string]func(*member, wire.Result) wire.Result{
		"never held":   func(m *member, r wire.Result) wire.Result { r.Lease += 1000; return r },
		"other frames": func(m *member, r wire.Result) wire.Result { r.First++; return r },
		"fewer frames": func(m *member, r wire.Result) wire.Result { r.Frames = valid; return r },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.join(1, nil)
			var hostile *member
			hostile = w.join(1, func(m *member) {
				m.answered = func(r wire.Result) {
					m.answered = nil
					hostile.send(result(hostile, r))
				}
			})
			w.run(10 * time.Second)
			if hostile.goodbye.Reason != wire.ReasonMalformed {
				t.Errorf("the connection was told %v, want malformed", hostile.goodbye)
			}
			if w.core.counts.Evictions != 0 {
				t.Error("what is no forgery counts as one")
			}
			w.noStall()
		})
	}
}

func TestTimelineJump(t *testing.T) {
	w := newWorld(t, nil)
	m := w.join(1, nil)
	w.run(10 * time.Second)
	before, messages := w.core.counts.Stalled, len(w.messages)
	w.todo.actions = nil // the machine slept, and its messages with it
	w.core.idle = 2
	clear(w.core.rescuing)
	w.now = w.now.Add(time.Hour)
	m.busy = make(map[uint8]timeline.Instant)
	w.core.generation = 2
	w.core.jump(w.now)
	w.run(20 * time.Second)
	if first := w.messages[messages]; !first.Key || timeline.Start(first.First) < w.now.Add(-20*time.Second) {
		t.Errorf("the first message after a jump is %+v, want a key of the new present", first)
	}
	if w.core.counts.Stalled != before || m.goodbye.Reason != 0 {
		t.Errorf("a jump stalled %d frames; the worker was told %v", w.core.counts.Stalled-before, m.goodbye)
	}
	w.noStall()
}

// TestLoopThatWasHeldUp lets time pass without a tick, as on a machine that swaps.
func TestLoopThatWasHeldUp(t *testing.T) {
	w := newWorld(t, nil)
	w.join(1, nil)
	w.run(10 * time.Second)
	w.now = w.now.Add(30700 * time.Millisecond) // to no key of the grid
	w.run(10 * time.Second)                     // world.Broadcast fails where the stream cannot be decoded
	stalled, late := w.core.counts.Stalled, w.late
	if stalled == 0 {
		t.Error("half a minute without a tick stalled nothing")
	}
	w.run(20 * time.Second)
	if w.core.counts.Stalled != stalled || w.late != late {
		t.Errorf("long after, %d more frames stalled and %d more were late", w.core.counts.Stalled-stalled, w.late-late)
	}
}

// TestLoopThatWasHeldUpForAMoment lets as much time pass without a tick as there is in hand.
func TestLoopThatWasHeldUpForAMoment(t *testing.T) {
	for _, held := range []struct{ after, by time.Duration }{
		{170 * time.Millisecond, 200 * time.Millisecond}, // when messages have gone out for half a second
		{500 * time.Millisecond, 500 * time.Millisecond},
		{2 * time.Second, time.Second},
		{10 * time.Second, airing.RescueAhead + airing.Patience - 500*time.Millisecond},
	} {
		for phase := time.Duration(0); phase < time.Second; phase += 70 * time.Millisecond { // of the messages' grid
			w := newWorld(t, nil)
			w.run(phase)
			w.join(0, nil)
			w.run(held.after)
			w.now = w.now.Add(held.by)
			w.run(5 * time.Second)
			if holes := w.holes(); holes > 0 || w.late > 0 {
				t.Errorf("held up by %v %v after its start, %v in a second: %d frames are missing, %d late",
					held.by, held.after, phase, holes, w.late)
			}
		}
	}
}

func TestVerifierThatFailsIsAskedAgain(t *testing.T) {
	w := newWorld(t, nil)
	w.join(1, nil)
	w.run(10 * time.Second)
	w.broken = true
	w.run(time.Second)
	w.broken = false
	if w.core.counts.verifierErrors == 0 {
		t.Fatal("the verifier did not fail")
	}
	if w.core.counts.verifierErrors > 30 {
		t.Errorf("a broken verifier was asked %d times in a second", w.core.counts.verifierErrors)
	}
	w.run(10 * time.Second)
	w.noStall()
	if w.core.counts.Evictions != 0 {
		t.Error("a worker was evicted for the verifier's fault")
	}
}

// TestAStreamOfHighDetailWaitsForTrust has audits of which one auditor makes 35 a second, and a fleet that is new.
func TestAStreamOfHighDetailWaitsForTrust(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Detail, c.Auditors = 16, 1 })
	w.renderTime = 28 * time.Millisecond
	w.sampling = true
	for range 9 {
		w.join(1, func(m *member) { m.perFrame = 50 * time.Millisecond })
	}
	w.run(time.Minute)
	w.noStall()
	if first := w.core.plan.First(); w.core.counts.Aired < 50*60 {
		t.Errorf("%d frames aired in a minute, the first at %d, want 50 s of them", w.core.counts.Aired, first)
	}
	if w.core.counts.Server > 60 {
		t.Errorf("the server rendered %d frames, want only the first ones", w.core.counts.Server)
	}

	w.core.jump(w.now)
	if wait := w.core.plan.First().Sub(w.now); wait > airing.FirstDelay {
		t.Errorf("a fleet that is trusted starts after %v, want %v", wait, airing.FirstDelay)
	}
}

// TestWhatTheFleetCannotCarryIsCounted overloads everybody: nothing but the count of frames may suffer.
func TestWhatTheFleetCannotCarryIsCounted(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Detail = 16 })
	w.renderTime = 60 * time.Millisecond
	w.sampling = true
	for range 3 {
		w.join(1, func(m *member) { m.perFrame = 100 * time.Millisecond })
	}
	w.run(time.Minute)
	c := w.core.counts
	if c.Stalled == 0 || c.Aired == 0 {
		t.Fatalf("%d frames stalled and %d aired under overload, want some of each", c.Stalled, c.Aired)
	}
	if got, want := int(c.Stalled+c.Aired), len(w.shown); got != want {
		t.Errorf("%d frames aired and %d stalled, but messages covered %d", c.Aired, c.Stalled, want)
	}
	if int(c.Stalled) != w.holes() {
		t.Errorf("%d frames stalled, but messages have %d holes", c.Stalled, w.holes())
	}
}

// TestShortLeadLeavesTheWorkToTabs has rings in which a frame airs half a second after it came in, or much later.
func TestShortLeadLeavesTheWorkToTabs(t *testing.T) {
	for _, lead := range []time.Duration{MinLead, 5 * time.Second, 7 * time.Second} {
		w := newWorld(t, func(c *Config) { c.Lead = lead })
		for range 3 {
			w.join(2, nil)
		}
		w.run(15 * time.Second)
		before := w.core.counts
		w.run(30 * time.Second)
		w.noStall()
		if own := w.core.counts.Server - before.Server; own > 30*60/100 {
			t.Errorf("with a lead of %v the server rendered %d frames in 30 s, want next to none", lead, own)
		}
	}
}
