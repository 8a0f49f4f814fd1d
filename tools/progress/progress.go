// Package progress shows on a terminal how far a command has come.
package progress

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

// A Line is a line on a terminal that is written over and over. It stays empty for a command's first two seconds, and
// always where there is no terminal, as in a pipe. It is not safe for concurrent use.
type Line struct {
	terminal io.Writer // nil for none
	next     time.Time
	shown    bool
}

// New returns a line on w.
func New(w io.Writer) *Line {
	l := &Line{next: time.Now().Add(quiet)}
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			l.terminal = w
		}
	}
	return l
}

// Show replaces the line, unless it is too early to.
func (l *Line) Show(format string, args ...any) {
	if now := time.Now(); l.terminal != nil && now.After(l.next) {
		l.next = now.Add(refresh)
		l.shown = true
		fmt.Fprintf(l.terminal, "\r\x1b[K"+format, args...)
	}
}

// Clear takes the line away.
func (l *Line) Clear() {
	if l.shown {
		l.shown = false
		fmt.Fprint(l.terminal, "\r\x1b[K")
	}
}
