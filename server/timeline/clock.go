package timeline

import (
	"sync/atomic"
	"time"
)

const (
	// maxAhead is how far the wall clock may run ahead before the timeline jumps to it. A machine that slept is further.
	maxAhead = 250 * time.Millisecond
	// maxSlew is the most that the timeline runs faster or slower than the monotonic clock to get back to the wall clock.
	maxSlew = 0.005
	// maxSteer is the furthest that the timeline is led away from the wall clock.
	maxSteer = time.Second
	// ComparePeriod is how often Compare is to be called.
	ComparePeriod = time.Second
)

// A Reading is what the machine's two clocks say at one moment: one never steps, the other knows the date.
type Reading struct {
	Monotonic time.Duration
	Wall      time.Time
}

// System returns a function that reads the machine's clocks. The monotonic one starts at 0 and stands still while the
// machine sleeps.
func System() func() Reading {
	start := time.Now()
	return func() Reading {
		now := time.Now()
		return Reading{Monotonic: now.Sub(start), Wall: now.Round(0)}
	}
}

// A Clock tells the timeline's time. It follows the monotonic clock, is compared with the wall clock once a second, and
// never goes back. Compare is for one goroutine; everything else may be called concurrently with everything.
type Clock struct {
	epoch time.Time
	read  func() Reading
	line  atomic.Pointer[line]
	steer atomic.Int64  // by how many nanoseconds Steer wants the timeline ahead of the wall clock
	given time.Duration // how much of that has been asked of the slew; Compare's own
}

// A line is the current relation of the monotonic clock to the timeline. Lines are immutable.
type line struct {
	monotonic  time.Duration // where it starts
	instant    Instant       // there
	slew       float64       // how much faster than the monotonic clock it runs, for one ComparePeriod
	generation uint32
}

// at does not slew for longer than the comparison asked for: when the next one comes late, nothing is overshot.
func (l *line) at(monotonic time.Duration) Instant {
	elapsed := monotonic - l.monotonic
	return l.instant.Add(elapsed + time.Duration(float64(min(elapsed, ComparePeriod))*l.slew))
}

// NewClock returns a clock of generation 1 that agrees with the wall clock now. The epoch is of Unix time.
func NewClock(epoch time.Time, read func() Reading) *Clock {
	c := &Clock{epoch: epoch, read: read}
	r := read()
	c.line.Store(&line{monotonic: r.Monotonic, instant: c.wall(r), generation: 1})
	return c
}

// Epoch returns the wall-clock time of frame 0.
func (c *Clock) Epoch() time.Time { return c.epoch }

// wall is the instant that the wall clock shows.
func (c *Clock) wall(r Reading) Instant {
	return Instant(r.Wall.UnixMicro() - c.epoch.UnixMicro())
}

// Reading returns what the machine's own clocks show now, whatever the timeline is steered by: what clocks of several
// machines are compared by.
func (c *Clock) Reading() (monotonic time.Duration, wall Instant) {
	r := c.read()
	return r.Monotonic, c.wall(r)
}

// Steer leads the timeline to where it is that far ahead of the wall clock, or behind it if negative, but no further
// than a second. It replaces what was steered by before, and is carried out by Compare, as slowly as the timeline
// slews: it never jumps for it.
func (c *Clock) Steer(by time.Duration) {
	c.steer.Store(int64(max(-maxSteer, min(maxSteer, by))))
}

// Now returns the instant and the clock's generation. Within a generation time neither jumps nor goes back.
func (c *Clock) Now() (now Instant, generation uint32) {
	// The line is loaded before the clock is read: an older line then at worst extrapolates a moment too far.
	l := c.line.Load()
	return l.at(c.read().Monotonic), l.generation
}

// A Comparison is what Compare found and did.
type Comparison struct {
	// Ahead is how far the wall clock was ahead of the timeline; negative when it was behind. Where the timeline is
	// steered, that is the wall clock with as much of it added as is being carried out.
	Ahead time.Duration
	// Jumped says that the timeline jumped forward by Ahead, and that a new generation began.
	Jumped bool
}

// Compare holds the timeline against the wall clock and corrects its course: a wall clock more than 250 ms ahead means
// that the machine slept, and the timeline jumps; any other difference is slewed away, at most 0.5%. What Steer asks
// for is added bit by bit, no more at a time than the slew makes up for until the next comparison, so that it looks
// like no sleep however far it leads.
func (c *Clock) Compare() Comparison {
	r := c.read()
	old := c.line.Load()
	now := old.at(r.Monotonic)
	const most = time.Duration(maxSlew * float64(ComparePeriod))
	c.given += max(-most, min(most, time.Duration(c.steer.Load())-c.given))
	ahead := c.wall(r).Add(c.given).Sub(now)

	next := &line{monotonic: r.Monotonic, instant: now, generation: old.generation}
	if ahead > maxAhead {
		next.instant = now.Add(ahead)
		next.generation++
		c.line.Store(next)
		return Comparison{Ahead: ahead, Jumped: true}
	}
	next.slew = max(-maxSlew, min(maxSlew, ahead.Seconds()/ComparePeriod.Seconds()))
	c.line.Store(next)
	return Comparison{Ahead: ahead}
}
