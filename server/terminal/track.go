package terminal

import (
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
)

const (
	// redrawPeriod is how often a picture is drawn whole, for terminals that something else has written to.
	redrawPeriod = 2 * time.Second
	// backlog is how far behind a stream may be and still get all that it has missed. One further behind gets the
	// picture that is on screen.
	backlog = time.Second / 2
)

// A track is all streams of one pace, and what they are sent. A shot is drawn once, and its bytes are shared.
type track struct {
	pace    pace
	streams int

	picture donut.Picture // that is on the terminals
	drawn   bool          // there is one
	frame   uint64        // its number
	number  uint64        // of the newest shot, or of what is whole before the first
	recent  []*shot       // the newest, without a gap, oldest first
	opening *shot         // the newest as whole; nil until somebody needs it
	changed chan struct{} // closed with the next shot
}

// A shot is what shows a frame to those who have the shot before. It does not change, and may be used concurrently.
type shot struct {
	number uint64 // consecutive in a track
	frame  uint64
	after  time.Duration // the shot before
	whole  bool          // it shows the frame to anybody
	body   []byte        // what draws it; empty where there is nothing to draw
	ansi   []byte        // the same as a terminal is sent it

	once    sync.Once
	message []byte // see output
}

// newTrack returns a track that begins with a picture on screen, nil for none.
func newTrack(p pace, frame uint64, picture *donut.Picture) *track {
	t := &track{pace: p, changed: make(chan struct{})}
	if picture != nil {
		t.picture, t.drawn, t.frame = *picture, true, frame
	}
	return t
}

// shoot adds the shot of a frame of the track's, nil for one that is missing.
func (t *track) shoot(frame uint64, p *donut.Picture) *shot {
	t.number++
	s := &shot{number: t.number, frame: frame}
	if t.frame != 0 {
		s.after = timeline.Start(frame).Sub(timeline.Start(t.frame))
	}
	every := uint64(t.pace) * uint64(redrawPeriod/time.Second)
	switch redraw := t.pace.tick(frame)%every == 0; {
	case p == nil:
	case redraw:
		s.draw(func(dst []byte) []byte { return appendWhole(dst, p) })
	case *p != t.picture:
		s.draw(func(dst []byte) []byte { return appendChanges(dst, &t.picture, p) })
	}
	if p != nil {
		t.picture, t.drawn = *p, true
	}
	t.frame, t.opening = frame, nil
	t.recent = append(t.recent, s)
	if most := max(1, int(t.pace)*int(backlog/time.Millisecond)/1000); len(t.recent) > most {
		t.recent = t.recent[1:] // what streams have of it stays as it is
	}
	close(t.changed)
	t.changed = make(chan struct{})
	return s
}

// draw takes what appends the shot's bytes.
func (s *shot) draw(appendBody func(dst []byte) []byte) {
	b := appendBody(append(make([]byte, 0, 1024), beginFrame...))
	end := len(b)
	s.ansi = append(b, endFrame...)
	s.body = s.ansi[len(beginFrame):end:end]
}

// whole returns what shows the newest shot's picture to anybody, nil where there is none.
func (t *track) whole() *shot {
	if t.opening == nil && t.drawn {
		t.opening = &shot{number: t.number, frame: t.frame, whole: true}
		t.opening.draw(func(dst []byte) []byte { return appendWhole(dst, &t.picture) })
	}
	return t.opening
}

// forget takes the picture from the screen for whoever comes. Those who are here still have it.
func (t *track) forget() { t.drawn, t.opening = false, nil }

// A viewer is a stream's place in its track.
type viewer struct {
	track *track
	begun bool   // something was sent
	last  uint64 // number of the newest shot that was
}

// due returns the shots that the viewer has not been sent, and takes them as sent. Who has seen nothing yet, or missed
// some that are gone, gets the picture on screen whole; the latter is a skip.
func (v *viewer) due() (shots []*shot, skipped bool) {
	t := v.track
	missed := int(t.number - v.last)
	switch {
	case v.begun && missed == 0:
		return nil, false
	case v.begun && missed <= len(t.recent):
		shots = t.recent[len(t.recent)-missed : len(t.recent) : len(t.recent)]
	case t.whole() != nil:
		shots, skipped = []*shot{t.whole()}, v.begun
	default:
		return nil, false
	}
	v.begun, v.last = true, t.number
	return shots, skipped
}
