package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

const (
	quiet   = 2 * time.Second // before the first line
	refresh = 200 * time.Millisecond
)

// A progress is a line on a terminal that is written over and over. Elsewhere it writes nothing.
type progress struct {
	terminal io.Writer // nil for none
	next     time.Time
	shown    bool
}

func newProgress(w io.Writer) *progress {
	p := &progress{next: time.Now().Add(quiet)}
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			p.terminal = w
		}
	}
	return p
}

// show replaces the line, unless it is too early to.
func (p *progress) show(format string, args ...any) {
	if now := time.Now(); p.terminal != nil && now.After(p.next) {
		p.next = now.Add(refresh)
		p.shown = true
		fmt.Fprintf(p.terminal, "\r\x1b[K"+format, args...)
	}
}

// clear takes the line away.
func (p *progress) clear() {
	if p.shown {
		p.shown = false
		fmt.Fprint(p.terminal, "\r\x1b[K")
	}
}
