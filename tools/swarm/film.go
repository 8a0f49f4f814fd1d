package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
)

const (
	// keptReels is how many messages are kept to compare others' with: more than a late viewer is sent at once. Each keeps
	// a decoder, which makes 9 MB of them.
	keptReels = 64
	// maxUnchecked is how many messages may wait to be checked before new ones go unchecked.
	maxUnchecked = 256
)

// A film is the stream as the crowd gets it: each message is decoded once, and each of its frames checked once. Its
// methods may be called concurrently.
type film struct {
	pictures *pictures
	wake     chan struct{} // holds something while the critic has messages to check

	mu        sync.Mutex
	reels     map[slate]*reel
	order     []slate // of the reels, the oldest first
	waiting   []*reel // for the critic
	forged    []*reel // those with a forged frame
	distinct  int     // messages
	unchecked uint64  // frames of messages that did not get to wait
}

// A slate tells messages apart. A server that was started again numbers its messages from 1 on once more, but frames
// never come again; one that numbers them wrongly breaks the sequence for each viewer by itself.
type slate struct{ number, first uint64 }

// A reel is one message of the stream.
type reel struct {
	// Set once.
	message []byte // the whole broadcast
	header  codec.Header
	detail  int
	frames  []*donut.Picture // nil where a frame is missing
	after   codec.Decoder    // as it is after the message

	// Guarded by the film's mu.
	viewers uint64 // who got it
	forged  uint64 // frames that are not what the renderer draws
}

func newFilm(p *pictures) *film {
	return &film{pictures: p, wake: make(chan struct{}, 1), reels: make(map[slate]*reel)}
}

// show takes in a message that a viewer got, with the stream in it, and returns what it holds. The viewer has shown the
// one before it, unless it is a key. A message that differs from the one of the same number that somebody else got is
// an error, and so is one that cannot be decoded.
func (f *film) show(message, stream []byte, detail int) (*reel, error) {
	h, err := codec.ParseHeader(stream)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slate{h.Number, h.First}
	if r, ok := f.reels[at]; ok {
		if !bytes.Equal(r.message, message) {
			return nil, fmt.Errorf("message %d: got other bytes than somebody else did", h.Number)
		}
		r.viewers++
		return r, nil
	}

	r := &reel{message: slices.Clone(message), header: h, detail: detail, viewers: 1}
	if !h.Key {
		before := f.before(at)
		if before == nil {
			return nil, fmt.Errorf("message %d: got it after all others, want it within %d messages", h.Number, keptReels)
		}
		r.after = before.after
	}
	if r.frames, err = decode(&r.after, stream, h.Count); err != nil {
		return nil, err
	}
	f.distinct++
	f.reels[at] = r
	if f.order = append(f.order, at); len(f.order) > keptReels {
		delete(f.reels, f.order[0])
		f.order = f.order[1:]
	}
	f.queue(r)
	return r, nil
}

// before returns the reel that one follows on, or nil. It is called with mu held.
func (f *film) before(at slate) *reel {
	for _, s := range slices.Backward(f.order) {
		if r := f.reels[s]; s.number == at.number-1 && s.first+uint64(r.header.Count) == at.first {
			return r
		}
	}
	return nil
}

func decode(d *codec.Decoder, stream []byte, count int) ([]*donut.Picture, error) {
	all, frames := make([]donut.Picture, count), make([]*donut.Picture, 0, count)
	_, err := d.Decode(stream, func(_ uint64, p *donut.Picture) {
		if p == nil {
			frames = append(frames, nil)
			return
		}
		frame := &all[len(frames)]
		*frame = *p
		frames = append(frames, frame)
	})
	return frames, err
}

// queue hands a reel to the critic. It is called with mu held.
func (f *film) queue(r *reel) {
	if len(f.waiting) == maxUnchecked {
		f.unchecked += uint64(r.header.Count)
		return
	}
	f.waiting = append(f.waiting, r)
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// criticize checks messages as they come, until ctx is done.
func (f *film) criticize(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.wake:
			f.finish(ctx)
		}
	}
}

// finish checks the messages that wait, until ctx is done.
func (f *film) finish(ctx context.Context) {
	for ctx.Err() == nil {
		r := f.nextWaiting()
		if r == nil {
			return
		}
		if forged := f.pictures.compare(r); forged > 0 {
			f.mu.Lock()
			r.forged = forged
			f.forged = append(f.forged, r)
			f.mu.Unlock()
		}
	}
}

func (f *film) nextWaiting() *reel {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) == 0 {
		return nil
	}
	r := f.waiting[0]
	f.waiting = f.waiting[1:]
	return r
}

// A showing is what a film amounts to.
type showing struct {
	messages   int    // distinct ones
	forgedSeen uint64 // forged frames, each as often as somebody got it
	unchecked  uint64 // distinct frames that there was no time to check
}

func (f *film) sum() showing {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := showing{messages: f.distinct, unchecked: f.unchecked}
	for _, r := range f.waiting {
		s.unchecked += uint64(r.header.Count)
	}
	for _, r := range f.forged {
		s.forgedSeen += r.forged * r.viewers
	}
	return s
}
