package cluster

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

func TestMeasure(t *testing.T) {
	const ms = time.Millisecond
	at := func(d time.Duration) timeline.Instant { return timeline.Instant(0).Add(d) }
	for _, c := range []struct {
		name        string
		t2, t3      time.Duration
		elapsed     time.Duration
		offset, rtt time.Duration
		ok          bool
	}{
		{"two clocks alike", 5 * ms, 6 * ms, 11 * ms, 0, 10 * ms, true},
		{"ahead", 105 * ms, 106 * ms, 11 * ms, 100 * ms, 10 * ms, true},
		{"behind", -95 * ms, -94 * ms, 11 * ms, -100 * ms, 10 * ms, true},
		{"no time at all", 0, 0, 0, 0, 0, true},
		{"answered before it came", 6 * ms, 5 * ms, 11 * ms, 0, 0, false},
		{"held for longer than it took", 0, 12 * ms, 11 * ms, 0, 0, false},
		{"a microsecond more, which is rounding", 0, 11*ms + time.Microsecond, 11 * ms, 500 * time.Nanosecond, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, ok := measure(at(0), at(c.t2), at(c.t3), c.elapsed, 77)
			if ok != c.ok || ok && (s != sample{c.offset, c.rtt, 77}) {
				t.Errorf("got %+v, %v; want offset %v, rtt %v, %v", s, ok, c.offset, c.rtt, c.ok)
			}
		})
	}
}

func TestBetterSample(t *testing.T) {
	const ms = time.Millisecond
	old := sample{offset: 10 * ms, rtt: 2 * ms}
	for _, c := range []struct {
		name  string
		later sample
		wins  bool
	}{
		{"a shorter round trip", sample{10 * ms, ms, time.Second}, true},
		{"a longer one", sample{10 * ms, 4 * ms, time.Second}, false},
		{"a longer one after long enough", sample{10 * ms, 4 * ms, 20*time.Second + 1}, true},
		{"one that contradicts", sample{20 * ms, 4 * ms, time.Second}, true},
		{"one that contradicts the other way", sample{-20 * ms, 4 * ms, time.Second}, true},
	} {
		if got := old.better(c.later, c.later.at) == c.later; got != c.wins {
			t.Errorf("%s: it wins: %v, want %v", c.name, got, c.wins)
		}
	}
}

func TestMedian(t *testing.T) {
	const s = time.Second
	for _, c := range []struct {
		offsets    []time.Duration
		all, ahead time.Duration
	}{
		{nil, 0, 0},
		{[]time.Duration{2 * s}, s, -2 * s},
		{[]time.Duration{-2 * s}, -s, 2 * s},
		{[]time.Duration{0, 3 * s}, 0, 0}, // the third is off, not this one
		{[]time.Duration{3 * s, 4 * s}, 3 * s, -3 * s},
		{[]time.Duration{-4 * s, -3 * s}, -3 * s, 3 * s},
		{[]time.Duration{-s, 3 * s}, 0, 0},
		{[]time.Duration{5 * s, s, 3 * s}, 2 * s, -3 * s},
		{[]time.Duration{-5 * s, -s, -3 * s, -3 * s}, -3 * s, 3 * s},
	} {
		all, ahead := median(append([]time.Duration(nil), c.offsets...))
		if all != c.all || ahead != c.ahead {
			t.Errorf("median of %v and 0: %v, %v ahead; want %v, %v", c.offsets, all, ahead, c.all, c.ahead)
		}
	}
}

// TestProbesAreAnsweredOnce forges replies: only the one to the last probe counts, and only once.
func TestProbesAreAnsweredOnce(t *testing.T) {
	o := &member{}
	if o.told(0, 0, 0, 0) {
		t.Error("a reply counted that nobody asked for")
	}
	name := o.ask(time.Second, 1_000_000)
	if o.told(name+1, 0, 0, time.Second) || o.measured {
		t.Error("a reply to another probe counted")
	}
	received := timeline.Instant(1_500_000)
	if !o.told(name, received, received, time.Second+2*time.Millisecond) || o.clock.offset != 499*time.Millisecond {
		t.Errorf("the reply did not count, or came to an offset of %v", o.clock.offset)
	}
	if o.told(name, received, received, time.Second+3*time.Millisecond) {
		t.Error("a second reply counted")
	}
	name = o.ask(2*time.Second, 2_000_000)
	if o.told(name, received, received-1, 3*time.Second) || o.clock.at != time.Second+2*time.Millisecond {
		t.Error("a reply that cannot be true counted")
	}
}

// TestClockOffHasAMargin lets a clock on the border wander: it goes out once, and comes back once it is nearer.
func TestClockOffHasAMargin(t *testing.T) {
	m := &members{self: join(1, 1)}
	o := m.hear(0, join(2, 1))
	o.measured = true
	for _, c := range []struct {
		offset time.Duration
		out    bool
	}{{950, false}, {1001, true}, {-950, true}, {-900, false}, {999, false}} {
		o.clock.offset = c.offset * time.Millisecond
		if got := m.judge(0).clockOff; got != c.out {
			t.Errorf("at %v ms the clock is off: %v, want %v", int64(c.offset), got, c.out)
		}
	}
}

// TestSteerHolds says by what a server is led, and when it stays.
func TestSteerHolds(t *testing.T) {
	m := &members{self: join(1, 1)}
	want := func(name string, now timeline.Instant, by time.Duration, known bool) {
		t.Helper()
		if got, ok := m.judge(now).steer(); got != by || ok != known {
			t.Errorf("%s: steered by %v, %v; want %v, %v", name, got, ok, by, known)
		}
	}
	want("alone", 0, 0, true)
	o := m.hear(0, join(2, 1))
	want("not measured", 0, 0, false)
	o.measured, o.clock.offset = true, 300*time.Millisecond
	want("measured", 0, 150*time.Millisecond, true)
	want("silent", 2_000_000, 0, false)
	o.clock.offset = 3 * time.Second
	want("off", 0, 0, true)
	m.forget(timeline.Instant(2 * keptFor / time.Microsecond))
	want("alone for a minute", 0, 0, true)
}

// A host is a simulated server: a wall clock that is off and drifts, and the timeline that is steered.
type host struct {
	*members
	off   time.Duration
	ppm   int64
	clock *timeline.Clock
}

// TestClocksConverge runs fleets for half an hour of virtual time: wall clocks up to 0.4 s off that drift apart by
// driftPPM, and a network whose two ways differ by 0.3 ms on average. After the time that the slew takes all timelines
// are within a millisecond, stay so, and stay where the wall clocks are.
func TestClocksConverge(t *testing.T) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const settled, end = 150 * time.Second, 30 * time.Minute
	for seed, n := range []int{2, 3, 4, 7} {
		rng := rand.New(rand.NewPCG(uint64(seed), 8))
		var truth time.Duration
		hosts := make([]*host, n)
		for i := range hosts {
			h := &host{members: &members{self: join(uint64(i+1), 1)}, ppm: rng.Int64N(driftPPM+1) - driftPPM/2}
			h.off = time.Duration(rng.Int64N(int64(800*time.Millisecond))) - 400*time.Millisecond
			h.clock = timeline.NewClock(epoch, func() timeline.Reading {
				drift := time.Duration(int64(truth) / 1_000_000 * h.ppm)
				return timeline.Reading{Monotonic: truth + drift, Wall: epoch.Add(time.Hour + truth + drift + h.off)}
			})
			hosts[i] = h
		}
		way := func() time.Duration {
			return 50*time.Microsecond + time.Duration(rng.ExpFloat64()*float64(300*time.Microsecond))
		}
		for truth < end {
			for _, h := range hosts {
				now, _ := h.clock.Now()
				for _, o := range hosts {
					h.hear(now, o.self)
				}
			}
			for _, h := range hosts { // one probe after the other; all of them take some milliseconds
				for _, o := range hosts {
					if h == o {
						continue
					}
					name := h.find(o.self.from).ask(h.clock.Reading())
					truth += way()
					_, received := o.clock.Reading()
					truth += way()
					monotonic, _ := h.clock.Reading()
					if !h.find(o.self.from).told(name, received, received, monotonic) {
						t.Fatal("a reply did not count")
					}
				}
			}
			var least, most, low, high timeline.Instant
			for i, h := range hosts {
				now, _ := h.clock.Now()
				by, ok := h.judge(now).steer()
				if !ok || h.standing.out() {
					t.Fatalf("host %d of %d stays out: %+v", i, n, h.standing)
				}
				h.clock.Steer(by)
				if h.clock.Compare().Jumped {
					t.Fatal("a clock jumped")
				}
				_, wall := h.clock.Reading()
				if i == 0 {
					least, most, low, high = now, now, wall, wall
				}
				least, most, low, high = min(least, now), max(most, now), min(low, wall), max(high, wall)
			}
			if truth > settled && (most.Sub(least) > time.Millisecond || least < low-1000 || most > high+1000) {
				t.Fatalf("%d hosts after %v: timelines from %d to %d µs, wall clocks from %d to %d",
					n, truth, least, most, low, high)
			}
			truth += time.Second - truth%time.Second
		}
	}
}
