package terminal

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/vt"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A studio makes broadcasts as the orchestrator does.
type studio struct {
	encoder codec.Encoder
	missing func(n uint64) bool           // nil for none
	picture func(n uint64) *donut.Picture // nil for pictureOf
}

// pictureOf is a picture that says which frame it is: cheaper than a donut, and no two neighbours alike.
func pictureOf(n uint64) *donut.Picture {
	p := new(donut.Picture)
	for i := range 20 {
		p[97*i%donut.Cells] = uint8(n>>(3*i)&7) + 1
	}
	return p
}

func (s *studio) draw(n uint64) *donut.Picture {
	if s.picture != nil {
		return s.picture(n)
	}
	return pictureOf(n)
}

// broadcast airs so many frames.
func (s *studio) broadcast(first uint64, count int, key bool) []byte {
	frames := make([]*donut.Picture, count)
	for i := range frames {
		if n := first + uint64(i); s.missing == nil || !s.missing(n) {
			frames[i] = s.draw(n)
		}
	}
	return wire.Broadcast{Generation: 1, Stream: s.encoder.Append(nil, first, frames, key)}.Append(nil)
}

// A watcher is a terminal on a stream.
type watcher struct {
	t      *testing.T
	viewer *viewer
	screen *vt.Screen
	shots  []*shot
}

func watch(t *testing.T, v *viewer) *watcher {
	return &watcher{t: t, viewer: v, screen: littered(t, terminalRows)}
}

// look takes what is due, and reports whether that skipped anything.
func (w *watcher) look() (skipped bool) {
	w.t.Helper()
	shots, skipped := w.viewer.due()
	for _, s := range shots {
		write(w.t, w.screen, s.ansi)
	}
	w.shots = append(w.shots, shots...)
	return skipped
}

// shows fails the test unless the terminal shows frame n.
func (w *watcher) shows(n uint64) {
	w.t.Helper()
	if got, want := w.screen.Text(), textOf(pictureOf(n), terminalRows); got != want {
		w.t.Fatalf("the terminal shows\n%s\nwant frame %d:\n%s", got, n, want)
	}
	if row, column, visible := w.screen.Cursor(); row != donut.Rows || column != 0 || !visible || !w.screen.Settled() {
		w.t.Fatalf("the cursor rests at row %d, column %d, visible: %v; want it under the picture", row, column, visible)
	}
}

// runStage advances a stage as its relay does for those who watch, from frame to frame.
func runStage(s *stage, from, until timeline.Instant, then func(now timeline.Instant)) {
	for now := from; now <= until; now = s.next() {
		s.advance(now)
		then(now)
	}
}

// shownAt is the number of the frame that a terminal of a pace shows while frame n is on screen.
func shownAt(p pace, n uint64) uint64 {
	for !p.shows(n) {
		n--
	}
	return n
}

func TestPaces(t *testing.T) {
	for p := pace(1); p <= donut.FPS; p++ {
		for _, base := range []uint64{0, 60 << 40, 60 << 48} {
			var shown []uint64
			for n := base; n < base+2*donut.FPS; n++ {
				if p.shows(n) {
					shown = append(shown, n)
				}
			}
			if len(shown) != 2*int(p) || shown[0] != base {
				t.Fatalf("at %d a second %d frames of two seconds are shown, from %d on; want %d from 0 on", p, len(shown),
					shown[0]-base, 2*p)
			}
			for i, n := range shown {
				if want := base + uint64(i)*donut.FPS/uint64(p); n != want || p.tick(n) != p.tick(base)+uint64(i) {
					t.Fatalf("at %d a second tick %d is tick %d, of frame %d, want frame %d", p, i, p.tick(n)-p.tick(base),
						n-base, want-base)
				}
			}
		}
	}
}

// TestFramesAreShownWhenTheyAreDue has terminals of all kinds of paces come at different moments.
func TestFramesAreShownWhenTheyAreDue(t *testing.T) {
	t.Parallel()
	const first = 1 << 40
	var studio studio
	s := newStage()
	for i := range uint64(5) {
		if err := s.air(studio.broadcast(first+60*i, 60, i%4 == 0)); err != nil {
			t.Fatal(err)
		}
	}
	var watchers []*watcher
	come := []pace{30, 60, 1, 7, 24, 30, 59, 60, 7}
	runStage(s, timeline.Start(first-3), timeline.Start(first+300), func(now timeline.Instant) {
		n := now.Frame()
		if i := len(watchers); i < len(come) && (n < first || int(n-first) > 11*i) {
			watchers = append(watchers, watch(t, s.join(come[i])))
		}
		for _, w := range watchers {
			w.look()
			newest, p := uint64(0), w.viewer.track.pace
			if len(w.shots) > 0 {
				newest = w.shots[len(w.shots)-1].frame
				w.shows(newest)
			}
			if n >= first+60 && n < first+300 && newest < shownAt(p, n) {
				t.Fatalf("frame %d is on screen, and frame %d on a terminal of %d a second", n, newest, p)
			}
		}
	})
	for i, w := range watchers {
		if !w.shots[0].whole {
			t.Errorf("terminal %d begins with a shot that is not whole", i)
		}
		for j, shot := range w.shots[1:] {
			if shot.number != w.shots[j].number+1 {
				t.Errorf("terminal %d is sent shot %d after shot %d", i, shot.number, w.shots[j].number)
			}
		}
	}
	if first, second := watchers[0].shots[1:], watchers[5].shots[1:]; first[len(first)-1] != second[len(second)-1] {
		t.Error("two terminals of a pace are sent a frame that was drawn twice")
	}
	for _, w := range watchers {
		s.leave(w.viewer)
	}
	if len(s.tracks) > 1 {
		t.Errorf("%d tracks are left when nobody watches, want the one that is recorded", len(s.tracks))
	}
}

// TestPictureIsRedrawn spoils a terminal, which is right again after a redraw.
func TestPictureIsRedrawn(t *testing.T) {
	const first = 600
	var studio studio
	s := newStage()
	s.air(studio.broadcast(first, 120, true))
	s.air(studio.broadcast(first+120, 120, false))
	w := watch(t, s.join(defaultPace))
	spoilt, redrawn := false, 0
	runStage(s, timeline.Start(first), timeline.Start(first+240), func(now timeline.Instant) {
		w.look()
		if n := now.Frame(); n == first+30 {
			write(t, w.screen, []byte("\x1b[5;5Hrubbish\x1b[23Hrubbish\x1b[23H"))
			spoilt = true
		}
		if spoilt && w.screen.Text() == textOf(pictureOf(shownAt(defaultPace, now.Frame())), terminalRows) {
			spoilt = false
			redrawn++
		}
	})
	if spoilt || redrawn != 1 {
		t.Errorf("the terminal was redrawn %d times and is spoilt: %v", redrawn, spoilt)
	}
}

// TestNothingIsSentWhereNothingChanges shows a picture twice.
func TestNothingIsSentWhereNothingChanges(t *testing.T) {
	track := newTrack(defaultPace, 0, nil)
	track.shoot(2, pictureOf(2))
	if s := track.shoot(4, pictureOf(2)); len(s.ansi)+len(s.body) > 0 {
		t.Errorf("the same picture again takes %q", s.ansi)
	}
}

// TestSlowReaderSkips has terminals look at intervals of all lengths.
func TestSlowReaderSkips(t *testing.T) {
	t.Parallel()
	const first = 600
	for _, frames := range []uint64{1, 2, 7, 20, 28, 33, 40, 61, 119} {
		var studio studio
		s := newStage()
		for i := range uint64(8) {
			s.air(studio.broadcast(first+60*i, 60, i == 0))
		}
		always, slow := watch(t, s.join(defaultPace)), watch(t, s.join(defaultPace))
		skips := 0
		runStage(s, timeline.Start(first), timeline.Start(first+480), func(now timeline.Instant) {
			n := now.Frame()
			if always.look() {
				t.Fatal("who is never late skips frames")
			}
			if n >= first+480 || (n-first)%frames > 1 {
				return
			}
			if slow.look() {
				skips++
			}
			slow.shows(shownAt(defaultPace, n))
		})
		// Intervals are rounded to frames of the pace.
		if off := timeline.Span(int(frames)) - backlog; off.Abs() > timeline.Span(2) && (skips > 0) != (off > 0) {
			t.Errorf("a reader that comes once in %d frames skips %d times", frames, skips)
		}
	}
}

// TestMissingFramesAreWaitedOut keeps the picture, and after a while forgets it.
func TestMissingFramesAreWaitedOut(t *testing.T) {
	const first = 600
	studio := studio{missing: func(n uint64) bool { return n >= first+60 && n < first+360 }}
	s := newStage()
	for i := range uint64(8) {
		s.air(studio.broadcast(first+60*i, 60, i == 0))
	}
	w := watch(t, s.join(defaultPace))
	runStage(s, timeline.Start(first), timeline.Start(first+480), func(now timeline.Instant) {
		w.look()
		n := now.Frame()
		switch {
		case n < first+60 || n >= first+360 && n < first+480:
			w.shows(shownAt(defaultPace, n))
		case n < first+360:
			w.shows(first + 58)
			if gone := now.Sub(timeline.Start(first+59)) > stale; gone == (s.now.picture != nil) {
				t.Fatalf("%v after the last picture it is there: %v", now.Sub(timeline.Start(first+59)), !gone)
			}
		}
	})
}

// TestStaleFramesAreNotShown lets the timeline jump, and the stream stop.
func TestStaleFramesAreNotShown(t *testing.T) {
	const first = 600
	var studio studio
	s := newStage()
	s.air(studio.broadcast(first, 120, true))
	w := watch(t, s.join(defaultPace))
	s.advance(timeline.Start(first))
	s.advance(timeline.Start(first + 118).Add(stale))
	w.look()
	w.shows(first + 118)
	if got := w.viewer.track.number; got != 2 {
		t.Errorf("%d frames were drawn, want the one before the jump and the one after", got)
	}
	s.advance(timeline.Start(first + 119).Add(stale + time.Millisecond))
	late := watch(t, s.join(defaultPace))
	if late.look(); len(late.shots) > 0 {
		t.Errorf("who comes when nothing airs any more is shown %d pictures", len(late.shots))
	}
	if s.waiting != nil || s.spare != nil {
		t.Error("pictures are kept when nothing airs")
	}

	s.air(studio.broadcast(10_000, 60, true))
	s.advance(timeline.Start(10_000))
	for _, w := range []*watcher{w, late} {
		w.look()
		w.shows(10_000)
	}
}

func TestBroadcastsThatAreNotTheNext(t *testing.T) {
	var studio studio
	key, lost := studio.broadcast(600, 60, true), studio.broadcast(660, 60, false)
	next, again := studio.broadcast(720, 60, false), studio.broadcast(780, 60, true)
	s := newStage()
	if err := s.air(key); err != nil {
		t.Fatal(err)
	}
	if err := s.air(next); !errors.Is(err, codec.ErrDiscontinuous) {
		t.Errorf("a broadcast after a lost one: %v, want ErrDiscontinuous", err)
	}
	if err := s.air(lost[:len(lost)-1]); !errors.Is(err, codec.ErrMalformed) {
		t.Errorf("half a broadcast: %v, want ErrMalformed", err)
	}
	if err := s.air(nil); err == nil {
		t.Error("no broadcast is taken")
	}
	if err := s.air(again); err != nil {
		t.Errorf("a key after all that: %v", err)
	}
	var numbers []uint64
	for _, f := range s.waiting {
		numbers = append(numbers, f.number)
	}
	if want := 120; len(numbers) != want || !slices.IsSorted(numbers) || numbers[60] != 780 {
		t.Errorf("%d frames wait, want %d: %v", len(numbers), want, numbers)
	}
}

// TestStageDoesNotGrow lets half a minute pass.
func TestStageDoesNotGrow(t *testing.T) {
	var studio studio
	s := newStage()
	s.join(defaultPace)
	s.air(studio.broadcast(0, 60, true))
	for n := uint64(0); n < 30*60; n += 60 {
		s.advance(timeline.Start(n))
		s.air(studio.broadcast(n+60, 60, n%240 == 180))
		late := watch(t, s.join(7))
		late.look()
		late.shows(n) // for the picture on stage is not taken for one that waits
		s.leave(late.viewer)
		if kept := len(s.waiting) + len(s.spare); kept > 300 {
			t.Fatalf("%d pictures are kept, of a stream that airs a second ahead", kept)
		}
	}
}
