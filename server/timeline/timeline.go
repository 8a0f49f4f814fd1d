// Package timeline says which frame is on screen when. The timeline is a clock: frame n is on screen from
// epoch + n/60 s, and nothing that happens to the server makes it wait.
package timeline

import (
	"math"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
)

// An Instant is a moment of the timeline: microseconds since the epoch. A frame number of 2^40 lies 580 years after
// its epoch, further than a time.Duration reaches.
type Instant int64

// Forever is after every instant that comes.
const Forever Instant = math.MaxInt64

// ChunkFrames is how many frames several servers divide the timeline by: half a second, so that three of them find twenty
// chunks in a ring and share them about evenly, and a message between them is a few kilobytes. Chunk i begins with frame
// i x ChunkFrames.
const ChunkFrames = 30

const second = Instant(time.Second / time.Microsecond)

// Add returns the instant d later, to the microsecond.
func (t Instant) Add(d time.Duration) Instant { return t + Instant(d/time.Microsecond) }

// Sub returns how much later t is than u. Over 292 years apart the result is not meaningful.
func (t Instant) Sub(u Instant) time.Duration { return time.Duration(t-u) * time.Microsecond }

// Frame returns the number of the frame on screen at t: floor(60 t). Before the epoch it is 0.
func (t Instant) Frame() uint64 {
	if t < 0 {
		return 0
	}
	return uint64(t/second*donut.FPS + t%second*donut.FPS/second)
}

// Start returns the first instant at which frame n is on screen, so that Start(n).Frame() == n. Numbers that an
// Instant cannot reach, some 5.5e14 and more, start at Forever.
func Start(n uint64) Instant {
	if n/donut.FPS >= uint64(Forever/second) {
		return Forever
	}
	whole, part := Instant(n/donut.FPS), Instant(n%donut.FPS)
	return whole*second + (part*second+donut.FPS-1)/donut.FPS
}

// Frames returns how many frames pass in d, rounded down.
func Frames(d time.Duration) int {
	return int(int64(d/time.Microsecond) * donut.FPS / int64(second))
}

// Span returns how long n frames last.
func Span(n int) time.Duration {
	return time.Duration(n) * time.Second / donut.FPS
}
