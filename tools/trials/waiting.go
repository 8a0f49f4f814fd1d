package main

import (
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distributed-donut/donut/tools/progress"
)

// waiting shows on a terminal how many trials have been made, and that time passes.
type waiting struct {
	made    atomic.Int64
	quit    chan struct{}
	running sync.WaitGroup
}

// newWaiting starts to show. The caller must end it.
func newWaiting(w io.Writer, trials int) *waiting {
	l := &waiting{quit: make(chan struct{})}
	l.running.Go(func() {
		line := progress.New(w)
		defer line.Clear()
		start, ticker := time.Now(), time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-l.quit:
				return
			case <-ticker.C:
				line.Show("%d of %d trials after %v", l.made.Load(), trials, time.Since(start).Round(time.Second))
			}
		}
	})
	return l
}

func (l *waiting) done() { l.made.Add(1) }

func (l *waiting) end() {
	close(l.quit)
	l.running.Wait()
}
