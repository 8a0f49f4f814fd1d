package hub

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/wire"
)

func TestFramesReadAsWhatTheyHold(t *testing.T) {
	for _, length := range []int{0, 1, 125, 126, 127, 1<<16 - 1, 1 << 16, 1 << 20} {
		header := 2 // bytes; the shortest that says the length
		switch {
		case length > 65535:
			header = 10
		case length > 125:
			header = 4
		}
		if got := len(framed(make([]byte, length))) - length; got != header {
			t.Errorf("the header of %d bytes has %d, want %d", length, got, header)
		}
		sent := bytes.Repeat([]byte{byte(length), 7, 3}, length/3+1)[:length]
		r := &raw{in: bufio.NewReader(bytes.NewReader(append(framed(sent), closing(websocket.StatusGoingAway)...)))}
		opcode, got, err := r.read()
		if err != nil || opcode != binaryFrame || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes read as opcode %#x with %d bytes, %v", length, opcode, len(got), err)
		}
		opcode, got, err = r.read()
		if err != nil || opcode != closeFrame || !bytes.Equal(got, []byte{1001 >> 8, 1001 & 0xff}) {
			t.Errorf("the close is opcode %#x with %v, %v", opcode, got, err)
		}
		if _, err := r.in.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("%d bytes are followed by more: %v", length, err)
		}
	}
}

func TestBatchIsTheFirstAndWhatFitsBesideIt(t *testing.T) {
	for _, test := range []struct {
		sizes []int
		want  int
	}{
		{[]int{1, 1, 1}, 3}, {[]int{maxBatch - 100, 99, 1, 1}, 3}, {[]int{maxBatch + 1, 1}, 1}, {[]int{1, maxBatch}, 1},
		{[]int{maxBatch}, 1}, {nil, 0},
	} {
		c := &conn{writing: true}
		for i, size := range test.sizes {
			c.queue(item{bytes: make([]byte, size), broadcast: uint64(i + 1), frames: 60})
			c.waiting++
			c.frames += 60
		}
		_, batch := c.next()
		if rest := len(test.sizes) - test.want; len(batch) != test.want || len(c.pending) != rest || c.waiting != rest ||
			c.frames != 60*rest || len(c.flying) != test.want || int(c.written) != test.want || c.writing != (test.want > 0) {
			t.Errorf("of %v, %d are written; %d wait, counted %d with %d frames, %d fly up to %d, writing %v; want %d written", test.sizes,
				len(batch), len(c.pending), c.waiting, c.frames, len(c.flying), c.written, c.writing, test.want)
		}
	}
}

// TestRepliesToPingsComeBetweenMessages has a client ping while it is sent messages larger than the kernel takes at once.
func TestRepliesToPingsComeBetweenMessages(t *testing.T) {
	h, d, m, url := setUp(t, nil)
	s := &stream{hub: h, machine: m, size: 100 << 10, frames: 1}
	viewer := upgrade(t, url, 0)
	if _, err := viewer.Write(frame(binaryFrame, hello(0))); err != nil {
		t.Fatal(err)
	}
	<-d.joined
	const messages, pings = 20, 20
	for range messages {
		s.next()
		if _, err := viewer.Write(frame(ping, []byte("here"))); err != nil {
			t.Fatal(err)
		}
	}
	broadcasts, pongs := 0, 0
	for broadcasts < messages || pongs < pings {
		opcode, payload, err := viewer.read()
		if err != nil {
			t.Fatalf("after %d broadcasts and %d pongs: %v", broadcasts, pongs, err)
		}
		switch {
		case opcode == pong && string(payload) == "here":
			pongs++
		case opcode == binaryFrame && wire.KindOf(payload) == wire.KindWelcome:
		case opcode == binaryFrame && len(payload) == s.size:
			broadcasts++
		default:
			t.Fatalf("after %d broadcasts and %d pongs: opcode %#x with %d bytes", broadcasts, pongs, opcode, len(payload))
		}
	}
}
