package terminal

import (
	"fmt"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// stale is how long a picture stays on screen that no other follows, before who comes is shown nothing instead. A
	// frame that is so late is not shown at all.
	stale = 3 * time.Second
	// leisure is how often the stage is advanced while nobody watches.
	leisure = time.Second
)

// A stage is what terminals are shown. It is not safe for concurrent use and reads no clock.
type stage struct {
	decoder codec.Decoder
	waiting []frame          // aired and not due yet, in order
	spare   []*donut.Picture // for frames to come
	now     frame            // on screen; its picture is nil where there is nothing
	tracks  map[pace]*track
	film    *track // one of them, which is always there and recorded
	tape    tape
}

// A frame is a picture and its number. The picture is nil where it is missing.
type frame struct {
	number  uint64
	picture *donut.Picture
}

func newStage() *stage {
	film := newTrack(defaultPace, 0, nil)
	return &stage{tracks: map[pace]*track{defaultPace: film}, film: film}
}

// air takes a broadcast, whose frames come on stage when they are due. One that is not the next of the stream is an
// error, and so are all until a key.
func (s *stage) air(message []byte) error {
	broadcast, err := wire.ParseBroadcast(message)
	if err != nil {
		return fmt.Errorf("terminal: broadcast: %w", err)
	}
	before := len(s.waiting)
	_, err = s.decoder.Decode(broadcast.Stream, func(n uint64, p *donut.Picture) {
		s.waiting = append(s.waiting, frame{n, s.copyOf(p)})
	})
	if err != nil {
		s.waiting = s.waiting[:before] // what came before an error is not to be trusted
		return fmt.Errorf("terminal: stream: %w", err)
	}
	return nil
}

// copyOf returns a copy of a picture, which recycle takes back.
func (s *stage) copyOf(p *donut.Picture) *donut.Picture {
	if p == nil {
		return nil
	}
	var c *donut.Picture
	if last := len(s.spare) - 1; last >= 0 {
		c, s.spare = s.spare[last], s.spare[:last]
	} else {
		c = new(donut.Picture)
	}
	*c = *p
	return c
}

func (s *stage) recycle(p *donut.Picture) {
	if p != nil {
		s.spare = append(s.spare, p)
	}
}

// advance shows what is due by now.
func (s *stage) advance(now timeline.Instant) {
	late := func(n uint64) bool { return now.Sub(timeline.Start(n)) > stale }
	for len(s.waiting) > 0 && timeline.Start(s.waiting[0].number) <= now {
		f := s.waiting[0]
		s.waiting = s.waiting[1:]
		if late(f.number) {
			s.recycle(f.picture)
			continue
		}
		s.show(f)
	}
	if s.now.picture != nil && late(s.now.number) {
		s.recycle(s.now.picture)
		s.now = frame{}
		for _, t := range s.tracks {
			t.forget()
		}
	}
	s.tape.prune(now)
	if len(s.waiting) == 0 && s.now.picture == nil {
		s.waiting, s.spare = nil, nil // nothing airs, and this was half a megabyte
	}
}

func (s *stage) show(f frame) {
	for _, t := range s.tracks {
		if !t.pace.shows(f.number) {
			continue
		}
		if shot := t.shoot(f.number, f.picture); t == s.film {
			s.tape.add(shot, t.whole)
		}
	}
	if f.picture != nil {
		s.recycle(s.now.picture)
		s.now = f
	}
}

// next returns when advance has something to do for those who watch, or timeline.Forever.
func (s *stage) next() timeline.Instant {
	for _, f := range s.waiting {
		for _, t := range s.tracks {
			if t.streams > 0 && t.pace.shows(f.number) {
				return timeline.Start(f.number)
			}
		}
	}
	return timeline.Forever
}

// idle reports whether there is nothing that advance would ever change.
func (s *stage) idle() bool {
	return len(s.waiting) == 0 && s.now.picture == nil && len(s.tape.seconds) == 0
}

// join adds a stream.
func (s *stage) join(p pace) *viewer {
	t := s.tracks[p]
	if t == nil {
		t = newTrack(p, s.now.number, s.now.picture)
		s.tracks[p] = t
	}
	t.streams++
	return &viewer{track: t}
}

// leave removes a stream.
func (s *stage) leave(v *viewer) {
	t := v.track
	if t.streams--; t.streams == 0 && t != s.film {
		delete(s.tracks, t.pace)
	}
}
