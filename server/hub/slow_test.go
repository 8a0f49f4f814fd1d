package hub

import (
	"bytes"
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

// writes takes what waits for a stuck connection, as its writer does.
func (c *conn) writes() (numbers []byte) {
	for _, batch := c.next(); len(batch) > 0; _, batch = c.next() {
		for _, i := range batch {
			numbers = append(numbers, i.bytes[2])
		}
	}
	c.writing = true // it stays stuck
	return numbers
}

func TestViewerWhoFallsBehindIsHeldBackUntilItHasCaughtUp(t *testing.T) {
	h, _, m, _ := setUp(t, nil)
	c := stuck(h)
	defer delete(h.conns, c)
	now := time.Now()
	air(h, 1, 480, true)
	air(h, 2, 540, false)
	c.writes()
	for i := range c.flying {
		c.flying[i].at = now
	}
	if caughtUp, err := c.acknowledge(1, now.Add(maxPending)); caughtUp || err != nil || !c.behind.IsZero() {
		t.Fatalf("one message behind for 4 s: caught up %v, %v, behind since %v", caughtUp, err, c.behind)
	}
	air(h, 3, 600, false) // waits
	if _, err := c.acknowledge(1, now.Add(maxPending+time.Millisecond)); err != nil || c.behind.IsZero() {
		t.Fatalf("one message behind for more than 4 s: %v, behind since %v", err, c.behind)
	}
	air(h, 4, 660, false)
	if got := c.writes(); len(got) != 0 {
		t.Errorf("messages %v are written to a viewer that is behind", got)
	}

	if err := h.acknowledge(c, 2); err != nil {
		t.Fatal(err)
	}
	if got, want := c.writes(), []byte{3, 4}; !bytes.Equal(got, want) {
		t.Errorf("a viewer that has caught up is sent messages %v, want %v", got, want)
	}
	if got := h.Stats().Replayed.Load(); got != 1 {
		t.Errorf("%d replays are counted, want 1", got)
	}

	// Behind once more, until its group is off the screen: it is sent the one that is on.
	for i := range c.flying {
		c.flying[i].at = now.Add(-time.Minute)
	}
	if err := h.acknowledge(c, 2); err != nil || c.behind.IsZero() {
		t.Fatalf("behind by a minute: %v, behind since %v", err, c.behind)
	}
	air(h, 5, 720, true)
	air(h, 6, 780, false)
	m.set(12 * time.Second) // frame 720
	if err := h.acknowledge(c, 4); err != nil {
		t.Fatal(err)
	}
	if got, want := c.writes(), []byte{5, 6}; !bytes.Equal(got, want) {
		t.Errorf("a viewer that has caught up is sent messages %v, want %v", got, want)
	}
}

func TestViewerWhoAcknowledgesNothingIsClosed(t *testing.T) {
	h, _, _, _ := setUp(t, nil)
	c := stuck(h)
	defer delete(h.conns, c)
	start := time.Now()
	for second := range 30 {
		air(h, uint64(second+1), 600, true)
		c.writes()
		for i := range c.flying {
			if f := &c.flying[i]; f.number == uint64(second+1) {
				f.at = start.Add(time.Duration(second) * time.Second)
			}
		}
		if second%5 == 0 { // a probe
			if _, err := c.acknowledge(0, start.Add(time.Duration(second)*time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		if c.leaving {
			if second > 20 {
				t.Errorf("closed after %d s", second)
			}
			break
		}
		if len(c.flying) > 6 {
			t.Fatalf("%d messages are on their way to a viewer that acknowledges nothing", len(c.flying))
		}
	}
	if got := h.Stats().Closed(wire.ReasonSlow); got != 1 {
		t.Errorf("%d connections are counted as slow, want 1", got)
	}
}
