package main

import (
	"io"
	"time"

	"github.com/distributed-donut/donut/tools/progress"
)

// showProgress keeps a line about the crowd up to date while w is a terminal. The function it returns ends that.
func showProgress(c *crowd, w io.Writer) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		line := progress.New(w)
		defer line.Clear()
		start, ticker := time.Now(), time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				return
			case <-ticker.C:
				line.Show("%v of %v: %d of %d here, %d messages, %d frames rendered, %d faults",
					time.Since(start).Round(time.Second), c.cfg.duration, c.here.Load(), len(c.people), c.film.sum().messages,
					c.rendered.Load(), c.faults())
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}
