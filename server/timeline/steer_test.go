package timeline

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestSteerLeadsSlowly steers a clock as far as it goes, in either direction: it gets there, within the slew, in one
// generation, and back when it is let go.
func TestSteerLeadsSlowly(t *testing.T) {
	for _, by := range []time.Duration{maxSteer, -maxSteer, 300 * time.Millisecond, time.Millisecond} {
		m, c := newMachine()
		for _, to := range []time.Duration{by, 0} {
			c.Steer(to)
			// What is added at a comparison is gone by the next.
			m.run(t, c, 5*time.Minute, 0, steady(t, c, time.Duration(maxSlew*float64(ComparePeriod))))
			now, _ := c.Now()
			if _, wall := c.Reading(); (now.Sub(wall) - to).Abs() > time.Millisecond {
				t.Errorf("steered by %v: the timeline is %v ahead of the wall clock", to, now.Sub(wall))
			}
		}
	}
}

func TestSteerIsBounded(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		m, c := newMachine()
		c.Steer(by)
		m.run(t, c, 10*time.Minute, 0, func(time.Duration) {})
		now, generation := c.Now()
		_, wall := c.Reading()
		if off := now.Sub(wall); (off.Abs()-maxSteer).Abs() > time.Millisecond || off > 0 != (by > 0) || generation != 1 {
			t.Errorf("steered by %v: the timeline is %v ahead of the wall clock in generation %d, want %v at most",
				by, off, generation, maxSteer)
		}
	}
}

// TestSteerIsNoSleep sets the wall clock ahead while the clock is steered: only that makes the timeline jump.
func TestSteerIsNoSleep(t *testing.T) {
	m, c := newMachine()
	c.Steer(800 * time.Millisecond)
	m.run(t, c, time.Hour, 0, func(time.Duration) {})
	m.pass(0, 10*time.Minute)
	if got := c.Compare(); !got.Jumped || (got.Ahead-10*time.Minute).Abs() > time.Millisecond {
		t.Errorf("after a sleep of 10 minutes: %+v", got)
	}
	now, _ := c.Now()
	if _, wall := c.Reading(); (now.Sub(wall) - 800*time.Millisecond).Abs() > time.Millisecond {
		t.Errorf("after the jump the timeline is %v ahead of the wall clock, want what it was steered by", now.Sub(wall))
	}
}

func TestSteeredClockNeverGoesBack(t *testing.T) {
	m, c := newMachine()
	rng := rand.New(rand.NewPCG(9, 9))
	last, _ := c.Now()
	for range 10_000 {
		c.Steer(time.Duration(rng.Int64N(int64(4*time.Second))) - 2*time.Second)
		d := time.Duration(rng.Int64N(int64(2 * time.Second)))
		m.pass(d, d)
		c.Compare()
		now, generation := c.Now()
		if now < last || generation != 1 {
			t.Fatalf("the clock went from %d to %d in generation %d", last, now, generation)
		}
		last = now
	}
}
