package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// tempers draws those of 1,000 workers.
func tempers(change func(*config)) (drawn []temper) {
	cfg := config{workers: 1000, duration: 100 * time.Second}
	change(&cfg)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range cfg.workers {
		drawn = append(drawn, cfg.newTemper(rng, i))
	}
	return drawn
}

func count(drawn []temper, has func(temper) bool) (n int) {
	for _, t := range drawn {
		if has(t) {
			n++
		}
	}
	return n
}

func TestTempers(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*config)
		has    func(temper) bool
		want   int
	}{
		{"honest and fast", func(*config) {}, func(t temper) bool {
			return t.frameTime == 0 && t.frozenFrom == 0 && t.drop == 0 && t.life == 0
		}, 1000},
		{"slow", func(c *config) { c.slow = 0.3 }, func(t temper) bool { return t.frameTime == 50*time.Millisecond }, 300},
		{"fast beside slow", func(c *config) { c.slow = 0.3 }, func(t temper) bool { return t.frameTime == time.Millisecond }, 700},
		{"slow by a given time", func(c *config) { c.slow, c.frameTime = 0.5, 20*time.Millisecond }, func(t temper) bool {
			return t.frameTime == time.Second
		}, 500},
		{"frozen", func(c *config) { c.freeze = 0.8 }, func(t temper) bool {
			return t.frozenFrom > 0 && t.frozenFrom <= 20*time.Second
		}, 800},
		{"frozen and slow", func(c *config) { c.freeze, c.slow = 0.5, 0.5 }, func(t temper) bool {
			return t.frozenFrom > 0 && t.frameTime > usualFrameTime
		}, 0},
		{"mortal", func(c *config) { c.life = time.Minute }, func(t temper) bool { return t.life > 0 }, 1000},
	} {
		if got := count(tempers(c.change), c.has); got != c.want {
			t.Errorf("%d of 1000 are %s, want %d", got, c.name, c.want)
		}
	}
}

func TestLivesLastAsLongAsTheyShouldOnAverage(t *testing.T) {
	var sum time.Duration
	for _, each := range tempers(func(c *config) { c.life = 30 * time.Second }) {
		sum += each.life
	}
	if mean := sum / 1000; mean < 27*time.Second || mean > 33*time.Second {
		t.Errorf("the mean life is %v, want 30 s", mean)
	}
}

func TestDrops(t *testing.T) {
	for _, share := range []float64{0, 0.25, 0.5, 1} {
		lost := 0
		for lease := range uint64(10_000) {
			if (temper{drop: share, seed: 7}).drops(lease) {
				lost++
			}
		}
		if got := float64(lost) / 10_000; math.Abs(got-share) > 0.02 {
			t.Errorf("%v of the results get lost, want %v", got, share)
		}
	}
	if (temper{drop: 0.5, seed: 1}).drops(5) == (temper{drop: 0.5, seed: 2}).drops(5) &&
		(temper{drop: 0.5, seed: 1}).drops(6) == (temper{drop: 0.5, seed: 2}).drops(6) &&
		(temper{drop: 0.5, seed: 1}).drops(7) == (temper{drop: 0.5, seed: 2}).drops(7) &&
		(temper{drop: 0.5, seed: 1}).drops(8) == (temper{drop: 0.5, seed: 2}).drops(8) {
		t.Error("two workers lose the same results")
	}
}

func TestFrozen(t *testing.T) {
	frozen := temper{frozenFrom: 10 * time.Second}
	if frozen.frozen(9*time.Second) || !frozen.frozen(10*time.Second) || (temper{}).frozen(time.Hour) {
		t.Error("frozen at the wrong time")
	}
}
