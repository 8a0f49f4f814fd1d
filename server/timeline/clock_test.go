package timeline

import (
	"math/rand/v2"
	"testing"
	"time"
)

// run lets so much monotonic time pass, compares every second as the server does, and calls watch after each. The wall
// clock gains ppm millionths meanwhile.
func (m *machine) run(t *testing.T, c *Clock, d time.Duration, ppm int, watch func(ahead time.Duration)) {
	t.Helper()
	gained := time.Duration(ppm) * ComparePeriod / 1_000_000
	for range d / ComparePeriod {
		before, generation := c.Now()
		m.pass(ComparePeriod, ComparePeriod+gained)
		after, _ := c.Now()
		if rate := after.Sub(before).Seconds() / ComparePeriod.Seconds(); rate < 1-maxSlew-1e-5 || rate > 1+maxSlew+1e-5 {
			t.Fatalf("the clock runs at %.6f in generation %d, want 1 and at most %v off", rate, generation, maxSlew)
		}
		compared := c.Compare()
		if now, _ := c.Now(); now < after {
			t.Fatalf("the comparison took the clock back from %d to %d", after, now)
		}
		watch(compared.Ahead)
	}
}

// steady is a watch that allows no jump and no more than most between the clocks.
func steady(t *testing.T, c *Clock, most time.Duration) func(time.Duration) {
	t.Helper()
	_, begun := c.Now()
	return func(ahead time.Duration) {
		t.Helper()
		if _, generation := c.Now(); generation != begun || ahead.Abs() > most {
			t.Fatalf("the wall clock is %v ahead in generation %d, want at most %v in generation %d", ahead, generation, most, begun)
		}
	}
}

func TestClockFollowsDrift(t *testing.T) {
	for _, ppm := range []int{-200, -50, 50, 200} {
		m, c := newMachine()
		// What a second of drift adds is gone a second later.
		m.run(t, c, 8*time.Hour, ppm, steady(t, c, 2*time.Duration(200)*ComparePeriod/1_000_000))
	}
}

// TestClockAfterAStepBack sets the wall clock back, and right again: the timeline jumps over no more than what it lost.
func TestClockAfterAStepBack(t *testing.T) {
	m, c := newMachine()
	m.pass(0, -time.Hour)
	m.run(t, c, 10*time.Minute, 0, func(time.Duration) {
		if _, generation := c.Now(); generation != 1 {
			t.Fatal("the clock jumped for a wall clock that is behind")
		}
	})
	m.pass(0, time.Hour)
	before, _ := c.Now()
	compared := c.Compare()
	lost := time.Duration(maxSlew * float64(10*time.Minute))
	if off := compared.Ahead - lost; !compared.Jumped || off.Abs() > 2*ComparePeriod {
		t.Errorf("comparison after 10 minutes an hour behind: got %+v, want a jump of some %v", compared, lost)
	}
	if now, generation := c.Now(); generation != 2 || now.Sub(before) != compared.Ahead {
		t.Errorf("after the jump: generation %d, %v later, want 2, %v", generation, now.Sub(before), compared.Ahead)
	}
	m.run(t, c, time.Minute, 0, steady(t, c, time.Millisecond))
}

func TestClockJumpsFromMoreThanAQuarterSecond(t *testing.T) {
	for _, c := range []struct {
		ahead      time.Duration
		generation uint32
	}{{maxAhead, 1}, {maxAhead + time.Microsecond, 2}} {
		m, clock := newMachine()
		m.pass(0, c.ahead)
		clock.Compare()
		if _, generation := clock.Now(); generation != c.generation {
			t.Errorf("wall clock %v ahead: generation %d, want %d", c.ahead, generation, c.generation)
		}
	}
}

// TestLateComparisonDoesNotOvershoot holds the loop up for seconds at a time, as a loaded machine does.
func TestLateComparisonDoesNotOvershoot(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, step := range []time.Duration{-4 * time.Millisecond, 4 * time.Millisecond, 200 * time.Millisecond} {
		m, c := newMachine()
		m.pass(0, step)
		off := step.Abs()
		for range 100 {
			got := c.Compare().Ahead
			if got.Abs() > off+time.Microsecond {
				t.Fatalf("wall clock %v off: %v off after it was %v off", step, got, off)
			}
			off = got.Abs()
			late := ComparePeriod + time.Duration(rng.Int64N(int64(10*time.Second)))
			m.pass(late, late)
		}
		if off > time.Millisecond {
			t.Errorf("wall clock %v off: still %v off after minutes", step, off)
		}
	}
}

// TestClockFarFromItsEpoch runs the clock past frame 2^40, 580 years after an epoch that a flag may name.
func TestClockFarFromItsEpoch(t *testing.T) {
	const far = uint64(1) << 40
	epoch := time.Date(1446, 1, 1, 0, 0, 0, 0, time.UTC)
	start := time.UnixMicro(epoch.UnixMicro() + int64(Start(far-90)))
	m := &machine{Reading{Wall: start}}
	c := NewClock(epoch, func() Reading { return m.now })
	for n := far - 90; n < far+90; n++ {
		if now, _ := c.Now(); now.Frame() != n || Start(n) > now {
			t.Fatalf("at the start of frame %d the clock shows frame %d", n, now.Frame())
		}
		next := time.Duration(Start(n+1)-Start(n)) * time.Microsecond
		m.pass(next, next)
		if n%60 == 0 {
			if got := c.Compare(); got.Jumped || got.Ahead != 0 {
				t.Fatalf("comparison at frame %d: %+v, want that nothing is off", n, got)
			}
		}
	}
	m.pass(0, 8*time.Hour) // the machine slept
	if got := c.Compare(); !got.Jumped || got.Ahead != 8*time.Hour {
		t.Errorf("comparison after 8 hours of sleep: %+v", got)
	}
	if now, _ := c.Now(); now.Frame() != far+90+8*3600*60 {
		t.Errorf("after 8 hours of sleep the clock shows frame %d, want %d", now.Frame(), far+90+8*3600*60)
	}
}
