package main

import (
	"strings"
	"testing"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A cue is a message that comes while a frame is on screen. In there, x is a frame, and anything else a hole.
type cue struct {
	playhead uint64
	number   uint64
	key      bool
	first    uint64
	there    string
}

func (c cue) give(t *tally) (ok bool, err error) {
	h := codec.Header{Key: c.key, Number: c.number, First: c.first, Count: len(c.there)}
	var frames []*donut.Picture
	if ok, err = t.follow(h); ok {
		frames = make([]*donut.Picture, len(c.there))
		for i := range c.there {
			if c.there[i] == 'x' {
				frames[i] = new(donut.Picture)
			}
		}
	}
	t.take(h, frames, 10, timeline.Start(c.playhead))
	return ok, err
}

func TestTally(t *testing.T) {
	for _, c := range []struct {
		name         string
		cues         []cue
		leave        uint64 // the playhead then
		seen, missed uint64
		fault        string // of the last cue
		undecoded    bool   // the last cue
	}{
		{name: "nothing", leave: 100},
		{name: "from the playhead on", cues: []cue{{12, 1, true, 10, "xxxx"}, {12, 2, false, 14, "xx"}}, leave: 16, seen: 4},
		{name: "ahead of the playhead", cues: []cue{{5, 1, true, 10, "xxxx"}}, leave: 12, seen: 4},
		{name: "all too late to start", cues: []cue{{20, 1, true, 10, "xxxx"}}, leave: 30},
		{name: "late once started", cues: []cue{{10, 1, true, 10, "xxxx"}, {16, 2, false, 14, "xxxx"}}, leave: 18, seen: 6, missed: 2},
		{name: "holes before the first", cues: []cue{{10, 1, true, 10, "--xx"}}, leave: 14, seen: 2},
		{name: "holes after the first", cues: []cue{{10, 1, true, 10, "x--x"}}, leave: 14, seen: 2, missed: 2},
		{name: "stops", cues: []cue{{10, 1, true, 10, "xxxx"}}, leave: 20, seen: 4, missed: 6},
		{name: "a later group", cues: []cue{{10, 1, true, 10, "xx"}, {10, 5, true, 20, "xx"}}, leave: 22, seen: 4, missed: 8},
		{
			name: "a skip", cues: []cue{{10, 1, true, 10, "xx"}, {10, 3, false, 14, "xx"}},
			leave: 16, seen: 2, missed: 4, fault: "got message 3 of frame 14, want message 2 of frame 12", undecoded: true,
		},
		{
			name: "after a skip", cues: []cue{{10, 1, true, 10, "xx"}, {10, 3, false, 14, "xx"}, {10, 4, false, 16, "xx"}},
			leave: 18, seen: 2, missed: 6, undecoded: true,
		},
		{
			name: "the key after a skip", cues: []cue{{10, 1, true, 10, "xx"}, {10, 3, false, 14, "xx"}, {10, 4, true, 16, "xx"}},
			leave: 18, seen: 4, missed: 4,
		},
		{
			name: "a duplicate", cues: []cue{{10, 1, true, 10, "xx"}, {10, 1, true, 10, "xx"}},
			leave: 12, seen: 2, fault: "got message 1 after message 1", undecoded: true,
		},
		{
			name: "a duplicate does no harm", cues: []cue{{10, 1, true, 10, "xx"}, {10, 2, false, 12, "xx"}, {10, 1, true, 10, "xx"}, {10, 3, false, 14, "xx"}},
			leave: 16, seen: 6,
		},
		{
			name: "a key that goes back", cues: []cue{{10, 1, true, 10, "xxxx"}, {10, 2, true, 12, "xxxx"}},
			leave: 16, seen: 4, missed: 2, fault: "got a key at frame 12, want one at 14 or later", undecoded: true,
		},
		{name: "no key first", cues: []cue{{10, 4, false, 10, "xx"}}, leave: 20, fault: "got message 4 first", undecoded: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got tally
			var ok bool
			var err error
			for _, cue := range c.cues {
				ok, err = cue.give(&got)
			}
			got.leave(timeline.Start(c.leave))
			if got.seen != c.seen || got.missed != c.missed {
				t.Errorf("%d seen and %d missed, want %d and %d", got.seen, got.missed, c.seen, c.missed)
			}
			if (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Errorf("fault is %v, want %q", err, c.fault)
			}
			if len(c.cues) > 0 && ok == c.undecoded {
				t.Errorf("the last message can be decoded: %v, want %v", ok, !c.undecoded)
			}
			if got.bytes != uint64(10*len(c.cues)) {
				t.Errorf("%d bytes, want %d", got.bytes, 10*len(c.cues))
			}
		})
	}
}

func TestTallyFirst(t *testing.T) {
	for _, c := range []struct {
		name string
		cue  cue
		want uint64 // the frame at whose start the first picture is there
	}{
		{"on screen", cue{12, 1, true, 10, "xxxx"}, 12},
		{"to come", cue{5, 1, true, 10, "--xx"}, 12},
		{"after a hole", cue{10, 1, true, 10, "-x"}, 11},
	} {
		var got tally
		c.cue.give(&got)
		if !got.started || got.first != timeline.Start(c.want) {
			t.Errorf("%s: first picture at %v, want %v", c.name, got.first, timeline.Start(c.want))
		}
	}
}

// TestMissedAtFirst has frames missed around the moment at which a stream is far enough ahead.
func TestMissedAtFirst(t *testing.T) {
	for _, c := range []struct {
		from, to     uint64 // missed
		missed, want uint64
	}{
		{10, 10, 0, 0}, {20, 30, 10, 10}, {10 + landing - 3, 10 + landing + 4, 7, 3}, {10 + landing, 10 + landing + 5, 5, 0},
	} {
		ta := tally{started: true, first: timeline.Start(10)}
		ta.miss(c.from, c.to)
		if ta.missed != c.missed || ta.atFirst != c.want {
			t.Errorf("of %d to %d %d are missed, and %d at first; want %d and %d", c.from, c.to, ta.missed, ta.atFirst, c.missed, c.want)
		}
		if c.missed > 0 && ta.lost != c.to-1 {
			t.Errorf("of %d to %d the last is %d", c.from, c.to, ta.lost)
		}
	}
}
