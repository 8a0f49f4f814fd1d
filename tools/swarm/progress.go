package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// showProgress keeps a line about the crowd up to date while w is a terminal. The function it returns ends that.
func showProgress(c *crowd, w io.Writer) (stop func()) {
	if !isTerminal(w) {
		return func() {}
	}
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		start, ticker := time.Now(), time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-end:
				fmt.Fprint(w, "\r\x1b[K")
				return
			case <-ticker.C:
				fmt.Fprintf(w, "\r\x1b[K%v of %v: %d of %d here, %d messages, %d frames rendered, %d faults",
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

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
