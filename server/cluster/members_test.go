package cluster

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

var ours = fleet{digest: wire.Digest{1}, detail: 1, epoch: 1}

// join returns the announcement of a server of some weight.
func join(identity uint64, w weight) announcement {
	return announcement{from: identity, fleet: ours, weight: w, name: "some server"}
}

// server returns what the server of an announcement knows when it has heard the others, in an order of its own, and
// measured their clocks.
func server(now timeline.Instant, self announcement, others []announcement, rng *rand.Rand) *members {
	m := &members{self: self}
	for _, i := range rng.Perm(len(others)) {
		if o := m.hear(now, others[i]); o != nil {
			o.measured = true
		}
	}
	m.judge(now)
	return m
}

// winner returns the identity that a server takes a chunk to belong to.
func (m *members) winner(t *testing.T, now timeline.Instant, chunk uint64) uint64 {
	number := m.owner(now, chunk)
	if number == 0 {
		return m.self.from
	}
	o := m.numbered(number)
	if o == nil {
		t.Fatalf("chunk %d belongs to member %d, whom nobody knows", chunk, number)
	}
	return o.said.from
}

// crowd returns servers of random identities and weights, some of them without capacity.
func crowd(rng *rand.Rand, n int) []announcement {
	all := make([]announcement, n)
	for i := range all {
		all[i] = join(rng.Uint64()|1, weight(rng.IntN(40)))
		if rng.IntN(5) == 0 {
			all[i].weight = 0
		}
	}
	return all
}

func TestServersAgree(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for round := range 20 {
		all := crowd(rng, 2+rng.IntN(30))
		if round%4 == 0 {
			for i := range all {
				all[i].weight = 0
			}
		}
		somebody := slices.MaxFunc(all, func(a, b announcement) int { return int(a.weight) - int(b.weight) }).weight > 0
		weights := make(map[uint64]weight)
		var views []*members
		for _, a := range all {
			views = append(views, server(0, a, all, rng))
			weights[a.from] = a.weight
		}
		for range 200 {
			chunk := rng.Uint64()
			want := views[0].winner(t, 0, chunk)
			for _, m := range views {
				if got := m.winner(t, 0, chunk); got != want {
					t.Fatalf("of %d servers one takes chunk %d for %x's, another for %x's", len(all), chunk, want, got)
				}
			}
			if somebody && weights[want] == 0 {
				t.Fatalf("chunk %d belongs to a server without capacity, though others have some", chunk)
			}
		}
	}
}

// TestFewChunksMove takes a server away and puts it back: its own chunks move, and no others.
func TestFewChunksMove(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 20 {
		all := crowd(rng, 3+rng.IntN(20))
		all[0].weight, all[1].weight = 9, 9 // with or without the one that leaves, somebody has capacity
		gone := 1 + rng.IntN(len(all)-1)
		before := server(0, all[0], all, rng)
		after := server(0, all[0], slices.Delete(slices.Clone(all), gone, gone+1), rng)
		moved := 0
		for chunk := range uint64(500) {
			was, is := before.winner(t, 0, chunk), after.winner(t, 0, chunk)
			switch {
			case was == all[gone].from:
				moved++
			case was != is:
				t.Fatalf("chunk %d moved from %x to %x when %x left", chunk, was, is, all[gone].from)
			}
		}
		if all[gone].weight >= 9 && moved == 0 {
			t.Errorf("none of 500 chunks was that of a server of weight %d", all[gone].weight)
		}
	}
}

// TestSharesFollowWeights counts chunks. A share of n chunks at probability p has the standard deviation
// sqrt(n p (1-p)); five of those are exceeded by a right program in one of 1.7 million draws, and these are always the
// same draws.
func TestSharesFollowWeights(t *testing.T) {
	const n = 100_000
	rng := rand.New(rand.NewPCG(3, 3))
	for _, weights := range [][]weight{{1, 1}, {1, 5, 9}, {20, 23, 24, 40}, {0, 0, 0}, {0, 7, 0, 11}} {
		var all []announcement
		sum, some := 0.0, slices.Max(weights) > 0
		for _, w := range weights {
			all = append(all, join(rng.Uint64()|1, w))
			if w > 0 || !some {
				sum += w.value()
			}
		}
		m := server(0, all[0], all, rng)
		got := make(map[uint64]int)
		for chunk := range uint64(n) {
			got[m.winner(t, 0, chunk)]++
		}
		for i, a := range all {
			p := weights[i].value() / sum
			if some && weights[i] == 0 {
				p = 0
			}
			if bound := 5 * math.Sqrt(n*p*(1-p)); math.Abs(float64(got[a.from])-n*p) > bound {
				t.Errorf("weights %v: server %d has %d of %d chunks, want %.0f and at most %.0f off",
					weights, i, got[a.from], n, n*p, bound)
			}
		}
	}
}

func TestWeightsAreSteps(t *testing.T) {
	for w := weight(1); w < maxWeight; w++ {
		if ratio := (w + 1).value() / w.value(); math.Abs(ratio-math.Pow(2, 0.125)) > 1e-12 {
			t.Fatalf("weight %d counts %v times weight %d", w+1, ratio, w)
		}
		if got := new(scale).weigh(w.value()); got != w {
			t.Fatalf("a capacity of %v weighs %d, want %d", w.value(), got, w)
		}
	}
	for _, c := range []struct {
		capacity float64
		want     weight
	}{{0, 0}, {-1, 0}, {math.NaN(), 0}, {1e-9, 1}, {1e300, maxWeight}, {math.Inf(1), maxWeight}} {
		if got := (&scale{weight: 7}).weigh(c.capacity); got != c.want {
			t.Errorf("a capacity of %v weighs %d, want %d", c.capacity, got, c.want)
		}
	}
}

// TestWeightsAreReluctant has a capacity tremble around every boundary: no more than one change, where it began on the
// wrong side.
func TestWeightsAreReluctant(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	for range 1000 {
		centre := math.Exp(rng.Float64() * 12)
		tremble := func() float64 { return centre * (0.96 + 0.08*rng.Float64()) }
		var s scale
		w, changes := s.weigh(tremble()), 0
		for range 200 {
			next := s.weigh(tremble())
			if next != w {
				changes++
			}
			w = next
		}
		if changes > 1 {
			t.Fatalf("a capacity of %v, 4%% more or less, changed its weight %d times", centre, changes)
		}
		if follows := s.weigh(2 * centre); follows < w+7 || follows > w+9 {
			t.Fatalf("twice the capacity of weight %d weighs %d", w, follows)
		}
	}
}

// TestEqualCapacitiesComeToWeighTheSame has some come to a capacity from below and from above.
func TestEqualCapacitiesComeToWeighTheSame(t *testing.T) {
	for _, capacity := range []float64{1, 17, 200, 12_345} {
		want := new(scale).weigh(capacity)
		for start := capacity / 4; start < 4*capacity; start *= 1.03 {
			var s scale
			for way := start; math.Abs(way-capacity) > 1e-6*capacity; way += (capacity - way) / 4 {
				s.weigh(way)
			}
			for range settling {
				s.weigh(capacity)
			}
			if s.weight != want {
				t.Errorf("a capacity of %v that was %v weighs %d, want %d", capacity, start, s.weight, want)
			}
		}
	}
}

// TestAliveAndFit goes through what makes a member one that chunks are left to.
func TestAliveAndFit(t *testing.T) {
	const later = timeline.Instant(1_000_000)
	other := func(change func(*announcement)) announcement {
		a := join(2, 9)
		change(&a)
		return a
	}
	for _, c := range []struct {
		name  string
		said  announcement
		now   timeline.Instant
		alive bool
		state State
		told  bool // why
	}{
		{"heard now", join(2, 9), 0, true, Alive, false},
		{"heard a second ago", join(2, 9), later, true, Alive, false},
		{"silent for longer", join(2, 9), later + 1, false, Silent, false},
		{"another module", other(func(a *announcement) { a.fleet.digest[31]++ }), 0, false, OtherModule, false},
		{"another detail", other(func(a *announcement) { a.fleet.detail++ }), 0, false, OtherTimeline, false},
		{"another epoch", other(func(a *announcement) { a.fleet.epoch++ }), 0, false, OtherTimeline, false},
		{"its clock off", other(func(a *announcement) { a.out = true }), 0, false, ClockOff, true},
		{"leaving", other(func(a *announcement) { a.leaving = true }), 0, false, Silent, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := &members{self: join(1, 0)}
			o := m.hear(0, c.said)
			o.measured = true
			m.judge(0)
			if got := m.alive(c.now, o); got != c.alive {
				t.Errorf("alive: %v, want %v", got, c.alive)
			}
			if got := m.state(c.now, o); got != c.state {
				t.Errorf("state: %v, want %v", got, c.state)
			}
			if got := o.why(c.state); (got != "") != c.told {
				t.Errorf("it does not work with this server because: %q", got)
			}
			// This server has no capacity, so the other one gets every chunk that it may have.
			if got := m.owner(c.now, 5) == o.number; got != c.alive {
				t.Errorf("it owns a chunk: %v, want %v", got, c.alive)
			}
		})
	}
}

func TestCutIsForGood(t *testing.T) {
	m := &members{self: join(1, 0)}
	o := m.hear(0, join(2, 9))
	o.measured = true
	m.judge(0)
	if m.owner(0, 1) != o.number {
		t.Fatal("a server with capacity does not own a chunk beside one without")
	}
	if m.shutOut(o.number+1, "a stranger") != nil {
		t.Error("a number that nobody has was cut off")
	}
	const why = "frame 7 is forged"
	if m.shutOut(o.number, why) != o || m.shutOut(o.number, "again") != nil || o.cut != why {
		t.Errorf("cut off for %q", o.cut)
	}
	for _, now := range []timeline.Instant{0, timeline.Instant(10 * keptFor / time.Microsecond)} {
		m.forget(now)
		if fresh := m.hear(now, join(2, 9)); fresh != nil {
			t.Error("a server that was cut off came back as another one")
		}
		if m.alive(now, o) || m.owner(now, 1) != 0 || m.state(now, o) != CutOff || o.why(CutOff) != why ||
			m.judge(now).mates != 0 {
			t.Error("a server that was cut off still counts")
		}
	}
}

func TestNumbersAreUsedOnce(t *testing.T) {
	m := &members{self: join(1, 1)}
	rng := rand.New(rand.NewPCG(5, 5))
	taken := make(map[uint32]bool)
	now := timeline.Instant(0)
	for range 2000 {
		now = now.Add(time.Duration(rng.Int64N(int64(time.Second))))
		o := m.hear(now, join(rng.Uint64()|2, 1))
		if o == nil {
			t.Fatal("there was no room, though most have fallen silent")
		}
		if taken[o.number] || o.number < FirstMember {
			t.Fatalf("number %d was given out twice, or is a tab's", o.number)
		}
		taken[o.number] = true
		m.forget(now)
	}
	if m.hear(now, m.self) != nil {
		t.Error("the server heard itself")
	}
	m.numbers = FirstMember
	if m.hear(now, join(2, 1)) != nil || m.refused != 1 {
		t.Error("a number was given out that wrapped")
	}
}

func TestForgetsTheSilent(t *testing.T) {
	m := &members{self: join(1, 1)}
	kept := timeline.Instant(keptFor / time.Microsecond)
	m.hear(0, join(2, 1))
	m.forget(kept)
	if len(m.all) != 1 {
		t.Error("a server was forgotten within its minute")
	}
	m.forget(kept + 1)
	if len(m.all) != 0 {
		t.Error("a silent server is remembered for ever")
	}
}

// TestRoomIsBounded floods a server with identities: those alive stay, and those cut off outlive the silent.
func TestRoomIsBounded(t *testing.T) {
	m := &members{self: join(1, 1)}
	forger := m.hear(0, join(2, 1))
	m.shutOut(forger.number, "it forged")
	m.hear(1, join(3, 1))
	late := timeline.Instant(5_000_000)
	for i := uint64(4); len(m.all) < maxMembers; i++ {
		m.hear(late, join(i, 1))
	}
	if m.hear(late, join(1000, 1)) == nil || m.find(3) != nil || m.find(2) == nil {
		t.Error("the silent server did not make way, or the one cut off did first")
	}
	if m.hear(late, join(1001, 1)) == nil || m.find(2) != nil {
		t.Error("the server cut off and silent did not make way")
	}
	if m.hear(late, join(1002, 1)) != nil || m.refused != 1 || len(m.all) != maxMembers {
		t.Errorf("%d members, %d refused: want %d and 1", len(m.all), m.refused, maxMembers)
	}
}

// TestAFewAnswer asks fleets of any size: a few answer, the chunk's owner among them unless it is who asks.
func TestAFewAnswer(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	for _, n := range []int{2, 3, 4, 20, 100} {
		all := crowd(rng, n)
		all[0].weight = 9
		var views []*members
		for _, a := range all {
			views = append(views, server(0, a, all, rng))
		}
		for range 20 {
			chunk, asker := rng.Uint64(), all[rng.IntN(n)].from
			owner, answering := views[0].winner(t, 0, chunk), 0
			for _, m := range views {
				if m.self.from == asker {
					continue
				}
				if m.answers(0, chunk, asker) {
					answering++
				} else if m.self.from == owner {
					t.Fatalf("of %d servers the chunk's owner does not answer", n)
				}
			}
			if want := min(n-1, answerers); answering != want {
				t.Fatalf("of %d servers %d answer, want %d", n, answering, want)
			}
		}
	}
}

func TestWhoStaysOutOwnsAllAndAnswersNothing(t *testing.T) {
	m := &members{self: join(1, 0)}
	o := m.hear(0, join(2, 9))
	m.judge(0)
	for _, c := range []struct {
		measured bool
		offset   time.Duration
		out      bool
	}{{false, 0, true}, {true, 0, false}, {true, maxClockOff, false}, {true, maxClockOff + 1, true}} {
		o.measured, o.clock.offset = c.measured, c.offset
		m.judge(0)
		if m.standing.out() != c.out || m.answers(0, 1, 3) == c.out || (m.owner(0, 1) == 0) != c.out {
			t.Errorf("measured %v at %v: out is %v, want %v", c.measured, c.offset, m.standing.out(), c.out)
		}
	}
}
