package main

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// endurance is what a server has to stand for long, and what it has to come back from.
var endurance = []trial{
	{
		name:     "soak",
		about:    "9,000 viewers and 200 workers who stay for 4 minutes on average, and 460 who drop, forge or send garbage",
		duration: 10 * time.Minute, size: size{Viewers: 9000, Workers: 200, Hostile: 460}, play: playSoak,
	},
	restart{
		name: "restart", about: "5,000 viewers whose server is killed, and started again", signal: syscall.SIGKILL,
	}.trial(),
	restart{
		name: "redeploy", about: "5,000 viewers whose server says goodbye, and is started again", signal: syscall.SIGTERM,
	}.trial(),
	{
		name:     "flood",
		about:    "2,000 sockets that send 200 useless messages a second each, and 20 that send garbage and come again",
		duration: time.Minute, size: size{Viewers: 500, Workers: 10, Hostile: 2000, Rate: 200}, play: playFlood,
	},
}

const (
	// soakLife is how long a tab stays on average: a quarter of them leaves each minute.
	soakLife = "4m"
	// soakMemory is how much memory a server of this size may take, in MiB, and soakGrowth how many times what it took at
	// first it may take in the end.
	soakMemory = 250
	soakGrowth = 1.1
	// arrivalSpacing is how far apart a swarm's people arrive, unless that takes more than a quarter of the time.
	arrivalSpacing = 5 * time.Millisecond
	// sampleBeat is how often memory is looked at.
	sampleBeat = time.Second
)

// playSoak has everybody come, die, and be replaced. Each third of the hostile does something else.
func playSoak(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	before, err := s.footprint(ctx)
	if err != nil {
		return err
	}
	third := strconv.Itoa(s.size.Hostile / 3)
	crowds := []*crowd{
		s.begin(ctx, d, "-workers", "0", "-viewers", strconv.Itoa(s.size.Viewers), "-life", soakLife),
		s.begin(ctx, d, "-workers", strconv.Itoa(s.size.Workers), "-viewers", "1", "-life", soakLife, "-decoders", "1",
			"-seed", "2"),
		s.begin(ctx, d, "-workers", third, "-viewers", "1", "-life", soakLife, "-decoders", "1", "-seed", "3",
			"-drop", "0.5"),
		s.begin(ctx, d, "-workers", third, "-viewers", "1", "-life", soakLife, "-decoders", "1", "-seed", "4",
			"-forge", "1", "-garbage", third, "-garbage-rate", "1"),
	}
	arrived := min(time.Duration(s.size.Viewers)*arrivalSpacing, d/4)
	taken, sampleErr := s.sample(ctx, d, max(d/10, arrived))
	sum, crowdErr := endAll(crowds)
	stats, statsErr := s.statsAfter(ctx, 0)
	more, moreErr := s.footprintOver(ctx, before)
	if err := errors.Join(sampleErr, crowdErr, statsErr, moreErr); err != nil {
		return err
	}
	f.believed(sum)
	f.safe("goroutines more than before, when all have left", float64(more.goroutines), 0)
	f.safe("descriptors more than before, when all have left", float64(more.descriptors), 0)
	f.tell("frames aired", stats["aired_frames"])
	f.exactly("frames stalled", stats["stalled_frames"], 0)
	f.exactly("frames missed by viewers", sum["frames_missed"], 0)
	f.exactly("other faults that they found", sum["faults"], 0)
	f.tell("frames aired unaudited", stats["aired_unaudited_frames"])
	f.tell("identities that forged", sum["forgers"])
	f.tell("forged frames sent", sum["frames_forged"])
	f.tell("connections that sent garbage, and were told so", sum["hostile_closed.malformed"])
	f.tell("server's cores", taken.cores)
	f.tell("its memory in a tenth of the time, once all are there, MiB, median", taken.early)
	f.atMost("its memory at its most, MiB", taken.most, soakMemory)
	f.atMost("its memory in the last tenth / in that one, medians", taken.late/taken.early, soakGrowth)
	return nil
}

// taken is what a server took over some time: memory in MiB, by the median of two tenths of the time.
type taken struct{ cores, early, late, most float64 }

// sample looks at the server for so long. The early tenth begins when it says, and the late one is the last.
func (s *server) sample(ctx context.Context, d, begins time.Duration) (t taken, err error) {
	pid := s.process.Process.Pid
	used, err := processorTime(pid)
	if err != nil {
		return t, err
	}
	start := time.Now()
	var early, late []float64
	for err == nil && time.Since(start) < d-sampleBeat {
		var memory float64
		memory, err = s.memory()
		memory /= 1 << 20
		t.most = max(t.most, memory)
		switch at := time.Since(start); {
		case at >= begins && at < begins+d/10:
			early = append(early, memory)
		case at >= d*9/10:
			late = append(late, memory)
		}
		err = errors.Join(err, wait(ctx, sampleBeat))
	}
	after, timeErr := processorTime(pid)
	if err = errors.Join(err, timeErr); err != nil {
		return t, err
	}
	t.cores = (after - used).Seconds() / time.Since(start).Seconds()
	t.early, t.late = median(early), median(late)
	return t, nil
}

// median returns that of values, of which it changes the order, or 0 for none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
