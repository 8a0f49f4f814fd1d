package main

import (
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/schedule"
	"github.com/distributed-donut/donut/server/timeline"
)

// A tally counts what happens in a world. Who rendered what is counted once the fleet has warmed up.
type tally struct {
	from timeline.Instant // the end of the warm-up

	aired, stalled         int
	warmAired, warmServer  int
	rendered, kept         int // since the warm-up, by the fleet and the server; what was on its way then is kept only
	leases, missed, hedged int
	lent                   map[uint64]timeline.Instant // leases that are not answered
	took                   []time.Duration             // from lend to answer

	capacities []float64 // frames a second of the fleet, sampled since the warm-up

	// Of this machine's time, and not the world's.
	decisions int
	deciding  time.Duration
}

func (t *tally) air(now timeline.Instant, f ring.Frame) {
	if f.Packed == nil {
		t.stalled++
		return
	}
	t.aired++
	if now >= t.from {
		t.warmAired++
		if f.Owner == ring.Server {
			t.warmServer++
		}
	}
}

func (t *tally) render(now timeline.Instant, frames int) {
	if now >= t.from {
		t.rendered += frames
	}
}

func (t *tally) keep(now timeline.Instant, frames int) {
	if now >= t.from {
		t.kept += frames
	}
}

func (t *tally) lend(now timeline.Instant, l schedule.Lease) {
	t.leases++
	if l.Hedge {
		t.hedged += l.Count
	}
	if t.lent == nil {
		t.lent = make(map[uint64]timeline.Instant)
	}
	t.lent[l.ID] = now
}

func (t *tally) answer(lease uint64, now timeline.Instant) {
	if at, ok := t.lent[lease]; ok {
		t.took = append(t.took, now.Sub(at))
		delete(t.lent, lease)
	}
}

func (t *tally) capacity(framesPerSecond float64) {
	t.capacities = append(t.capacities, framesPerSecond)
}

// decide counts a call of the scheduler that began then.
func (t *tally) decide(begun time.Time) {
	t.decisions++
	t.deciding += time.Since(begun)
}

// An outcome is what came of a scenario.
type outcome struct {
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	Workers  int    `json:"workers"`
	// Capacity is how many times the stream's pace the fleet could render at its lowest after the warm-up.
	Capacity    float64 `json:"capacity"`
	Aired       int     `json:"aired_frames"`
	Stalled     int     `json:"stalled_frames"`
	ServerShare float64 `json:"server_share"` // of what aired after the warm-up
	WastedShare float64 `json:"wasted_share"` // of what was rendered after the warm-up, be it to the end or in part
	Hedged      int     `json:"hedged_frames"`
	Leases      int     `json:"leases"`
	Missed      int     `json:"missed_leases"`
	AnswerP50   float64 `json:"answer_ms_p50"` // from lend to answer
	AnswerP95   float64 `json:"answer_ms_p95"`
	Decision    float64 `json:"decision_us"` // what a call of the scheduler takes this machine, on average
	Bars        []bar   `json:"bars"`
}

// A bar is the most that a figure may be.
type bar struct {
	Figure string  `json:"figure"`
	Got    float64 `json:"got"`
	Most   float64 `json:"most"`
}

func (b bar) missed() bool { return !(b.Got <= b.Most) }

// shortLife is how long workers live on average where the server may render more.
const shortLife = 10 * time.Second

// enough is how many times the pace a fleet must be able to render to be held to a share of the server.
const enough = 3

func (t *tally) outcome(s scenario) outcome {
	slices.Sort(t.took)
	o := outcome{
		Scenario: s.name, Seed: s.seed, Workers: s.workers, Aired: t.aired, Stalled: t.stalled,
		ServerShare: share(t.warmServer, t.warmAired), WastedShare: share(max(0, t.rendered-t.kept), t.rendered),
		Hedged: t.hedged, Leases: t.leases, Missed: t.missed,
		AnswerP50: quantile(t.took, 0.5), AnswerP95: quantile(t.took, 0.95),
	}
	if len(t.capacities) > 0 {
		o.Capacity = slices.Min(t.capacities) / pace
	}
	if t.decisions > 0 {
		o.Decision = t.deciding.Seconds() * 1e6 / float64(t.decisions)
	}
	o.Bars = []bar{{"stalled_frames", float64(o.Stalled), 0}}
	if o.Capacity >= enough {
		most := 0.01
		if 0 < s.life && s.life < shortLife {
			most = 0.10
		}
		o.Bars = append(o.Bars, bar{"server_share", o.ServerShare, most})
	}
	if s.freeze == 0 && s.loss == 0 && s.kill == 0 {
		switch {
		case s.life == 0:
			o.Bars = append(o.Bars, bar{"wasted_share", o.WastedShare, 0.05})
		case s.life >= 30*time.Second:
			o.Bars = append(o.Bars, bar{"wasted_share", o.WastedShare, 0.10})
		}
	}
	return o
}

// missed returns the bars that were missed.
func (o outcome) missed() (missed []bar) {
	for _, b := range o.Bars {
		if b.missed() {
			missed = append(missed, b)
		}
	}
	return missed
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// quantile is in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))].Seconds() * 1000
}
