package main

import (
	"context"
	"errors"
	"time"

	"github.com/distributed-donut/donut/tools/natsserver"
)

// A look is what all servers of a stage, and NATS, have counted at one moment, or between two.
type look struct {
	at        time.Time
	seconds   float64              // between two
	stats     []map[string]float64 // of each server
	spent     []time.Duration      // of the processor, likewise
	cores     []float64            // between two, likewise
	nats      natsserver.Load
	natsSpent time.Duration
	natsCores float64 // between two
}

// look looks at all servers.
func (s *stage) look(ctx context.Context) (l look, err error) {
	l.at = time.Now()
	for _, one := range s.servers {
		stats, statsErr := one.statsAfter(ctx, 0)
		spent, spentErr := processorTime(one.process.Process.Pid)
		l.stats, l.spent = append(l.stats, stats), append(l.spent, spent)
		err = errors.Join(err, statsErr, spentErr)
	}
	if s.nats == nil {
		return l, err
	}
	load, loadErr := s.nats.Load(ctx)
	spent, spentErr := processorTime(s.nats.PID())
	l.nats, l.natsSpent = load, spent
	return l, errors.Join(err, loadErr, spentErr)
}

// since returns what was counted since another look at the same servers.
func (l look) since(before look) look {
	grown := look{at: l.at, seconds: l.at.Sub(before.at).Seconds()}
	for i, stats := range l.stats {
		of := make(map[string]float64)
		for name, value := range stats {
			of[name] = value - before.stats[i][name]
		}
		grown.stats = append(grown.stats, of)
		spent := l.spent[i] - before.spent[i]
		grown.spent, grown.cores = append(grown.spent, spent), append(grown.cores, spent.Seconds()/grown.seconds)
	}
	grown.nats = natsserver.Load{
		In: l.nats.In - before.nats.In, Out: l.nats.Out - before.nats.Out,
		InBytes: l.nats.InBytes - before.nats.InBytes, OutBytes: l.nats.OutBytes - before.nats.OutBytes,
	}
	grown.natsSpent = l.natsSpent - before.natsSpent
	grown.natsCores = grown.natsSpent.Seconds() / grown.seconds
	return grown
}

// sum adds up what all servers have counted under a name.
func (l look) sum(name string) (total float64) {
	for _, stats := range l.stats {
		total += stats[name]
	}
	return total
}

// share is which share of the frames that server i aired is counted under a name. Servers are looked at one after the
// other and count messages whole, so shares of the same server's can be compared, where numbers of two servers cannot.
func (l look) share(i int, name string) float64 { return l.stats[i][name] / l.stats[i]["aired_frames"] }
