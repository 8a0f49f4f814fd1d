package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/verify"
)

const (
	// meterPeriod is how often a meter looks, and meterFrames how many frames it renders then.
	meterPeriod = 2 * time.Second
	meterFrames = 24
)

// A meter measures what one frame costs in wazero, again and again while a trial goes on: on a machine that is shared, it
// is another cost in every minute.
type meter struct {
	pool    *verify.Pool
	end     context.CancelFunc
	running sync.WaitGroup

	// Owned by the goroutine that measures, until it has ended.
	costs []time.Duration // of a frame, each
	err   error
}

// newMeter starts to measure with the server's module. The caller must close the meter.
func (s *server) newMeter(ctx context.Context) (*meter, error) {
	module, err := fetch(ctx, s.url+"/donut.wasm")
	if err != nil {
		return nil, err
	}
	pool, err := verify.New(ctx, module, verify.Config{Detail: 1, Instances: 1, CacheDir: verify.DefaultCacheDir()})
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(ctx)
	m := &meter{pool: pool, end: end}
	m.running.Go(func() { m.measure(ctx) })
	return m, nil
}

func (m *meter) measure(ctx context.Context) {
	ticker := time.NewTicker(meterPeriod)
	defer ticker.Stop()
	for {
		before := m.pool.Stats().Spent
		if _, err := m.pool.Render(ctx, 1_000_000, meterFrames); err != nil {
			m.err = err
			return
		}
		m.costs = append(m.costs, (m.pool.Stats().Spent-before)/meterFrames)
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// cost ends the measurement and returns the median, but for the first, which started the module.
func (m *meter) cost() (time.Duration, error) {
	m.end()
	m.running.Wait()
	if m.err != nil && !errors.Is(m.err, context.Canceled) {
		return 0, m.err
	}
	if len(m.costs) < 3 {
		return 0, errors.New("too little time to measure what a frame costs")
	}
	costs := m.costs[1:]
	slices.Sort(costs)
	return costs[len(costs)/2], nil
}

// close frees the meter.
func (m *meter) close() {
	m.end()
	m.running.Wait()
	m.pool.Close(context.Background())
}
