package hub

import (
	"bytes"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/wire"
)

// TestConnectionsMaySendSoManyMessages has each kind of message, and of control frame, come as often as may be, and once
// more.
func TestConnectionsMaySendSoManyMessages(t *testing.T) {
	const perSecond, most = 2, 2 * savedSeconds
	result := wire.Result{Lease: 9, First: 600, Frames: make([]byte, wire.PackedSize)}.Append(nil)
	for name, sent := range map[string][]byte{
		"probes":                         frame(binaryFrame, wire.Probe{}.Append(nil)),
		"answers to what was never lent": frame(binaryFrame, result),
		"pings":                          frame(ping, []byte("x")),
		"pongs":                          frame(pong, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, d, m, url := setUp(t, func(c *Config) { c.Messages = perSecond })
			tab := upgrade(t, url, 0)
			write := func(sent []byte, times int) {
				t.Helper()
				if _, err := tab.Write(bytes.Repeat(sent, times)); err != nil {
					t.Fatal(err)
				}
			}
			answered := frame(ping, []byte("sign of life")) // the last one: by its answer all before it have been read
			sync := func() {
				t.Helper()
				tab.SetReadDeadline(time.Now().Add(10 * time.Second))
				for {
					opcode, payload, err := tab.read()
					if err != nil {
						t.Fatalf("ended with %v, counted as %v", err, h.Stats().ClosedByName())
					}
					if opcode == pong && string(payload) == "sign of life" {
						return
					}
				}
			}
			write(frame(binaryFrame, hello(1)), 1)
			number := <-d.joined
			d.peer(number).Lend(wire.Lease{Lease: 1, Detail: 1, First: 600, Count: 1})
			// One answer is paid for by the lease, be it the wrong one: that is the fleet's to see.
			write(frame(binaryFrame, result), 1)
			write(sent, most-1)
			write(answered, 1)
			sync()
			m.set(m.get() + time.Second)
			write(sent, perSecond-1)
			write(answered, 1)
			sync()
			write(sent, 1)
			goodbye, status := tab.end()
			if goodbye != wire.ReasonFlooding || status != websocket.StatusPolicyViolation {
				t.Errorf("told %v and closed with %v, want flooding and %v", goodbye, status, websocket.StatusPolicyViolation)
			}
			if got := h.Stats().Closed(wire.ReasonFlooding); got != 1 {
				t.Errorf("%d connections are counted as flooding, want 1", got)
			}
		})
	}
}

// TestLeasesPayForTheirAnswers has a worker that may say next to nothing answer a hundred leases.
func TestLeasesPayForTheirAnswers(t *testing.T) {
	h, d, _, url := setUp(t, func(c *Config) { c.Messages = MinMessages })
	tab := dial(t, url, hello(8))
	peer := d.peer(<-d.joined)
	answer := func(lease uint64) {
		t.Helper()
		send(t, tab, wire.Result{Lease: lease, First: 600, Frames: make([]byte, wire.PackedSize)}.Append(nil))
	}
	const leases = 100
	for i := range uint64(leases) {
		peer.Lend(wire.Lease{Lease: i + 1, Thread: uint8(i % 8), Detail: 1, First: 600, Count: 1})
	}
	for i := range uint64(leases) {
		answer(i + 1)
	}
	for range MinMessages * savedSeconds {
		answer(leases) // once more, which is no crime, and not paid for
	}
	await(t, func() bool { return d.took() == leases+MinMessages*savedSeconds })
	answer(leases)
	await(t, func() bool { return h.Stats().Closed(wire.ReasonFlooding) == 1 })
	if got := d.took(); got != leases+MinMessages*savedSeconds {
		t.Errorf("the fleet was told of %d results, want %d", got, leases+MinMessages*savedSeconds)
	}
}

// TestLeasesThatNobodyAnswersAreNotSavedUp lends more than a worker can hold.
func TestLeasesThatNobodyAnswersAreNotSavedUp(t *testing.T) {
	h, _, _, _ := setUp(t, nil)
	c := stuck(h)
	c.worker, c.leaving = true, true // and so nothing is queued
	defer delete(h.conns, c)
	for i := range uint64(3 * maxAnswers) {
		c.Lend(wire.Lease{Lease: i + 1, Detail: 1, First: 600, Count: 1})
	}
	free := 0
	for c.redeem() {
		free++
	}
	if free != maxAnswers {
		t.Errorf("%d answers are paid for, want %d", free, maxAnswers)
	}
}

// TestPingsBeforeTheHelloCount floods instead of saying hello.
func TestPingsBeforeTheHelloCount(t *testing.T) {
	h, _, _, url := setUp(t, func(c *Config) { c.Messages = MinMessages })
	tab := upgrade(t, url, 0)
	if _, err := tab.Write(bytes.Repeat(frame(ping, nil), MinMessages*savedSeconds+1)); err != nil {
		t.Fatal(err)
	}
	if goodbye, status := tab.end(); goodbye != wire.ReasonFlooding || status != websocket.StatusPolicyViolation {
		t.Errorf("told %v and closed with %v, want flooding and %v", goodbye, status, websocket.StatusPolicyViolation)
	}
	await(t, func() bool { return h.connections() == 0 && h.Stats().Closed(wire.ReasonFlooding) == 1 })
}

// TestTimeoutsAreTheConfigured has somebody say nothing at all, and another one half a message.
func TestTimeoutsAreTheConfigured(t *testing.T) {
	for name, sent := range map[string][]byte{
		"no hello":       nil,
		"half a hello":   frame(binaryFrame, hello(0))[:20],
		"half a message": append(frame(binaryFrame, hello(0)), frame(binaryFrame, wire.Probe{}.Append(nil))[:20]...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _, _, url := setUp(t, func(c *Config) {
				c.Timeouts = Timeouts{Hello: time.Minute, Message: 100 * time.Millisecond, Write: time.Minute}
				if sent == nil {
					c.Timeouts.Hello, c.Timeouts.Message = 100*time.Millisecond, time.Minute
				}
			})
			tab := upgrade(t, url, 0)
			if _, err := tab.Write(sent); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			await(t, func() bool { return h.connections() == 0 && h.Stats().Closed(wire.ReasonSilent) == 1 })
			if took := time.Since(began); took > silence/2 {
				t.Errorf("ended after %v", took)
			}
		})
	}
}
