package main

import (
	"fmt"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A tally is what one person has got of the stream. From the first frame that it has in time on, each frame is either
// seen, because it came before its moment on screen was over, or missed.
type tally struct {
	synced  bool   // the next message can be decoded without being a key
	number  uint64 // of the newest message, 0 before the first
	next    uint64 // the first frame behind it
	started bool
	first   timeline.Instant // when the first picture was there, once started

	seen, missed uint64
	atFirst      uint64 // of those missed, before the stream was far enough ahead
	lost         uint64 // the frame that was missed last
	frames       uint64 // in the broadcasts, missing ones included
	bytes        uint64 // of the broadcasts
}

// landing is how long after its first picture somebody may still be where there is no head start yet: a stream that has just
// started gathers one.
const landing = 5 * donut.FPS // frames

// follow reports whether a message with header h can be decoded after those before it. There is an error where the
// sequence breaks, but none for the messages from there to the next key.
func (t *tally) follow(h codec.Header) (ok bool, err error) {
	switch {
	case t.number > 0 && h.Number <= t.number:
		return false, fmt.Errorf("sequence: got message %d after message %d", h.Number, t.number)
	case h.Key:
		if t.synced = h.First >= t.next; !t.synced {
			return false, fmt.Errorf("sequence: got a key at frame %d, want one at %d or later", h.First, t.next)
		}
		return true, nil
	case t.synced && h.Number == t.number+1 && h.First == t.next:
		return true, nil
	case t.synced:
		t.synced = false
		return false, fmt.Errorf("sequence: got message %d of frame %d, want message %d of frame %d",
			h.Number, h.First, t.number+1, t.next)
	case t.number == 0:
		return false, fmt.Errorf("sequence: got message %d first, which is no key", h.Number)
	}
	return false, nil
}

// take counts a message of so many bytes that came at now. Its frames are nil where one is missing, and frames itself
// is nil where the message could not be decoded.
func (t *tally) take(h codec.Header, frames []*donut.Picture, size int, now timeline.Instant) {
	t.bytes += uint64(size)
	t.frames += uint64(h.Count)
	playhead := now.Frame()
	for i := range h.Count {
		n := h.First + uint64(i)
		if n < t.next {
			continue // it came before
		}
		inTime := frames != nil && frames[i] != nil && n >= playhead
		if inTime && !t.started {
			t.started, t.first, t.next = true, max(now, timeline.Start(n)), n
		}
		if t.started {
			t.miss(t.next, n)
			if inTime {
				t.seen++
			} else {
				t.miss(n, n+1)
			}
		}
		t.next = n + 1
	}
	t.number = max(t.number, h.Number)
}

// miss counts the frames from first to before end, if any.
func (t *tally) miss(first, end uint64) {
	if first >= end {
		return
	}
	t.missed += end - first
	t.lost = end - 1
	if landed := t.first.Frame() + landing; first < landed {
		t.atFirst += min(end, landed) - first
	}
}

// leave counts what was due by now and never came.
func (t *tally) leave(now timeline.Instant) {
	if playhead := now.Frame(); t.started && playhead > t.next {
		t.miss(t.next, playhead)
	}
}
