package main

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func near(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance*want }

func TestWorldIsWhatItsFlagsSay(t *testing.T) {
	even := func(s *scenario) { s.mix = mix{} }
	for _, c := range []struct {
		name   string
		change func(*scenario)
		figure func(outcome) float64
		want   float64
		within float64
	}{
		{"20 workers of 10 ms", even, func(o outcome) float64 { return o.Capacity }, 2000. / 60, 0.01},
		{"of detail 4", func(s *scenario) { even(s); s.detail = 4 }, func(o outcome) float64 { return o.Capacity }, 2000. / 16 / 60, 0.02},
		{"half of them frozen", func(s *scenario) { even(s); s.freeze = 0.5 }, func(o outcome) float64 { return o.Capacity }, 1000. / 60, 0.01},
		{"a quarter of the results lost", func(s *scenario) { even(s); s.loss = 0.25 }, func(o outcome) float64 { return o.Capacity }, 1500. / 60, 0.01},
		{"every other one 50 times slower", func(s *scenario) { s.mix = mix{ratio: 50} }, func(o outcome) float64 { return o.Capacity }, 1020. / 60, 0.01},
		{"nobody", func(s *scenario) { s.workers = 0 }, func(o outcome) float64 { return o.ServerShare }, 1, 0},
		{"half of what is needed, and the server is in a hurry", func(s *scenario) { even(s); s.workers, s.speed, s.seed = 3, 100*time.Millisecond, 2 },
			func(o outcome) float64 { return 1 - o.ServerShare }, 0.45, 0.15},
		{"loss is waste", func(s *scenario) { even(s); s.loss = 0.25 }, func(o outcome) float64 { return o.WastedShare }, 0.25, 0.25},
		{"all killed for good", func(s *scenario) { s.kill = 20 * time.Second }, func(o outcome) float64 { return o.Capacity }, 0, 0},
		{"an answer is rendered and travels", func(s *scenario) { even(s); s.workers, s.speed, s.rtt = 1, 200*time.Millisecond, time.Second },
			func(o outcome) float64 { return o.AnswerP50 }, 2100, 0.4}, // two leases of 4 frames, one behind the other, and a second
	} {
		t.Run(c.name, func(t *testing.T) {
			o := play(t.Context(), brief(c.change))
			if got := c.figure(o); !near(got, c.want, c.within) {
				t.Errorf("got %v, want %v within %v%%: %+v", got, c.want, 100*c.within, o)
			}
		})
	}
}

func TestServersRenderingIsBounded(t *testing.T) {
	// At detail 8 a frame takes the server 25.6 ms: one processor renders 39 of 60 a second.
	o := play(t.Context(), brief(func(s *scenario) { s.workers, s.detail = 0, 8 }))
	if got, want := float64(o.Aired)/float64(o.Aired+o.Stalled), 1/0.0256/60; !near(got, want, 0.05) {
		t.Errorf("%.2f of the stream aired, want %.2f", got, want)
	}
}

func TestServerRendersNoMoreThanItIsAllowed(t *testing.T) {
	w := newWorld(brief(func(s *scenario) { s.workers = 0 }))
	w.now = w.server.plan.RescueBy(w.server.ring.Cursor()) - 1
	w.server.allowance = 5
	if first, count := w.server.missing(); count != 0 {
		t.Errorf("%d frames from %d on are missing, want none before their time", count, first)
	}
	w.now++
	if first, count := w.server.missing(); first != w.server.ring.Cursor() || count != 5 {
		t.Errorf("%d frames from %d on are missing, want the first 5", count, first)
	}
}

func TestWorkersLiveAsLongAsTheyShould(t *testing.T) {
	s := brief(func(s *scenario) { s.life, s.workers = 5*time.Second, 100 })
	w := newWorld(s)
	w.run(t.Context())
	if got, want := float64(w.joined), 100+100*60./5; !near(got, want, 0.1) {
		t.Errorf("%v workers came in a minute, want %v", got, want)
	}
	if len(w.tabs) != 100 {
		t.Errorf("%d live in the end, want 100", len(w.tabs))
	}
	if held := w.server.fleet.Conns(); held < 100 || held > 105 {
		t.Errorf("the server knows %d, want 100 and who has just left", held)
	}
}

func TestNoMessageOvertakesAnother(t *testing.T) {
	w := newWorld(brief(func(s *scenario) { s.workers, s.rtt = 0, time.Second }))
	tab := newTab(w, 1)
	var got []int
	for i := range 100 {
		w.after(time.Duration(i)*time.Millisecond, func() { tab.travel(up, func() { got = append(got, i) }) })
	}
	w.run(t.Context())
	for i, n := range got {
		if n != i {
			t.Fatalf("message %d arrives in place %d", n, i)
		}
	}
	if len(got) != 100 {
		t.Errorf("%d messages arrive, want 100", len(got))
	}
}

func TestMixes(t *testing.T) {
	for _, text := range []string{"same", "log:0.5", "log:3", "50:1", "1.5:1"} {
		var m mix
		if err := m.Set(text); err != nil || m.String() != text {
			t.Errorf("%q is %q, %v", text, m, err)
		}
	}
	for _, text := range []string{"", "Same", "log:", "log:0", "log:-1", "log:3.1", "log:NaN", "50", "1:1", "0:1", "-2:1", "NaN:1", "Inf:1", "50:2", "10001:1"} {
		var m mix
		if err := m.Set(text); err == nil || !strings.Contains(err.Error(), "got") {
			t.Errorf("%q is %q, %v; want an error that says what it got", text, m, err)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	var below int
	for i := range uint32(1000) {
		if (mix{sigma: 1}).draw(rng, i) < 1 {
			below++
		}
	}
	if below < 450 || below > 550 {
		t.Errorf("%d of 1000 are below the median", below)
	}
}

func TestBarsFollowTheScenario(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*scenario)
		tally  func(*tally)
		missed string // figures, in order
	}{
		{"all is well", nil, func(*tally) {}, ""},
		{"a stall", nil, func(y *tally) { y.stalled = 1 }, "stalled_frames"},
		{"the server renders 1%", nil, func(y *tally) { y.warmServer = 10 }, ""},
		{"more than that", nil, func(y *tally) { y.warmServer = 11 }, "server_share"},
		{"the same for a weak fleet", nil, func(y *tally) { y.warmServer, y.capacities = 11, []float64{300, 179, 300} }, ""},
		{"a fleet that is just strong enough", nil, func(y *tally) { y.warmServer, y.capacities = 11, []float64{180} }, "server_share"},
		{"10% where life is short", func(s *scenario) { s.life = 5 * time.Second }, func(y *tally) { y.warmServer = 100 }, ""},
		{"more than that", func(s *scenario) { s.life = 5 * time.Second }, func(y *tally) { y.warmServer = 101 }, "server_share"},
		{"5% wasted", nil, func(y *tally) { y.kept = 950 }, ""},
		{"more than that", nil, func(y *tally) { y.kept = 949 }, "wasted_share"},
		{"10% wasted where some leave", func(s *scenario) { s.life = 30 * time.Second }, func(y *tally) { y.kept = 900 }, ""},
		{"more than that", func(s *scenario) { s.life = 30 * time.Second }, func(y *tally) { y.kept = 899 }, "wasted_share"},
		{"where results get lost", func(s *scenario) { s.loss = 0.5 }, func(y *tally) { y.kept = 500 }, ""},
		{"all at once", nil, func(y *tally) { y.stalled, y.warmServer, y.kept = 1, 500, 0 }, "stalled_frames server_share wasted_share"},
	} {
		y := tally{warmAired: 1000, rendered: 1000, kept: 1000, capacities: []float64{600}}
		c.tally(&y)
		var missed []string
		for _, b := range y.outcome(brief(c.change)).missed() {
			missed = append(missed, b.Figure)
		}
		if got := strings.Join(missed, " "); got != c.missed {
			t.Errorf("%s: missed %q, want %q", c.name, got, c.missed)
		}
	}
}
