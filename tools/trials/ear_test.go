package main

import (
	"encoding/binary"
	"testing"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
)

// TestEar hears two servers publish four chunks, one of them both, and what is none.
func TestEar(t *testing.T) {
	var e ear
	publish := func(from, first uint64) {
		var encoder codec.Encoder
		message := binary.LittleEndian.AppendUint64([]byte{2, 1}, from)
		e.hear(encoder.Append(message, first, []*donut.Picture{new(donut.Picture)}, true))
	}
	publish(7, 30)
	publish(8, 60)
	publish(7, 90)
	publish(7, 120)
	publish(8, 120)
	e.hear(nil)
	e.hear(make([]byte, headerSize))
	for _, c := range []struct {
		frame, from uint64
		own, all    int
	}{{0, 7, 3, 5}, {0, 8, 2, 5}, {60, 7, 2, 4}, {91, 8, 1, 2}, {121, 7, 0, 0}, {0, 9, 0, 5}} {
		if own, all := e.since(c.frame, c.from); own != c.own || all != c.all {
			t.Errorf("from frame %d on server %d published %d of %d chunks, want %d of %d",
				c.frame, c.from, own, all, c.own, c.all)
		}
	}
	if got := e.twice(); got != 1 {
		t.Errorf("%d chunks were published twice, want 1", got)
	}
}
