package terminal

import (
	"fmt"
	"net/url"
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
)

// A pace is how many frames a second a terminal is shown, 1 to donut.FPS. Which ones is a matter of their numbers
// alone, so that all terminals of a pace show the same.
type pace uint64

// defaultPace is what a terminal over a slow connection still follows.
const defaultPace pace = donut.FPS / 2

// tick returns how many frames of the pace there are before frame n.
func (p pace) tick(n uint64) uint64 {
	whole, part := n/donut.FPS, n%donut.FPS
	return whole*uint64(p) + (part*uint64(p)+donut.FPS-1)/donut.FPS
}

// shows reports whether frame n is one of those that are shown: tick k shows frame floor(k donut.FPS / p).
func (p pace) shows(n uint64) bool { return p.tick(n+1) > p.tick(n) }

// parsePace returns the pace that a URL's query asks for. The error is for whoever asked.
func parsePace(query string) (pace, error) {
	n, err := parseNumber(query, "fps", int(defaultPace), donut.FPS)
	return pace(n), err
}

// parseNumber returns the number, 1 to most, that a URL's query gives a name, or what it is unless given. The error is
// for whoever asked.
func parseNumber(query, name string, unless, most int) (int, error) {
	values, err := url.ParseQuery(query)
	if err != nil {
		return 0, fmt.Errorf("query: got %q, want name=value: %w", query, err)
	}
	given := values[name]
	if len(given) == 0 {
		return unless, nil
	}
	n, err := strconv.Atoi(given[0])
	if err != nil || n < 1 || n > most || len(given) > 1 || strconv.Itoa(n) != given[0] {
		return 0, fmt.Errorf("%s: got %q, want a whole number from 1 to %d", name, given, most)
	}
	return n, nil
}
