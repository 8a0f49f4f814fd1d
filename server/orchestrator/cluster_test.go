package orchestrator

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A constellation is servers that share one timeline, in virtual time. What one sends is with the others after a moment.
type constellation struct {
	t       *testing.T
	worlds  []*world
	links   []*link
	dead    map[int]bool
	fetched int // requests
}

const (
	step    = 5 * time.Millisecond
	passage = 2 * time.Millisecond
	silence = time.Second // after which who is not heard of counts as gone
)

// A link connects a world with the others: its Cluster.
type link struct {
	sky    *constellation
	self   int
	lostAt timeline.Instant // when it lost the others; 0 where it has not
	cut    map[uint32]string
	mute   bool                              // what it publishes is lost
	deaf   bool                              // and what it is asked for
	tamper func(first uint64, packed []byte) // what it publishes
	says   float64                           // its capacity, as last announced
}

func newConstellation(t *testing.T, servers int, change func(i int, cfg *Config)) *constellation {
	sky := &constellation{t: t, dead: make(map[int]bool)}
	for i := range servers {
		l := &link{sky: sky, self: i, cut: make(map[uint32]string)}
		sky.links = append(sky.links, l)
		sky.worlds = append(sky.worlds, newWorld(t, func(cfg *Config) {
			cfg.Cluster = l
			cfg.Random = rand.NewPCG(uint64(i), 2)
			if change != nil {
				change(i, cfg)
			}
		}))
	}
	return sky
}

// run lets the same time pass everywhere.
func (sky *constellation) run(d time.Duration) {
	for end := sky.now().Add(d); sky.now() < end; {
		for i, w := range sky.worlds {
			if !sky.dead[i] {
				w.run(step)
				sky.links[i].says = w.core.capacity(w.now)
			}
		}
	}
}

func (sky *constellation) now() timeline.Instant {
	for i, w := range sky.worlds {
		if !sky.dead[i] {
			return w.now
		}
	}
	panic("nobody is left")
}

func number(server int) uint32 { return wire.FirstMember + uint32(server) }

// reaches reports whether what one server sends arrives at another.
func (sky *constellation) reaches(from, to int) bool {
	return from != to && !sky.dead[from] && !sky.dead[to] && sky.links[from].lostAt == 0 && sky.links[to].lostAt == 0
}

// Owner implements Cluster: servers that could render take turns, and where none can, all do. Who could render next to
// nothing beside the others gets nothing: chunks go by capacities.
func (l *link) Owner(now timeline.Instant, chunk uint64) uint32 {
	var able, all []int
	most := 0.
	for i, other := range l.sky.links {
		if i == l.self || l.Alive(now, number(i)) {
			most = max(most, other.says)
		}
	}
	for i := range l.sky.worlds {
		if i != l.self && !l.Alive(now, number(i)) {
			continue
		}
		all = append(all, i)
		if says := l.sky.links[i].says; says > most/100 {
			able = append(able, i)
		}
	}
	if len(able) == 0 {
		able = all
	}
	if owner := able[chunk%uint64(len(able))]; owner != l.self {
		return number(owner)
	}
	return ring.Server
}

// Alive implements Cluster.
func (l *link) Alive(now timeline.Instant, member uint32) bool {
	if _, cut := l.cut[member]; cut {
		return false
	}
	other := l.sky.links[member-wire.FirstMember]
	for _, each := range []*link{l, other} {
		if each.lostAt != 0 && now.Sub(each.lostAt) >= silence {
			return false
		}
	}
	return true
}

// Publish implements Cluster.
func (l *link) Publish(first uint64, packed []byte) {
	packed = bytes.Clone(packed)
	if l.tamper != nil {
		l.tamper(first, packed)
	}
	for i := range l.sky.worlds {
		if l.sky.reaches(l.self, i) && !l.mute {
			l.sky.worlds[i].receive(number(l.self), first, packed)
		}
	}
}

// receive has frames of a member arrive in a moment.
func (w *world) receive(from uint32, first uint64, packed []byte) {
	w.after(passage, func() {
		w.core.foreign(w.now, from, first, packed)
		w.core.tick(w.now)
	})
}

// Fetch implements Cluster: all answer.
func (l *link) Fetch(first uint64, count int) {
	l.sky.fetched++
	for i, w := range l.sky.worlds {
		if !l.sky.reaches(l.self, i) || l.sky.links[i].deaf {
			continue
		}
		w.after(passage, func() {
			w.core.frames(first, count, func(first uint64, packed []byte) {
				l.sky.worlds[l.self].receive(number(i), first, bytes.Clone(packed))
			})
		})
	}
}

// Cut implements Cluster.
func (l *link) Cut(member uint32, why string) { l.cut[member] = why }

// Others implements Cluster.
func (l *link) Others() (o Others) {
	for i, w := range l.sky.worlds {
		if i != l.self && l.Alive(w.now, number(i)) {
			o.Servers++
			o.Viewers += uint64(len(w.core.peers))
			o.Workers += uint64(w.core.fleet.Conns())
			o.Threads += uint64(w.core.fleet.Threads())
			o.Capacity += l.sky.links[i].says
		}
	}
	return o
}

// flawless checks that the living have shown every frame.
func (sky *constellation) flawless() {
	sky.t.Helper()
	for i, w := range sky.worlds {
		if sky.dead[i] {
			continue
		}
		if c := w.core.counts; w.holes() > 0 || w.late > 0 || c.Stalled > 0 {
			sky.t.Errorf("server %d: %d frames were missing, %d late, %d stalled", i, w.holes(), w.late, c.Stalled)
		}
		if most := w.core.ring.Size()/timeline.ChunkFrames + 1; len(w.core.shares) > most {
			sky.t.Errorf("server %d keeps %d shares, want at most %d", i, len(w.core.shares), most)
		}
	}
}

func TestServersShareTheWork(t *testing.T) {
	sky := newConstellation(t, 3, nil)
	for _, w := range sky.worlds {
		w.join(2, nil)
	}
	sky.run(10 * time.Second) // a stream that starts has no time to wait for others with its first frames
	before := sky.rendered()
	const frames = 60 * 60
	sky.run(time.Minute)
	sky.flawless()
	sum := 0
	for i, own := range sky.rendered() {
		own -= before[i]
		sum += own
		if own < frames/3-300 || own > frames/3+300 {
			t.Errorf("server %d rendered %d frames of %d, want about a third", i, own, frames)
		}
	}
	if twice := sum - frames; twice > frames*3/100 {
		t.Errorf("%d of %d frames were rendered more than once, want at most 3%%", twice, frames)
	}
}

// TestStreamsThatStartTogether has no time to agree on the first frames; those behind them are rendered about once.
func TestStreamsThatStartTogether(t *testing.T) {
	for _, apart := range []time.Duration{0, 300 * time.Millisecond, 3 * time.Second} {
		sky := newConstellation(t, 3, nil)
		for _, w := range sky.worlds {
			w.join(2, nil)
			sky.run(apart)
		}
		sky.run(10 * time.Second)
		sky.flawless()
		w, sum := sky.worlds[0], 0
		for _, own := range sky.rendered() {
			sum += own
		}
		if covered := int(w.core.ring.End() - w.messages[0].First); sum > covered*5/4 {
			t.Errorf("%v apart, three servers rendered %d frames for %d, want at most a quarter more", apart, sum, covered)
		}
	}
}

// rendered returns how many frames each server's own tabs, or it itself, have rendered, needed or not.
func (sky *constellation) rendered() (frames []int) {
	for _, w := range sky.worlds {
		c := w.core.counts
		frames = append(frames, int(c.Fleet+c.Server+c.Wasted))
	}
	return frames
}

func TestServerWithoutTabsIsServedByOthers(t *testing.T) {
	sky := newConstellation(t, 2, nil)
	sky.worlds[0].join(2, nil)
	sky.run(5 * time.Second)
	sky.worlds[1].join(0, nil)
	sky.run(30 * time.Second)
	sky.flawless()
	if c := sky.worlds[1].core.counts; c.Foreign < 29*60 || c.Server > 60 {
		t.Errorf("a server that nobody renders for aired %d frames of the other, and rendered %d itself", c.Foreign, c.Server)
	}
}

func TestServerThatFindsOthersLeavesThemWhatItHasNotBegun(t *testing.T) {
	sky := newConstellation(t, 2, nil)
	sky.worlds[0].join(2, nil)
	sky.worlds[1].join(0, nil)
	sky.links[1].lostAt = sky.now().Add(-time.Hour)
	sky.run(10 * time.Second)
	sky.links[1].lostAt = 0
	before := sky.worlds[1].core.counts
	sky.run(10 * time.Second)
	sky.flawless()
	after := sky.worlds[1].core.counts
	if own := after.Server - before.Server; own > 3*60 {
		t.Errorf("it has rendered %d frames itself since there is another, want those of the next three seconds at most", own)
	}
}

// TestServerThatJoinsCarriesItsShare has a server come whose tabs nobody has measured yet, as those of the others were.
func TestServerThatJoinsCarriesItsShare(t *testing.T) {
	sky := newConstellation(t, 3, nil)
	sky.worlds[0].join(2, nil)
	sky.worlds[1].join(2, nil)
	sky.run(30 * time.Second)
	sky.worlds[2].join(2, nil)
	sky.run(13 * time.Second) // what was in the rings has aired, and what came within three seconds
	before := sky.worlds[2].core.counts
	sky.run(30 * time.Second)
	sky.flawless()
	after := sky.worlds[2].core.counts
	if own := after.Fleet - before.Fleet; own < 9*60 {
		t.Errorf("its tabs rendered %d of the frames of 30 s, want a third, or nearly", own)
	}
}

// TestUnknownTabsCountLikeKnownOnes has tabs come that have answered nothing yet.
func TestUnknownTabsCountLikeKnownOnes(t *testing.T) {
	sky := newConstellation(t, 2, nil)
	a, b := sky.worlds[0], sky.worlds[1]
	want := func(w *world, want float64) {
		t.Helper()
		if got := w.core.capacity(w.now); got < 0.99*want || got > 1.01*want {
			t.Errorf("the capacity is %v frames a second, want %v", got, want)
		}
	}
	a.core.fleet.Offer(1, 2)
	b.core.fleet.Offer(1, 3)
	want(b, 0) // nobody knows anything
	sky.links[0].says = 500
	want(b, 750)

	sky = newConstellation(t, 1, nil)
	a = sky.worlds[0]
	a.join(2, nil)
	sky.run(5 * time.Second)
	known := a.core.capacity(a.now)
	if known == 0 {
		t.Fatal("the capacity of tabs that have answered is 0")
	}
	a.core.fleet.Offer(99, 2)
	want(a, 2*known)
}

func TestNobodyHasTabs(t *testing.T) {
	sky := newConstellation(t, 3, nil)
	for _, w := range sky.worlds {
		w.join(0, nil)
	}
	sky.run(30 * time.Second)
	sky.flawless()
	rendered := 0
	for _, w := range sky.worlds {
		rendered += int(w.core.counts.Server)
	}
	// The streams' starts are everybody's own.
	if rendered > 31*60+3*4*60 {
		t.Errorf("three servers rendered %d frames themselves in 30 s, want each about once", rendered)
	}
}

func TestServerDies(t *testing.T) {
	for dying := range 3 {
		sky := newConstellation(t, 3, nil)
		for _, w := range sky.worlds {
			w.join(2, nil)
		}
		sky.run(20 * time.Second)
		sky.dead[dying] = true
		sky.links[dying].lostAt = sky.now()
		sky.run(3 * time.Second)
		for i, w := range sky.worlds {
			if lead := w.core.snapshot(w.now).Lead; i != dying && lead < 8*time.Second {
				t.Errorf("3 s after server %d died server %d has %v ready, want its tabs to have taken over", dying, i, lead)
			}
		}
		sky.run(20 * time.Second)
		sky.flawless()
	}
}

func TestServerIsCutOffAndComesBack(t *testing.T) {
	sky := newConstellation(t, 3, nil)
	for _, w := range sky.worlds {
		w.join(2, nil)
	}
	sky.run(20 * time.Second)
	sky.links[1].lostAt = sky.now()
	sky.run(30 * time.Second)
	alone := sky.worlds[1].core.counts
	if alone.Fleet < 20*60 {
		t.Errorf("alone, its tabs rendered %d frames, want about all", alone.Fleet)
	}
	sky.links[1].lostAt = 0
	sky.run(2 * time.Second)
	before := sky.worlds[1].core.counts
	sky.run(20 * time.Second)
	sky.flawless()
	after := sky.worlds[1].core.counts
	if own := after.Fleet - before.Fleet; own > 10*60+5*60 || after.Foreign == before.Foreign {
		t.Errorf("two seconds after it is back it renders %d frames in 20 s and takes %d of others", own, after.Foreign-before.Foreign)
	}
}

func TestMemberThatSendsNothing(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("deaf=%v", deaf), func(t *testing.T) {
			sky := newConstellation(t, 2, nil)
			for _, w := range sky.worlds {
				w.join(2, nil)
			}
			sky.run(10 * time.Second)
			sky.links[1].mute, sky.links[1].deaf = true, deaf
			sky.run(10 * time.Second) // what it has published by then has aired
			before := sky.worlds[0].core.counts
			sky.run(20 * time.Second)
			sky.flawless()
			after := sky.worlds[0].core.counts
			fleet, server, foreign := after.Fleet-before.Fleet, after.Server-before.Server, after.Foreign-before.Foreign
			if server > 0 {
				t.Errorf("it rendered %d frames itself, want its tabs to", server)
			}
			if fetched := foreign > 9*60; fetched == deaf || fleet+foreign != 20*60 {
				t.Errorf("its tabs rendered %d frames and %d came when it asked", fleet, foreign)
			}
		})
	}
}

func TestServerThatStartsIsFilledByOthers(t *testing.T) {
	sky := newConstellation(t, 2, nil)
	sky.worlds[0].join(2, nil)
	sky.run(20 * time.Second)
	w := sky.worlds[1]
	w.join(0, nil)
	sky.run(100 * time.Millisecond)
	if lead := w.core.snapshot(w.now).Lead; lead < 8*time.Second {
		t.Errorf("it has %v ready, want nearly all that the other has", lead)
	}
	sky.run(10 * time.Second)
	sky.flawless()
}

func TestWhoIsNotAliveIsNotHeard(t *testing.T) {
	sky := newConstellation(t, 2, nil)
	w := sky.worlds[0]
	w.join(0, nil)
	first := w.core.ring.End() - 60
	w.core.foreign(w.now, number(1), first, truth(first))
	if _, here := w.core.ring.Copy(first); !here {
		t.Fatal("a frame of a member was not taken")
	}
	sky.links[0].cut[number(1)] = "for the test"
	w.core.foreign(w.now, number(1), first+1, truth(first+1))
	if _, here := w.core.ring.Copy(first + 1); here {
		t.Error("a frame of a member that is cut off was taken")
	}
}

func TestOnlyWhatWasAuditedIsGivenAway(t *testing.T) {
	sky := newConstellation(t, 2, nil)
	w := sky.worlds[0]
	w.join(0, nil)
	first := w.core.ring.End() - 60
	for _, n := range []uint64{0, 1, 3, 4} {
		w.core.foreign(w.now, number(1), first+n, truth(first+n))
	}
	given := func() (runs []uint64) {
		w.core.frames(first, 6, func(from uint64, packed []byte) {
			for i := range len(packed) / wire.PackedSize {
				n := from + uint64(i)
				if !bytes.Equal(packed[i*wire.PackedSize:(i+1)*wire.PackedSize], truth(n)) {
					t.Errorf("frame %d is another", n)
				}
				runs = append(runs, n-first)
			}
		})
		return runs
	}
	if got := given(); got != nil {
		t.Errorf("frames %v were given away before their audits", got)
	}
	sky.run(time.Second)
	if got, want := given(), []uint64{0, 1, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("frames %v were given away, want %v", got, want)
	}
}

func TestLyingServerIsCutOff(t *testing.T) {
	for _, sampling := range []bool{false, true} {
		t.Run(fmt.Sprintf("sampling=%v", sampling), func(t *testing.T) {
			sky := newConstellation(t, 3, func(_ int, cfg *Config) {
				if sampling {
					cfg.AuditBudget = 0.001
				}
			})
			for _, w := range sky.worlds {
				w.sampling, w.forgeryAirs = sampling, sampling
				w.join(2, nil)
			}
			sky.run(20 * time.Second)
			liar := sky.links[2]
			liar.tamper = func(first uint64, packed []byte) { packed[(first%timeline.ChunkFrames)*wire.PackedSize] ^= 1 }
			sky.run(20 * time.Second)
			sky.flawless()
			for i := range 2 {
				if why := sky.links[i].cut[number(2)]; why == "" {
					t.Errorf("server %d has not cut the liar off", i)
				}
				if forged := sky.worlds[i].forged; forged > 0 && !sampling {
					t.Errorf("server %d showed %d forged frames", i, forged)
				}
				if before := sky.worlds[i].core.counts.Evictions; before > 0 {
					t.Errorf("server %d has evicted %d of its own", i, before)
				}
			}
		})
	}
}

// TestCapacityAddsUp has servers with equal fleets fill a ring that nothing paces.
func TestCapacityAddsUp(t *testing.T) {
	const seconds = 20
	pace := func(servers int) float64 {
		frames := 0
		sky := newConstellation(t, servers, func(i int, cfg *Config) {
			cfg.Audience, cfg.Lead = nil, time.Minute
			cfg.Race = func(count int) {
				if i == 0 {
					frames += count
				}
			}
		})
		for _, w := range sky.worlds {
			w.sampling, w.renderTime = true, time.Microsecond
			for range 4 {
				w.join(2, func(m *member) { m.perFrame = 50 * time.Millisecond })
			}
		}
		sky.run(10 * time.Second)
		frames = 0
		sky.run(seconds * time.Second)
		return float64(frames) / seconds
	}
	alone, together := pace(1), pace(3)
	t.Logf("one server: %.1f frames a second, three: %.1f, %.2f times as many", alone, together, together/alone)
	if together < 2.7*alone {
		t.Errorf("three servers fill the ring %.2f times as fast as one, want at least 2.7", together/alone)
	}
}

// TestRaceGoesOnWithoutAMember has a race lose all that one server publishes: the others fetch it, or render it themselves.
func TestRaceGoesOnWithoutAMember(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprintf("deaf=%v", deaf), func(t *testing.T) {
			frames := 0
			sky := newConstellation(t, 2, func(i int, cfg *Config) {
				cfg.Audience, cfg.Lead = nil, time.Minute
				cfg.Race = func(count int) { frames += count * (1 - i) }
			})
			for _, w := range sky.worlds {
				w.renderTime = time.Microsecond
				w.join(2, nil)
			}
			sky.links[1].mute, sky.links[1].deaf = true, deaf
			sky.run(20 * time.Second)
			if want := 10 * timeline.ChunkFrames; frames < want {
				t.Errorf("it came to %d frames in 20 s, want %d at least", frames, want)
			}
		})
	}
}

// TestServersShareTheWorkOfAShortLead has rings that leave the others less time, down to half a second.
func TestServersShareTheWorkOfAShortLead(t *testing.T) {
	const frames = 30 * 60
	for lead, most := range map[time.Duration]int{
		MinLead: frames * 3 / 2, 5 * time.Second: frames * 103 / 100, 7 * time.Second: frames * 103 / 100,
	} {
		sky := newConstellation(t, 3, func(_ int, cfg *Config) { cfg.Lead = lead })
		for _, w := range sky.worlds {
			w.join(2, nil)
		}
		sky.run(15 * time.Second)
		before, sum := sky.rendered(), 0
		sky.run(frames / 60 * time.Second)
		sky.flawless()
		for i, own := range sky.rendered() {
			sum += own - before[i]
		}
		if sum > most {
			t.Errorf("with a lead of %v three servers rendered %d frames for %d, want at most %d", lead, sum, frames, most)
		}
	}
}
