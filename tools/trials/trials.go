package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/distributed-donut/donut/tools/progress"
)

// A trial is one thing that strangers do.
type trial struct {
	name, about string
	duration    time.Duration
	server      []string // flags
	play        func(ctx context.Context, s *stage, d time.Duration, f *findings) error
	compute     func(ctx context.Context, f *findings) error // in place of play, for what needs no server
}

// minDuration is the least that a trial can last and still have something to say.
const minDuration = 15 * time.Second

// trials are all that there are.
var trials = []trial{
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

// find returns the trials of these names, or all of them for none.
func find(names []string) ([]trial, error) {
	if len(names) == 0 {
		return trials, nil
	}
	var found []trial
	for _, name := range names {
		i := slices.IndexFunc(trials, func(t trial) bool { return t.name == name })
		if i < 0 {
			return nil, fmt.Errorf("got trial %q, want one that -list names", name)
		}
		found = append(found, trials[i])
	}
	return found, nil
}

// make makes a trial.
func (t trial) make(ctx context.Context, bin string, stderr io.Writer, line *progress.Line) (f findings, err error) {
	start := time.Now()
	f.Trial = t.name
	if t.compute != nil {
		err = t.compute(ctx, &f)
		f.Seconds = time.Since(start).Seconds()
		return f, err
	}
	s, err := open(ctx, bin, stderr, line, t.server)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	stop := s.tick(t.name, t.duration)
	defer stop()
	err = t.play(ctx, s, t.duration, &f)
	f.Seconds = time.Since(start).Seconds()
	return f, err
}

// tick shows that time passes. The function that it returns ends that.
func (s *stage) tick(name string, d time.Duration) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		start, ticker := time.Now(), time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
				s.line.Show("%s: %v of %v", name, time.Since(start).Round(time.Second), d)
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
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
	stats, err := s.stats(ctx)
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
	settle := d / 4
	type result struct {
		report map[string]float64
		err    error
	}
	honest := make(chan result, 1)
	go func() {
		report, err := s.swarm(ctx, d, "-workers", "10", "-viewers", "20")
		honest <- result{report, err}
	}()
	if err := s.wait(ctx, settle); err != nil {
		<-honest
		return err
	}
	calm, err := s.cores(ctx, settle)
	before, statsErr := s.stats(ctx)
	const rate = 1000
	blow := d/2 - 2*time.Second // within the time that is left
	joins := min(20_000, int(rate*blow.Seconds()))
	stormy := make(chan result, 1)
	go func() {
		report, err := s.swarm(ctx, blow+time.Second, "-workers", "0", "-viewers", "1", "-storm", strconv.Itoa(joins),
			"-storm-rate", strconv.Itoa(rate))
		stormy <- result{report, err}
	}()
	busy, busyErr := s.cores(ctx, min(blow, time.Duration(joins)*time.Second/rate))
	storm := <-stormy
	after, afterErr := s.stats(ctx)
	crowd := <-honest
	if err := errors.Join(err, statsErr, busyErr, afterErr, storm.err, crowd.err); err != nil {
		return err
	}
	f.tell("hostile joins", storm.report["hostile_joins"])
	f.tell("hostile joins refused", storm.report["hostile_refused"])
	f.tell("hostile joins a second", storm.report["hostile_rate"])
	f.tell("of these: lent a chunk", storm.report["hostile_lent"])
	f.tell("of these: evicted", storm.report["hostile_evicted"])
	f.believed(crowd.report)
	f.exactly("frames missed by viewers", crowd.report["frames_missed"], 0)
	aired := after["aired_frames"] - before["aired_frames"]
	f.exactly("frames stalled", after["stalled_frames"]-before["stalled_frames"], 0)
	f.atLeast("share of the frames that the honest rendered", (after["fleet_frames"]-before["fleet_frames"])/aired, 0.9)
	f.tell("server's cores when it is calm", calm)
	f.atMost("server's cores beyond that in the storm", busy-calm, 0.5)
	return nil
}
