package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/airing"
)

// brief is the plain scenario for a minute, and what a test changes.
func brief(change func(*scenario)) scenario {
	s := plain
	s.duration = time.Minute
	if change != nil {
		change(&s)
	}
	return s
}

func TestFleetsMeetTheBars(t *testing.T) {
	for _, s := range sweep(brief(nil)) {
		seeds := uint64(3)
		if s.workers > 1000 {
			if testing.Short() {
				continue
			}
			s.duration, seeds = minDuration, 1
		}
		for seed := range seeds {
			s.seed = seed
			t.Run(fmt.Sprintf("%s, seed %d", s.name, seed), func(t *testing.T) {
				o := play(t.Context(), s)
				for _, b := range o.missed() {
					t.Errorf("%s is %v, want at most %v\n%+v", b.Figure, b.Got, b.Most, o)
				}
				if want := int((s.duration - (s.lead-airing.Ahead)/2).Seconds()); o.Aired < (want-1)*60 || o.Aired > (want+1)*60 {
					t.Errorf("%d frames aired, want %d within a second", o.Aired, want*60)
				}
			})
		}
	}
}

// What a scheduler does that the bars alone would not show: most of a fleet's failures cost no more than a hedge or two.
func TestFleetsAreUsedWell(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scenario)
		holds  func(outcome) bool
	}{
		{"leases are rarely missed in a calm fleet", nil, func(o outcome) bool { return o.Missed <= o.Leases/100 }},
		{"a chunk takes about what it should", func(s *scenario) { s.mix, s.workers = mix{}, 4 },
			func(o outcome) bool { return o.AnswerP50 > 150 && o.AnswerP50 < 700 }},
		{"half of a fleet is frozen and little is lent to it", func(s *scenario) { s.freeze = 0.5 },
			func(o outcome) bool { return o.Missed < 12*o.Workers/2 }},
		{"slow workers are given what airs late", func(s *scenario) { s.mix = mix{ratio: 20}; s.speed = 20 * time.Millisecond },
			func(o outcome) bool { return o.ServerShare == 0 && o.Missed < o.Leases/10 }},
		{"what newcomers send is worth its audit", func(s *scenario) { s.strange, s.life = true, 20*time.Second },
			func(o outcome) bool { return o.ServerShare < 0.01 && o.WastedShare < 0.10 }},
		{"a ring of 6 s is enough where tabs live for 5 s", func(s *scenario) { s.lead, s.life = 6*time.Second, 5*time.Second },
			func(o outcome) bool { return o.ServerShare < 0.10 }},
		{"a ring of 4 s leaves tabs the time to render", func(s *scenario) { s.lead = 4 * time.Second },
			func(o outcome) bool { return o.ServerShare < 0.01 }},
		{"far away", func(s *scenario) { s.rtt = 2 * time.Second }, func(o outcome) bool { return o.ServerShare < 0.01 }},
		{"frozen tabs pass no chunk on until it airs", func(s *scenario) { s.freeze, s.speed, s.mix = 0.8, 20*time.Millisecond, mix{} },
			func(o outcome) bool { return o.ServerShare < 0.01 }},
		{"a ring that is lost is dealt out again", func(s *scenario) { s.kill, s.back = 20*time.Second, 2*time.Second },
			func(o outcome) bool { return o.ServerShare < 0.01 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(4) {
				s := brief(c.change)
				s.seed = seed
				if o := play(t.Context(), s); o.Stalled > 0 || !c.holds(o) {
					t.Errorf("%+v", o)
				}
			}
		})
	}
}

// TestNewcomersAreTrustedOneAfterTheOther has audits so dear that the auditor cannot make those of all newcomers.
func TestNewcomersAreTrustedOneAfterTheOther(t *testing.T) {
	for seed := range uint64(4) {
		w := newWorld(brief(func(s *scenario) {
			s.strange, s.detail, s.workers, s.speed, s.duration = true, 16, 40, 350*time.Microsecond, 2*time.Minute
			s.seed = seed
		}))
		w.run(t.Context())
		if got := w.server.fleet.Trusted(); got < 5 {
			t.Errorf("seed %d: %d newcomers are trusted after two minutes, want 5", seed, got)
		}
	}
}

func TestOutcomeDependsOnTheSeedAlone(t *testing.T) {
	run := func(seed uint64) string {
		o := play(t.Context(), brief(func(s *scenario) {
			s.seed, s.life, s.freeze, s.loss, s.kill, s.back = seed, 10*time.Second, 0.2, 0.1, 30*time.Second, time.Second
		}))
		o.Decision = 0 // that is this machine's time
		return fmt.Sprintf("%+v", o)
	}
	first := run(1)
	if second := run(1); second != first {
		t.Errorf("with the same seed\n%s\nand then\n%s", first, second)
	}
	for seed := range uint64(3) {
		s := brief(func(s *scenario) { s.seed = seed })
		next := s
		next.seed++
		if a, b := newTab(newWorld(s), 1), newTab(newWorld(next), 1); a.perFrame == b.perFrame || a.way == b.way {
			t.Errorf("with seeds %d and %d the first tab takes %v a frame and %v a way, and %v and %v", s.seed, next.seed,
				a.perFrame, a.way, b.perFrame, b.way)
		}
	}
}

// BenchmarkPlay plays 300 s of 20 workers.
func BenchmarkPlay(b *testing.B) {
	for b.Loop() {
		if o := play(b.Context(), plain); o.Stalled > 0 {
			b.Fatalf("%+v", o)
		}
	}
}
