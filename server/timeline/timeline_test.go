package timeline

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestFrameAndStartAreInverse(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, base := range []uint64{0, 1_000_000, 1 << 32, 1<<40 - 1000, 1 << 40, 1 << 48} {
		for range 1000 {
			n := base + rng.Uint64N(2000)
			start := Start(n)
			if got := start.Frame(); got != n {
				t.Fatalf("frame at the start of frame %d is %d", n, got)
			}
			if n > 0 {
				if got := (start - 1).Frame(); got != n-1 {
					t.Fatalf("frame just before the start of frame %d is %d, want %d", n, got, n-1)
				}
			}
		}
	}
}

func TestStartSaturates(t *testing.T) {
	for _, n := range []uint64{1 << 60, 1<<64 - 1} {
		if got := Start(n); got != Forever {
			t.Errorf("frame %d starts at %d, want Forever", n, got)
		}
	}
	if got := Instant(-1).Frame(); got != 0 {
		t.Errorf("frame before the epoch is %d, want 0", got)
	}
}

// machine is a pair of clocks that a test moves.
type machine struct{ now Reading }

func (m *machine) pass(monotonic, wall time.Duration) {
	m.now.Monotonic += monotonic
	m.now.Wall = m.now.Wall.Add(wall)
}

func newMachine() (*machine, *Clock) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := &machine{Reading{Wall: epoch.Add(time.Hour)}}
	return m, NewClock(epoch, func() Reading { return m.now })
}

func TestClockFollowsMonotonicClock(t *testing.T) {
	m, c := newMachine()
	start, _ := c.Now()
	if want := Instant(0).Add(time.Hour); start != want {
		t.Fatalf("the clock starts at %d, want %d", start, want)
	}
	m.pass(time.Second, -time.Hour) // the wall clock alone does nothing before a comparison
	if now, _ := c.Now(); now.Sub(start) != time.Second {
		t.Errorf("after 1 s the clock shows %v more", now.Sub(start))
	}
}

func TestClockJumpsAfterSuspend(t *testing.T) {
	m, c := newMachine()
	start, _ := c.Now()
	m.pass(time.Second, time.Second+10*time.Minute)
	got := c.Compare()
	if !got.Jumped || got.Ahead != 10*time.Minute {
		t.Errorf("comparison after a suspend of 10 minutes: %+v", got)
	}
	now, generation := c.Now()
	if generation != 2 || now.Sub(start) != time.Second+10*time.Minute {
		t.Errorf("after the suspend: generation %d, %v later; want 2, 10m1s", generation, now.Sub(start))
	}
}

func TestClockNeverGoesBackAndSlews(t *testing.T) {
	for _, step := range []time.Duration{-time.Hour, -100 * time.Millisecond, 200 * time.Millisecond} {
		m, c := newMachine()
		m.pass(0, step)
		last, _ := c.Now()
		for i := range 60 {
			got := c.Compare()
			if got.Jumped {
				t.Fatalf("wall clock %v off: jumped", step)
			}
			if i > 0 {
				before := last
				now, _ := c.Now()
				if rate := float64(now-before) / 1e6; rate < 0.995-1e-6 || rate > 1.005+1e-6 {
					t.Fatalf("wall clock %v off: the clock runs at %v", step, rate)
				}
			}
			last, _ = c.Now()
			m.pass(time.Second, time.Second)
		}
		ahead := c.Compare().Ahead
		if step == -time.Hour {
			continue // takes 200 hours
		}
		if ahead.Abs() > 5*time.Millisecond {
			t.Errorf("wall clock %v off: still %v off after a minute", step, ahead)
		}
	}
}

func TestClockGenerationKeepsItsInstants(t *testing.T) {
	m, c := newMachine()
	rng := rand.New(rand.NewPCG(7, 7))
	last, lastGeneration := c.Now()
	for range 10_000 {
		m.pass(time.Duration(rng.Int64N(int64(time.Second))), time.Duration(rng.Int64N(int64(3*time.Second)))-time.Second)
		if rng.IntN(3) == 0 {
			c.Compare()
		}
		now, generation := c.Now()
		if now < last || generation < lastGeneration {
			t.Fatalf("the clock went back from %d (generation %d) to %d (%d)", last, lastGeneration, now, generation)
		}
		last, lastGeneration = now, generation
	}
}
