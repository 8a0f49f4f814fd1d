package main

import (
	"context"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
)

// spool makes messages of one frame each, a key every so many. Frame n is the donut's, or blank where forged says so.
func spool(messages, group int, forged func(n uint64) bool) (streams [][]byte) {
	var e codec.Encoder
	r := donut.NewRenderer(1)
	for n := range uint64(messages) {
		p := new(donut.Picture)
		if forged == nil || !forged(n) {
			r.Render(p, n)
		}
		streams = append(streams, e.Append(nil, n, []*donut.Picture{p}, n%uint64(group) == 0))
	}
	return streams
}

func show(t *testing.T, f *film, stream []byte) {
	t.Helper()
	if _, err := f.show(stream, stream, 1); err != nil {
		t.Fatal(err)
	}
}

func TestFilmCountsForgedFramesForEveryViewer(t *testing.T) {
	f := newFilm(newPictures())
	streams := spool(6, 3, func(n uint64) bool { return n == 1 || n == 4 })
	for _, s := range streams {
		show(t, f, s)
	}
	f.finish(context.Background())
	show(t, f, streams[1]) // a second viewer, after it was checked
	if got := f.sum(); got != (showing{messages: 6, forgedSeen: 3}) {
		t.Errorf("film amounts to %+v, want 3 forged frames seen of 6 messages", got)
	}
}

// TestFilmTakesGroupsInAnyOrder has a viewer who joins at the second group before another has got through the first.
func TestFilmTakesGroupsInAnyOrder(t *testing.T) {
	f := newFilm(newPictures())
	streams := spool(6, 3, nil)
	for _, i := range []int{0, 3, 4, 1, 2, 3, 5} {
		show(t, f, streams[i])
	}
	f.finish(context.Background())
	if got := f.sum(); got != (showing{messages: 6}) {
		t.Errorf("film amounts to %+v, want 6 messages", got)
	}
}

// TestFilmOfAServerThatWasStartedAgain has messages of the same numbers come twice, of other frames, and in turns.
func TestFilmOfAServerThatWasStartedAgain(t *testing.T) {
	f := newFilm(newPictures())
	streams := spool(5, 5, nil)
	var again [][]byte
	var e codec.Encoder
	r := donut.NewRenderer(1)
	for n := uint64(7); n < 12; n++ {
		p := new(donut.Picture)
		r.Render(p, n)
		again = append(again, e.Append(nil, n, []*donut.Picture{p}, n == 7))
	}
	for i := range again {
		show(t, f, streams[i])
		show(t, f, again[i])
	}
	f.finish(context.Background())
	if got := f.sum(); got != (showing{messages: 10}) {
		t.Errorf("film amounts to %+v, want 10 messages", got)
	}
}

func TestFilmRefuses(t *testing.T) {
	f := newFilm(newPictures())
	streams := spool(keptReels+4, 1000, nil)
	for _, s := range streams {
		show(t, f, s)
	}
	other := append([]byte{}, streams[keptReels]...)
	other[len(other)-1] ^= 1
	for _, c := range []struct {
		name   string
		stream []byte
		want   string
	}{
		{"other bytes", other, "got other bytes than somebody else"},
		{"long gone", streams[2], "got it after all others"},
		{"no message", nil, "malformed"},
		{"cut short", spool(100, 1, nil)[99][:40], "malformed"},
	} {
		if _, err := f.show(c.stream, c.stream, 1); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s is shown with error %v, want %q", c.name, err, c.want)
		}
	}
}

func TestFilmCountsWhatIsUnchecked(t *testing.T) {
	f := newFilm(newPictures())
	for _, s := range spool(maxUnchecked+3, 60, nil) {
		show(t, f, s)
	}
	if got := f.sum().unchecked; got != maxUnchecked+3 {
		t.Errorf("%d frames unchecked before the critic came, want %d", got, maxUnchecked+3)
	}
	f.finish(context.Background())
	if got := f.sum().unchecked; got != 3 {
		t.Errorf("%d frames unchecked after it, want the 3 that there was no room for", got)
	}
}

func TestPicturesOfWorkersAreUsedAndForgotten(t *testing.T) {
	p := newPictures()
	var marked donut.Picture
	marked[0] = 7
	for n := range uint64(10) {
		p.add(scene{1, n}, &marked)
	}
	r := &reel{detail: 1, header: codec.Header{First: 4, Count: 2}, frames: []*donut.Picture{&marked, nil}}
	if forged := p.compare(r); forged != 0 {
		t.Errorf("%d frames forged, want the worker's picture to count", forged)
	}
	if _, ok := p.drawn[scene{1, 3}]; ok || len(p.drawn) != 6 {
		t.Errorf("%d pictures kept, want the 6 from frame 4 on", len(p.drawn))
	}
	for _, detail := range []int{2, 1} { // neither of which a worker drew
		var want donut.Picture
		donut.NewRenderer(detail).Render(&want, 8)
		r := &reel{detail: detail, header: codec.Header{First: 8, Count: 2}, frames: []*donut.Picture{&want, &marked}}
		p.drawn = nil
		if forged := p.compare(r); forged != 1 {
			t.Errorf("%d frames forged at detail %d, want 1", forged, detail)
		}
	}
}
