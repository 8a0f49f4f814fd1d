package main

import (
	"math/rand/v2"
	"time"
)

// A temper is how somebody renders. Its zero value is an honest worker that renders as fast as it can.
type temper struct {
	// frameTime is the least that a frame takes. What is left of it passes on a timer, so that a crowd of slow workers
	// costs this machine no more than a fast one.
	frameTime time.Duration
	// frozenFrom is when its threads stop for ever, after the start of the play, while its socket lives on; 0 for never.
	frozenFrom time.Duration
	// drop is the share of its results that get lost.
	drop float64
	// seed decides which.
	seed uint64
	// life is how long it stays; 0 for to the end.
	life time.Duration
}

// slowness is how many times longer a slow worker takes for a frame.
const slowness = 50

// usualFrameTime is a fast worker's where there are slow ones and no time is given.
const usualFrameTime = time.Millisecond

// freezing is the part of the play in which those freeze who do.
const freezing = 0.2

// newTemper draws that of worker i: the first ones freeze, the last ones are slow, so that one who is both is rare.
func (cfg config) newTemper(rng *rand.Rand, i int) temper {
	t := temper{frameTime: cfg.frameTime, drop: cfg.drop, seed: rng.Uint64()}
	share := (float64(i) + 0.5) / float64(cfg.workers)
	if cfg.slow > 0 && t.frameTime == 0 {
		t.frameTime = usualFrameTime
	}
	if share > 1-cfg.slow {
		t.frameTime *= slowness
	}
	if when := time.Duration((1 - rng.Float64()) * freezing * float64(cfg.duration)); share < cfg.freeze {
		t.frozenFrom = when
	}
	t.live(rng, cfg.life)
	return t
}

// live draws how long somebody stays whose kind does for so long on average: any moment is as likely the last.
func (t *temper) live(rng *rand.Rand, mean time.Duration) {
	if mean > 0 {
		t.life = max(time.Millisecond, time.Duration(rng.ExpFloat64()*float64(mean)))
	}
}

// frozen reports whether the threads have stopped, so long after the start of the play.
func (t temper) frozen(played time.Duration) bool { return t.frozenFrom > 0 && played >= t.frozenFrom }

// drops reports whether the result of a lease gets lost.
func (t temper) drops(lease uint64) bool {
	return t.drop > 0 && rand.New(rand.NewPCG(t.seed, lease)).Float64() < t.drop
}
