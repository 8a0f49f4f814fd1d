package main

import (
	"context"
	"errors"
	"strconv"
	"syscall"
	"time"
)

// A restart ends a server under load, and starts another one in its place.
type restart struct {
	name, about string
	signal      syscall.Signal
}

const (
	// restartBack is how long a viewer may be without a picture, in milliseconds.
	restartBack = 15_000
	// restartSeconds is for how long it is measured what the new server takes.
	restartSeconds = 15
)

func (r restart) trial() trial {
	return trial{name: r.name, about: r.about, duration: time.Minute, size: size{Viewers: 5000, Workers: 10}, play: r.play}
}

// play lets the crowd settle for two fifths of the time.
func (r restart) play(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	crowd := s.begin(ctx, d, "-workers", strconv.Itoa(s.size.Workers), "-viewers", strconv.Itoa(s.size.Viewers), "-return")
	err := wait(ctx, d*2/5)
	start := time.Now()
	if err == nil {
		err = s.restart(ctx, r.signal)
	}
	away := time.Since(start)
	var busiest, total float64 // cores
	seconds := min(restartSeconds, int((d / 4).Seconds()))
	for range seconds {
		if err == nil {
			var cores float64
			cores, err = s.cores(ctx, time.Second)
			busiest = max(busiest, cores)
			total += cores
		}
	}
	report, crowdErr := crowd.end()
	if err = errors.Join(err, crowdErr); err != nil {
		return err
	}
	stats, err := s.statsAfter(ctx, 0)
	if err != nil {
		return err
	}
	f.believed(report)
	f.safe("returns to a frame from before", report["backward"], 0)
	f.exactly("other faults that they found", report["faults"], 0)
	f.tell("returns", report["returned"])
	f.exactly("viewers that are not back in the end", report["not_back"], 0)
	f.tell("until the new server listened, ms", away.Seconds()*1e3)
	f.tell("until a picture was there again, ms, p50", report["return_ms_p50"])
	f.tell("likewise, p99", report["return_ms_p99"])
	f.atMost("likewise, the last", report["return_ms_p100"], restartBack)
	f.tell("times that they tried to", report["return_tries"])
	f.tell("joins within the busiest second", report["return_peak"])
	f.tell("the new server's cores in its first seconds", total/float64(seconds))
	f.tell("likewise, in the busiest one", busiest)
	f.tell("frames aired by it", stats["aired_frames"])
	f.tell("frames stalled at it", stats["stalled_frames"])
	f.tell("frames missed by viewers, before and after", report["frames_missed"])
	return nil
}
