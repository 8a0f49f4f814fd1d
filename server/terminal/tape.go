package terminal

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
)

const (
	// maxSeconds is how many seconds a tape holds.
	maxSeconds = 60
	// memory is how long a tape keeps what it holds when nothing follows.
	memory = time.Minute
)

// A tape is the last minute that was on screen, as the events of an asciicast. It holds whole seconds, and a recording
// is made of those: their text is made once.
type tape struct {
	seconds []*second // oldest first
	open    *second   // that is not whole yet; nil for none
}

// A second is what was on screen in one second. It does not change when it is whole.
type second struct {
	number  uint64   // since the epoch
	ticks   uint64   // frames of the track that it has; it is whole when it has all
	opening string   // the event that shows its first frame to anybody
	change  string   // the one that shows it to those who have the frame before; empty where it shows no other
	events  []string // those that follow
}

// add records a shot. Whole returns one that shows the same picture to anybody, nil for none.
func (t *tape) add(s *shot, whole func() *shot) {
	number, part := s.frame/donut.FPS, s.frame%donut.FPS
	if part == 0 {
		t.open = nil
		if first := whole(); first != nil {
			t.open = &second{number: number, opening: event(0, hideCursor+string(first.body))}
		}
	}
	if t.open == nil || number != t.open.number {
		t.open = nil // what is left of another second makes none
		return
	}
	switch drawn := event(part, string(s.body)); {
	case len(s.body) == 0:
	case part == 0:
		t.open.change = drawn
	default:
		t.open.events = append(t.open.events, drawn)
	}
	if t.open.ticks++; t.open.ticks < uint64(defaultPace) {
		return
	}
	t.seconds = append(t.seconds, t.open)
	t.seconds = slices.Delete(t.seconds, 0, max(0, len(t.seconds)-maxSeconds))
	t.open = nil
}

// event is the text of an event of an asciicast, behind the whole seconds of its time. Those depend on where a
// recording begins, and so are all that is left to write for each.
func event(part uint64, data string) string {
	quoted, err := json.Marshal(data)
	if err != nil {
		panic(err) // no string makes one
	}
	micros := part * uint64(time.Second/time.Microsecond) / donut.FPS
	return fmt.Sprintf(".%06d, %q, %s]\n", micros, "o", quoted)
}

// prune forgets what is too old.
func (t *tape) prune(now timeline.Instant) {
	if n := len(t.seconds); n > 0 && now.Sub(timeline.Start((t.seconds[n-1].number+1)*donut.FPS)) > memory {
		t.seconds = nil
	}
}

// last returns the newest seconds without a gap between them, at most so many.
func (t *tape) last(most int) []*second {
	first := len(t.seconds)
	for first > 0 && len(t.seconds)-first < most &&
		(first == len(t.seconds) || t.seconds[first-1].number+1 == t.seconds[first].number) {
		first--
	}
	return slices.Clone(t.seconds[first:])
}
