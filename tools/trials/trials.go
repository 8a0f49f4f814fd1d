package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// A trial is one thing that strangers do.
type trial struct {
	name, about string
	duration    time.Duration
	size        size     // where it can be chosen
	server      []string // flags
	setting     setting  // of one server alone, unless it says otherwise
	play        func(ctx context.Context, s *stage, d time.Duration, f *findings) error
	compute     func(ctx context.Context, f *findings) error // in place of play, for what needs no server
}

// A size says how big a trial is. It is 0 where that cannot be chosen, or was not.
type size struct {
	Viewers int     `json:"viewers,omitempty"`
	Workers int     `json:"workers,omitempty"`
	Hostile int     `json:"hostile,omitempty"`
	Rate    float64 `json:"rate,omitempty"` // messages a second of each who is hostile
}

// or returns the size with what was chosen in place of what can be.
func (s size) or(chosen size) size {
	return size{
		either(s.Viewers, chosen.Viewers), either(s.Workers, chosen.Workers), either(s.Hostile, chosen.Hostile),
		either(s.Rate, chosen.Rate),
	}
}

func either[N int | float64](own, chosen N) N {
	if own == 0 || chosen == 0 {
		return own
	}
	return chosen
}

func (s size) valid() bool { return s.Viewers >= 0 && s.Workers >= 0 && s.Hostile >= 0 && s.Rate >= 0 }

// minDuration is the least that a trial can last and still have something to say.
const minDuration = 15 * time.Second

// strangers is what those do who are there to harm.
var strangers = []trial{
	{
		name: "forgers", about: "20 workers, of whom 6 forge alike in every way there is, and come again when they are evicted",
		duration: 10 * time.Minute, play: playForgers,
	},
	{
		name: "storm", about: "hostile joins, each from another network and with a forged chunk, as fast as can be up to 1,000 a second",
		duration: time.Minute, play: playStorm,
	},
	{
		name: "odds", about: "what forgers who are trusted submit and get aired where a twentieth is audited, by chunk and strategy",
		compute: playOdds,
	},
}

// trials returns all that there are.
func trials() []trial {
	all := slices.Concat(strangers, fanouts, endurance, fleets)
	return append(all, groups()["chaos"]...)
}

// groups are trials that one name stands for.
func groups() map[string][]trial {
	chaos := make([]trial, len(matrix))
	for i, c := range matrix {
		chaos[i] = c.trial()
	}
	return map[string][]trial{"chaos": chaos, "fleet": fleets}
}

// find returns the trials of these names, or all of them for none. "chaos" stands for the matrix, and "fleet" for those of
// several servers.
func find(names []string) (found []trial, err error) {
	if len(names) == 0 {
		return trials(), nil
	}
	for _, name := range names {
		if group, ok := groups()[name]; ok {
			found = append(found, group...)
			continue
		}
		i := slices.IndexFunc(trials(), func(t trial) bool { return t.name == name })
		if i < 0 {
			return nil, fmt.Errorf("got trial %q, want one that -list names, chaos or fleet", name)
		}
		found = append(found, trials()[i])
	}
	return found, nil
}

// make makes a trial.
func (t trial) make(ctx context.Context, bin string, stderr io.Writer) (f findings, err error) {
	start := time.Now()
	f.Trial, f.Duration, f.Size = t.name, t.duration, t.size
	if t.compute != nil {
		err = t.compute(ctx, &f)
		f.Seconds = time.Since(start).Seconds()
		return f, err
	}
	s, err := open(ctx, bin, stderr, t)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	err = t.play(ctx, s, t.duration, &f)
	f.Seconds = time.Since(start).Seconds()
	return f, err
}

// believed adds what no trial may show.
func (f *findings) believed(crowd map[string]float64) {
	f.safe("forged frames seen", crowd["frames_forged_seen"], 0)
	f.safe("honest workers evicted", crowd["honest_evicted"], 0)
	f.safe("forgers not evicted", crowd["forgers"]-crowd["forgers_evicted"], 0)
}

func playForgers(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	meter, err := s.newMeter(ctx)
	if err != nil {
		return err
	}
	defer meter.close()
	crowd, err := s.swarm(ctx, d, "-workers", "20", "-viewers", "20", "-forge", "0.3", "-strategy", "all")
	if err != nil {
		return err
	}
	stats, err := s.statsAfter(ctx, 0)
	if err != nil {
		return err
	}
	cost, err := meter.cost()
	if err != nil {
		return err
	}
	f.tell("forgers", crowd["forgers"])
	f.tell("forged frames sent", crowd["frames_forged"])
	f.believed(crowd)
	f.exactly("frames missed by viewers", crowd["frames_missed"], 0)
	f.exactly("other faults that they found", crowd["faults"], 0)
	f.exactly("frames stalled", stats["stalled_frames"], 0)
	f.exactly("frames aired unaudited", stats["aired_unaudited_frames"], 0)
	f.tell("frames aired", stats["aired_frames"])
	f.tell("frames audited", stats["audited_frames"])
	f.tell("processor time of a frame in wazero, us", cost.Seconds()*1e6)
	f.atMost("auditors' processor time / (frames audited x one render)", stats["audit_cpu_seconds"]/(stats["audited_frames"]*cost.Seconds()), 1.2)
	return nil
}

func playStorm(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	// The honest are here first, and stay to the end. A quarter of the time shows what the server takes when it is calm.
	honest := s.begin(ctx, d, "-workers", "10", "-viewers", "20")
	err := wait(ctx, d/4)
	calm, calmErr := s.cores(ctx, d/4)
	before, statsErr := s.statsAfter(ctx, 0)
	const rate = 1000
	blow := d/2 - 2*time.Second // within the time that is left
	joins := min(20_000, int(rate*blow.Seconds()))
	intruders := s.begin(ctx, blow+time.Second, "-workers", "0", "-viewers", "1", "-storm", strconv.Itoa(joins),
		"-storm-rate", strconv.Itoa(rate))
	busy, busyErr := s.cores(ctx, min(blow, time.Duration(joins)*time.Second/rate))
	storm, stormErr := intruders.end()
	after, afterErr := s.statsAfter(ctx, 0)
	crowd, crowdErr := honest.end()
	if err := errors.Join(err, calmErr, statsErr, busyErr, stormErr, afterErr, crowdErr); err != nil {
		return err
	}
	f.tell("hostile joins", storm["hostile_joins"])
	f.tell("hostile joins refused", storm["hostile_refused"])
	f.tell("hostile joins a second", storm["hostile_rate"])
	f.tell("of these: lent a chunk", storm["hostile_lent"])
	f.tell("of these: evicted", storm["hostile_evicted"])
	f.believed(crowd)
	f.exactly("frames missed by viewers", crowd["frames_missed"], 0)
	f.exactly("other faults that they found", crowd["faults"], 0)
	aired := after["aired_frames"] - before["aired_frames"]
	f.exactly("frames stalled", after["stalled_frames"]-before["stalled_frames"], 0)
	f.atLeast("share of the frames that the honest rendered", (after["fleet_frames"]-before["fleet_frames"])/aired, 0.9)
	f.tell("server's cores when it is calm", calm)
	f.atMost("server's cores beyond that in the storm", busy-calm, 0.5)
	return nil
}
