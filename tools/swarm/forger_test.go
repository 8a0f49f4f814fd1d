package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// honest is count packed frames from first on.
func honest(first uint64, count int) []byte {
	packed := make([]byte, count*wire.PackedSize)
	r := donut.NewRenderer(1)
	for i := range count {
		var p donut.Picture
		r.Render(&p, first+uint64(i))
		wire.Pack(packed[i*wire.PackedSize:], &p)
	}
	return packed
}

// forgery has a new forger answer a lease of 60 frames from 120 on as its chunk number so many.
func forgery(t *testing.T, s strategy, seed uint64, chunk int) (frames []byte, submitted int) {
	t.Helper()
	c := &crowd{cfg: config{duration: time.Hour, strategies: []strategy{s}, seed: seed}, started: time.Now()}
	f := &forger{crowd: c, answered: chunk - 1}
	if chunk > 1 {
		f.first = honest(3, 1)
	}
	m := wire.Result{First: 120, Frames: honest(120, 60)}
	f.forge(&m, honest(180, 1))
	for at := 0; at < len(m.Frames); at += wire.PackedSize {
		if err := wire.Unpack(new(donut.Picture), m.Frames[at:at+wire.PackedSize]); err != nil {
			t.Errorf("frame %d is malformed: %v", 120+at/wire.PackedSize, err)
		}
	}
	return m.Frames, f.submitted
}

// forgedFrames returns how many of 60 frames from 120 on are forged.
func forgedFrames(frames []byte) (n int) {
	want := honest(120, 60)
	for at := 0; at < len(frames); at += wire.PackedSize {
		if !bytes.Equal(frames[at:at+wire.PackedSize], want[at:at+wire.PackedSize]) {
			n++
		}
	}
	return n
}

func TestStrategies(t *testing.T) {
	for _, c := range []struct {
		strategy strategy
		chunk    int
		want     int // forged frames
	}{
		{everyCell, 1, 60},
		{oneCell, 1, 1},
		{sleeper, sleepChunks, 0},
		{sleeper, sleepChunks + 1, 60},
		{replayed, 1, 59}, // all are the first one
		{replayed, 2, 60},
		{shifted, 1, 60},
	} {
		frames, submitted := forgery(t, c.strategy, 7, c.chunk)
		if got := forgedFrames(frames); got != c.want || submitted != c.want {
			t.Errorf("%s forges %d frames of chunk %d and counts %d, want %d", c.strategy, got, c.chunk, submitted, c.want)
		}
		if again, _ := forgery(t, c.strategy, 7, c.chunk); !bytes.Equal(frames, again) {
			t.Errorf("%s: two forgers do not agree", c.strategy)
		}
	}
	frames, _ := forgery(t, shifted, 7, 1)
	if !bytes.Equal(frames, honest(121, 60)) {
		t.Error("shifted frames are not those that follow")
	}
	frames, _ = forgery(t, oneCell, 7, 1)
	cells := 0
	for i, b := range honest(120, 60) {
		if b != frames[i] {
			cells++
		}
	}
	if cells != 1 {
		t.Errorf("one cell is forged in %d places", cells)
	}
}

func TestStrategiesTakeTurnsAndEndBeforeThePlay(t *testing.T) {
	cfg := config{duration: 110 * time.Second, strategies: []strategy{everyCell, oneCell}}
	for _, c := range []struct {
		played time.Duration
		want   strategy
	}{{0, everyCell}, {49 * time.Second, everyCell}, {50 * time.Second, oneCell}, {99 * time.Second, oneCell}, {100 * time.Second, ""}, {time.Hour, ""}} {
		if got := cfg.strategyAt(c.played); got != c.want {
			t.Errorf("after %v forgers play %q, want %q", c.played, got, c.want)
		}
	}
}
