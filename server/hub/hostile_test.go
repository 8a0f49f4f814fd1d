package hub

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/wire"
)

// An attack is what a stranger does to the hub, and what becomes of it.
type attack struct {
	name string
	// do attacks over an upgraded connection. It returns when it is done, or when writing fails.
	do func(tab *raw)
	// reason is under which it is counted, or 0 where it does no harm and stays; status is how it is closed, or -1 where it
	// is cut off.
	reason wire.Reason
	status websocket.StatusCode
}

// paced writes something again and again, slowly enough for its answers to be read, until that fails.
func paced(tab *raw, times int, each []byte) {
	pause := time.NewTicker(10 * time.Millisecond)
	defer pause.Stop()
	for range times {
		if _, err := tab.Write(each); err != nil {
			return
		}
		<-pause.C
	}
}

// say writes messages.
func say(messages ...[]byte) func(*raw) {
	return func(tab *raw) {
		for _, m := range messages {
			tab.Write(frame(binaryFrame, m))
		}
	}
}

// trickle writes bytes one by one, each in a segment of its own as far as the system lets it, until they are cut off.
func trickle(sent []byte) func(*raw) {
	return func(tab *raw) {
		pause := time.NewTicker(20 * time.Millisecond)
		defer pause.Stop()
		for i := range sent {
			if _, err := tab.Write(sent[i : i+1]); err != nil {
				return
			}
			<-pause.C
		}
	}
}

var attacks = []attack{
	{"says nothing", func(*raw) {}, wire.ReasonSilent, -1},
	{"garbage after the upgrade", func(tab *raw) { tab.Write(bytes.Repeat([]byte{0xff}, 100)) },
		wire.ReasonMalformed, websocket.StatusProtocolError},
	{"a hello byte by byte", trickle(frame(binaryFrame, hello(0))), wire.ReasonSilent, -1},
	{"a frame of 2^63 bytes", func(tab *raw) {
		say(hello(1))(tab)
		tab.Write(append(announce(binaryFrame, 1<<63-1), make([]byte, 100)...))
	}, wire.ReasonMalformed, websocket.StatusProtocolError},
	{"fragments without end", func(tab *raw) {
		say(hello(0))(tab)
		tab.Write(frame(binaryFrame&^0x80, nil))
		paced(tab, 1000, frame(continuation&^0x80, nil))
	}, wire.ReasonSilent, -1},
	{"pings within a message without end", func(tab *raw) {
		say(hello(0))(tab)
		tab.Write(frame(binaryFrame&^0x80, []byte{byte(wire.KindProbe)}))
		tab.Write(bytes.Repeat(frame(ping, nil), 250))
	}, wire.ReasonFlooding, websocket.StatusPolicyViolation},
	{"a flood of probes", func(tab *raw) {
		say(hello(0))(tab)
		paced(tab, 30, bytes.Repeat(frame(binaryFrame, wire.Probe{}.Append(nil)), 10))
	}, wire.ReasonFlooding, websocket.StatusPolicyViolation},
	{"a flood of pings", func(tab *raw) {
		say(hello(0))(tab)
		tab.Write(bytes.Repeat(frame(ping, make([]byte, 125)), 210))
	}, wire.ReasonFlooding, websocket.StatusPolicyViolation},
	{"a fragmented ping", func(tab *raw) {
		say(hello(0))(tab)
		tab.Write(frame(ping&^0x80, []byte("x")))
	}, wire.ReasonMalformed, websocket.StatusProtocolError},
	{"a message without a mask", func(tab *raw) {
		say(hello(0))(tab)
		tab.Write(framed(wire.Probe{}.Append(nil)))
	}, wire.ReasonMalformed, websocket.StatusProtocolError},
	{"a ping of 126 bytes", func(tab *raw) {
		say(hello(0))(tab)
		tab.Write(frame(ping, make([]byte, 126)))
	}, wire.ReasonMalformed, websocket.StatusProtocolError},
	{"absurd times", say(hello(0), wire.Probe{Sent: math.MinInt64}.Append(nil), wire.Probe{Sent: math.MaxInt64}.Append(nil)),
		0, 0},
	{"a result for a lease of somebody else", say(hello(1), wire.Result{Lease: 1, First: 600}.AppendHeader(nil, 1)),
		wire.ReasonMalformed, websocket.StatusProtocolError},
}

// TestHostileClientsHarmNobodyElse has each attack come a few times at once, beside a viewer who may miss nothing and a
// worker who goes on.
func TestHostileClientsHarmNobodyElse(t *testing.T) {
	const attackers = 3
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			h, d, m, url := setUp(t, func(c *Config) {
				c.Messages = 20
				c.Timeouts = Timeouts{Hello: 300 * time.Millisecond, Message: 300 * time.Millisecond, Write: time.Second}
			})
			s := &stream{hub: h, machine: m, frames: 1}
			witness := watch(t, url)
			<-d.joined
			worker := dial(t, url, hello(1))
			peer := d.peer(<-d.joined)
			stop := s.run(100 * time.Millisecond)

			var crowd [attackers]*raw
			done := make(chan struct{}, attackers)
			for i := range crowd {
				crowd[i] = upgrade(t, url, 0)
				go func() {
					a.do(crowd[i])
					done <- struct{}{}
				}()
			}
			for _, tab := range crowd {
				if a.reason == 0 {
					break
				}
				// Who is closed below our protocol, or still writes then, may not get to read why.
				goodbye, status := tab.end()
				if status != a.status && status != -1 || goodbye != a.reason && goodbye != 0 {
					t.Errorf("told %v and closed with %v, want %v and %v", goodbye, status, a.reason, a.status)
				}
			}
			for range crowd {
				<-done
			}
			if a.reason == 0 {
				await(t, func() bool { return h.connections() == 2+attackers })
			} else {
				await(t, func() bool { return h.connections() == 2 && h.Stats().Closed(a.reason) == attackers })
			}
			for reason, n := range h.Stats().ClosedByName() {
				if n > 0 && (a.reason == 0 || reason != a.reason.String()) {
					t.Errorf("%d connections are counted as %s", n, reason)
				}
			}

			took := d.took()
			peer.Lend(wire.Lease{Lease: 77, Detail: 1, First: 600, Count: 1})
			send(t, worker, wire.Result{Lease: 77, First: 600, Frames: make([]byte, wire.PackedSize)}.Append(nil))
			await(t, func() bool { return d.took() == took+1 })
			stop()
			s.next()
			await(t, func() bool { return witness.seen() == s.number })
		})
	}
}

// TestReaderWhoNeverReadsIsCutOff takes nothing of a stream that is thicker than what the kernel holds.
func TestReaderWhoNeverReadsIsCutOff(t *testing.T) {
	t.Parallel()
	h, _, m, url := setUp(t, func(c *Config) { c.Timeouts.Write = 200 * time.Millisecond })
	witness := watch(t, url)
	s := &stream{hub: h, machine: m, frames: 1, size: 64 << 10}
	tab := upgrade(t, url, 536)
	say(hello(0))(tab)
	stop := s.run(20 * time.Millisecond)
	await(t, func() bool { return h.Stats().Closed(wire.ReasonSlow) == 1 && h.connections() == 1 })
	stop()
	s.next()
	await(t, func() bool { return witness.seen() == s.number })
}
