package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
)

// A scenario is a fleet and what happens to it. The same scenario always ends the same way.
type scenario struct {
	name    string
	workers int           // each with one thread
	speed   time.Duration // the median of what a frame of detail 1 takes a worker
	mix     mix
	rtt     time.Duration // the mean over the workers
	loss    float64       // share of the results
	freeze  float64       // share of the workers that freeze for good within freezeWithin of coming
	life    time.Duration // the mean of a worker, after which another one comes at once; 0 for to the end
	kill    time.Duration // when all workers vanish; 0 for never
	back    time.Duration // how long after that as many come; 0 for never
	strange bool          // workers begin as newcomers, and are not trusted at once

	detail   int
	lead     time.Duration
	cost     time.Duration // of a frame of detail 1, for the server
	auditors int
	floor    float64 // share of the frames of those who are trusted that must be audited

	duration time.Duration
	seed     uint64
}

// warmup is how long the fleet has before it counts who rendered what.
const warmup = 15 * time.Second

// freezeWithin is how soon after they have come those workers freeze that do.
const freezeWithin = 10 * time.Second

// pace is what the stream plays, in frames a second.
const pace = float64(donut.FPS)

// plain is a scenario in which all is well.
var plain = scenario{
	name: "calm", workers: 20, speed: 10 * time.Millisecond, mix: mix{sigma: 0.5}, rtt: 50 * time.Millisecond,
	detail: 1, lead: 10 * time.Second, cost: 400 * time.Microsecond, auditors: 1, floor: 0.05,
	duration: 300 * time.Second, seed: 1,
}

// sweep returns the built-in scenarios, variations of one.
func sweep(base scenario) []scenario {
	vary := func(name string, change func(*scenario)) scenario {
		s := base
		s.name = name
		change(&s)
		return s
	}
	return []scenario{
		vary("calm", func(*scenario) {}),
		vary("50% frozen", func(s *scenario) { s.freeze = 0.5 }),
		vary("80% frozen", func(s *scenario) { s.freeze = 0.8 }),
		vary("life 30 s", func(s *scenario) { s.life = 30 * time.Second }),
		vary("life 5 s", func(s *scenario) { s.life = 5 * time.Second }),
		vary("drop 25%", func(s *scenario) { s.loss = 0.25 }),
		vary("drop 50%", func(s *scenario) { s.loss = 0.5 }),
		vary("all killed at once", func(s *scenario) { s.kill, s.back = s.duration/2, 20*time.Second }),
		vary("nobody", func(s *scenario) { s.workers = 0 }),
		vary("50:1 speeds", func(s *scenario) { s.mix = mix{ratio: 50} }),
		vary("all together", func(s *scenario) {
			s.mix, s.freeze, s.loss, s.life = mix{ratio: 50}, 0.3, 0.25, 20*time.Second
		}),
		vary("newcomers, life 30 s", func(s *scenario) { s.strange, s.life = true, 30*time.Second }),
		vary("detail 8, 3 times the need", func(s *scenario) {
			s.detail, s.mix = 8, mix{}
			each := s.speed.Seconds() * 64
			s.workers = int(math.Ceil(3 * pace * each))
		}),
		vary("10,000 workers", func(s *scenario) { s.workers = 10_000 }),
		vary("10,000, half frozen, life 30 s", func(s *scenario) {
			s.workers, s.freeze, s.life = 10_000, 0.5, 30*time.Second
		}),
	}
}

// The bounds of a scenario.
const (
	maxWorkers  = 10_000
	minSpeed    = 10 * time.Microsecond
	maxSpeed    = time.Minute
	maxRTT      = 10 * time.Second
	minLife     = 100 * time.Millisecond
	minLead     = 4 * time.Second
	maxLead     = time.Minute
	minDuration = 16 * time.Second
	maxDuration = 24 * time.Hour
	maxAuditors = 64
)

// check returns an error where a value is out of its bounds.
func (s scenario) check() error {
	for _, f := range []struct {
		name           string
		got, low, high int
	}{
		{"workers", s.workers, 0, maxWorkers},
		{"detail", s.detail, 1, donut.MaxDetail},
		{"auditors", s.auditors, 1, maxAuditors},
	} {
		if f.got < f.low || f.got > f.high {
			return fmt.Errorf("-%s: got %d, want %d to %d", f.name, f.got, f.low, f.high)
		}
	}
	for _, f := range []struct {
		name           string
		got, low, high time.Duration
	}{
		{"speed", s.speed, minSpeed, maxSpeed},
		{"rtt", s.rtt, 0, maxRTT},
		{"lead", s.lead, minLead, maxLead},
		{"cost", s.cost, minSpeed, maxSpeed},
		{"seconds", s.duration, minDuration, maxDuration},
		{"kill", s.kill, 0, maxDuration},
		{"back", s.back, 0, maxDuration},
	} {
		if f.got < f.low || f.got > f.high {
			return fmt.Errorf("-%s: got %v, want %v to %v", f.name, f.got, f.low, f.high)
		}
	}
	for _, f := range []struct {
		name string
		got  float64
	}{{"loss", s.loss}, {"freeze", s.freeze}} {
		if !(f.got >= 0 && f.got <= 1) {
			return fmt.Errorf("-%s: got %v, want 0 to 1", f.name, f.got)
		}
	}
	if !(s.floor > 0 && s.floor <= 1) {
		return fmt.Errorf("-floor: got %v, want more than 0 and at most 1", s.floor)
	}
	if s.life != 0 && (s.life < minLife || s.life > maxDuration) {
		return fmt.Errorf("-life: got %v, want 0s, or %v to %v", s.life, minLife, maxDuration)
	}
	if s.back > 0 && s.kill == 0 {
		return fmt.Errorf("-back: got %v, but without -kill nobody is away", s.back)
	}
	return nil
}

// A mix is how the speeds of a fleet differ. Its zero value is a fleet of equals.
type mix struct {
	sigma float64 // of a log-normal distribution; 0 for none
	ratio float64 // how many times slower every other worker is; 0 for none
}

const (
	maxSigma = 3
	maxRatio = 10_000
)

// String implements flag.Value.
func (m mix) String() string {
	switch {
	case m.sigma != 0:
		return "log:" + strconv.FormatFloat(m.sigma, 'g', -1, 64)
	case m.ratio != 0:
		return strconv.FormatFloat(m.ratio, 'g', -1, 64) + ":1"
	}
	return "same"
}

// Set implements flag.Value.
func (m *mix) Set(text string) error {
	if text == "same" {
		*m = mix{}
		return nil
	}
	if sigma, ok := strings.CutPrefix(text, "log:"); ok {
		if x, err := strconv.ParseFloat(sigma, 64); err == nil && x > 0 && x <= maxSigma {
			*m = mix{sigma: x}
			return nil
		}
	}
	if ratio, ok := strings.CutSuffix(text, ":1"); ok {
		if x, err := strconv.ParseFloat(ratio, 64); err == nil && x > 1 && x <= maxRatio {
			*m = mix{ratio: x}
			return nil
		}
	}
	return fmt.Errorf("got %q, want same, log:S with S up to %d, or R:1 with R from 1 to %d", text, maxSigma, maxRatio)
}

// draw returns how many times the median the worker with this number takes for a frame.
func (m mix) draw(rng *rand.Rand, number uint32) float64 {
	switch {
	case m.sigma != 0:
		return math.Exp(m.sigma * rng.NormFloat64())
	case m.ratio != 0 && number%2 == 0:
		return m.ratio
	}
	return 1
}
