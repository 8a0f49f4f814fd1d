package main

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/wasm/wire"
)

// playFlood has the viewers watch a calm server for a fifth of the time, and the workers come when the flood is there,
// so that some of it is lent something.
func playFlood(ctx context.Context, s *stage, d time.Duration, f *findings) error {
	viewers := s.begin(ctx, d, "-workers", "0", "-viewers", strconv.Itoa(s.size.Viewers))
	err := wait(ctx, d/10)
	calm, calmErr := s.cores(ctx, d/10)
	before, beforeErr := s.statsAfter(ctx, 0)
	flood := s.begin(ctx, d*3/5, "-workers", "0", "-viewers", "1", "-seed", "3", "-garbage", "20",
		"-flood", strconv.Itoa(s.size.Hostile), "-flood-rate", strconv.FormatFloat(s.size.Rate, 'g', -1, 64))
	err = errors.Join(err, wait(ctx, d/10))
	fleet := s.begin(ctx, d*6/10, "-workers", strconv.Itoa(s.size.Workers), "-viewers", "1", "-seed", "2")
	busy, busyErr := s.cores(ctx, d*2/5)
	offered, floodErr := flood.end()
	honest, honestErr := endAll([]*crowd{viewers, fleet})
	after, afterErr := s.statsAfter(ctx, 0)
	if err := errors.Join(err, calmErr, beforeErr, busyErr, floodErr, honestErr, afterErr); err != nil {
		return err
	}
	grown := func(name string) float64 { return after[name] - before[name] }
	f.believed(honest)
	f.tell("frames aired", after["aired_frames"])
	f.exactly("frames stalled", after["stalled_frames"], 0)
	f.exactly("frames missed by viewers", honest["frames_missed"], 0)
	f.exactly("other faults that they found", honest["faults"], 0)
	f.tell("hostile joins", offered["hostile_joins"])
	f.tell("of these: lent a chunk", offered["hostile_lent"])
	f.tell("messages sent, a second", offered["hostile_messages"]/offered["seconds"])
	for _, r := range gate.Refusals {
		f.tell("joins refused, by the server: "+r.String(), grown("refused."+r.String()))
	}
	for r := wire.Reason(1); ; r++ {
		count, known := after["closed."+r.String()]
		if !known {
			break
		}
		if count > before["closed."+r.String()] {
			f.tell("connections ended, by the server: "+r.String(), count-before["closed."+r.String()])
		}
	}
	f.tell("server's cores when it is calm", calm)
	f.tell("server's cores in the flood", busy)
	return nil
}
