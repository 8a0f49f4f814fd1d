package hub

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/tools/seeds"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// TestBrokenRulesEndOneConnection breaks each rule of the protocol, in sight of a viewer that must notice nothing.
func TestBrokenRulesEndOneConnection(t *testing.T) {
	message := func(payloads ...[]byte) (sent []byte) {
		for _, p := range payloads {
			sent = append(sent, frame(binaryFrame, p)...)
		}
		return sent
	}
	outdated := hello(1)
	outdated[1]++
	result := wire.Result{Lease: 1, Frames: make([]byte, wire.PackedSize)}.Append(nil)
	for _, rule := range []struct {
		name   string
		sent   []byte
		hangUp bool // after what is sent
		want   wire.Reason
		status websocket.StatusCode // -1 where there is nobody left to tell
	}{
		{"another wire version", message(outdated), false, wire.ReasonOutdated, websocket.StatusPolicyViolation},
		{"another module", message(wire.Hello{Codec: codec.Version, Digest: wire.Digest{9}}.Append(nil)), false,
			wire.ReasonOutdated, websocket.StatusPolicyViolation},
		{"another codec", message(wire.Hello{Codec: codec.Version + 1, Digest: testDigest}.Append(nil)), false,
			wire.ReasonOutdated, websocket.StatusPolicyViolation},

		{"a hello too long", message(append(hello(0), 0)), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a hello of a terabyte", append(announce(binaryFrame, 1<<40), make([]byte, 100)...), false,
			wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a viewer's message too long", message(hello(0), append(wire.Probe{}.Append(nil), 0)), false,
			wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a message too long in pieces", slices.Concat(message(hello(0)), frame(binaryFrame&^0x80, make([]byte, 10)),
			frame(continuation, make([]byte, 10))), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a result of who holds no lease", message(hello(1), result), false, wire.ReasonMalformed, websocket.StatusProtocolError},

		{"an empty message", message(nil), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a hello too short", message(hello(1)[:20]), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a probe too short", message(hello(0), []byte{byte(wire.KindProbe), 1}), false, wire.ReasonMalformed,
			websocket.StatusProtocolError},
		{"the end within a hello", message(hello(0))[:20], true, wire.ReasonSilent, -1},
		{"the end within a probe", append(message(hello(0)), message(wire.Probe{}.Append(nil))[:20]...), true, wire.ReasonSilent, -1},
		{"a probe that does not arrive whole", append(message(hello(0)), message(wire.Probe{}.Append(nil))[:20]...), false,
			wire.ReasonSilent, -1},

		{"an unknown kind", message(hello(0), []byte{0x7f}), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a server's message", message(hello(1), wire.Revoke{}.Append(nil)), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"text", append(message(hello(0)), frame(text, wire.Probe{}.Append(nil))...), false, wire.ReasonMalformed,
			websocket.StatusProtocolError},
		{"a hello in text", frame(text, hello(0)), false, wire.ReasonMalformed, websocket.StatusProtocolError},

		{"a probe before the hello", message(wire.Probe{}.Append(nil)), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a result before the hello", message(result[:wire.MaxHello]), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a second hello", message(hello(1), hello(1)), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a viewer's result", message(hello(0), result[:wire.MaxProbe]), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"an acknowledgement of what was never sent", message(hello(0), wire.Probe{Ack: 1 << 40}.Append(nil)), false,
			wire.ReasonMalformed, websocket.StatusProtocolError},

		{"a reserved opcode", frame(0x83, nil), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a reserved bit", frame(0xc2, nil), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a piece of nothing", frame(continuation, nil), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a large ping", frame(ping, make([]byte, 126)), false, wire.ReasonMalformed, websocket.StatusProtocolError},
		{"a frame without a mask", []byte{binaryFrame, 0}, false, wire.ReasonMalformed, websocket.StatusProtocolError},
	} {
		t.Run(rule.name, func(t *testing.T) {
			t.Parallel()
			h, _, m, url := setUp(t, nil)
			s := &stream{hub: h, machine: m, frames: 1}
			witness := watch(t, url)
			stop := s.run(10 * time.Millisecond)

			socket := upgrade(t, url, 0)
			if _, err := socket.Write(rule.sent); err != nil {
				t.Fatal(err)
			}
			if rule.hangUp {
				socket.Close()
			} else {
				began := time.Now()
				goodbye, status := socket.end()
				if took := time.Since(began); took > h.cfg.Timeouts.Message+farewell+2*time.Second {
					t.Errorf("closed after %v", took)
				}
				if status != rule.status {
					t.Errorf("closed with %v, want %v", status, rule.status)
				}
				// The library hangs up itself on who breaks the protocol below ours, so there may be no goodbye.
				if goodbye != rule.want && goodbye != 0 || status == websocket.StatusPolicyViolation && goodbye == 0 {
					t.Errorf("told %v, want %v", goodbye, rule.want)
				}
			}
			await(t, func() bool { return h.Stats().Accepted.Load() == 2 && h.connections() == 1 })
			for reason := range wire.Reason(20) {
				want := uint64(0)
				if reason == rule.want {
					want = 1
				}
				if got := h.Stats().Closed(reason); got != want {
					t.Errorf("%d connections are counted as %v, want %d", got, reason, want)
				}
			}
			stop()
			s.next()
			await(t, func() bool { return witness.seen() == s.number })
		})
	}
}

// TestResultsMayBeAsLongAsTheLeaseAllows holds a worker's messages to what it was lent.
func TestResultsMayBeAsLongAsTheLeaseAllows(t *testing.T) {
	result := func(lease uint64, frames int) []byte {
		return wire.Result{Lease: lease, First: 600, Frames: make([]byte, frames*wire.PackedSize)}.Append(nil)
	}
	h, d, _, url := setUp(t, nil)
	worker := dial(t, url, hello(2))
	lend := func(lease uint64, thread uint8, frames uint16) {
		d.peer(1).Lend(wire.Lease{Lease: lease, Thread: thread, Detail: 1, First: 600, Count: frames})
	}
	<-d.joined
	// The hub waits for a message while it lends.
	lend(1, 0, 4)
	lend(2, 0, 120)
	lend(3, 1, 10)
	send(t, worker, result(3, 10))
	send(t, worker, result(2, 120))
	await(t, func() bool { return d.took() == 2 })
	lend(4, 0, 4)
	send(t, worker, result(4, 4))
	send(t, worker, result(3, 10)) // once more, which is no crime
	await(t, func() bool { return d.took() == 4 })
	if got := h.Stats().Closed(wire.ReasonMalformed); got != 0 {
		t.Fatalf("%d workers are refused", got)
	}
	lend(5, 1, 4)
	send(t, worker, result(5, 4))
	await(t, func() bool { return d.took() == 5 })
	lend(6, 1, 4)
	send(t, worker, result(6, 5))
	await(t, func() bool { return h.Stats().Closed(wire.ReasonMalformed) == 1 })
	if got := d.took(); got != 5 {
		t.Errorf("the fleet was told of %d results, want 5", got)
	}
}

// TestGoodbyeWaitsForNobody says goodbye to somebody who announces a terabyte then, and sends nothing of it.
func TestGoodbyeWaitsForNobody(t *testing.T) {
	for name, drain := range map[string]bool{"on its own": false, "when the hub closes": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, _, _, url := setUp(t, nil)
			socket := upgrade(t, url, 0)
			if _, err := socket.Write(append(frame(binaryFrame, []byte{0x7f}), announce(binaryFrame, 1<<40)...)); err != nil {
				t.Fatal(err)
			}
			await(t, func() bool { return h.Stats().Closed(wire.ReasonMalformed) == 1 })
			if drain {
				ctx, cancel := context.WithCancel(context.Background())
				cancel()
				began := time.Now()
				h.Close(ctx, Returns{PerSecond: 1})
				if took := time.Since(began); took > farewell/2 {
					t.Errorf("the hub took %v to close", took)
				}
			}
			await(t, func() bool { return h.connections() == 0 })
		})
	}
}

// TestGarbage has a crowd send whatever a seeded generator makes up, from bytes that are no HTTP to messages that are
// nearly right.
func TestGarbage(t *testing.T) {
	before := runtime.NumGoroutine()
	const together = 50
	for first, end := uint64(0), seeds.Count(t, together); first < end; first += together {
		t.Run(fmt.Sprintf("seeds from %d on", first), func(t *testing.T) {
			h, _, m, url := setUp(t, nil)
			s := &stream{hub: h, machine: m, frames: 1}
			witness := watch(t, url)
			stop := s.run(10 * time.Millisecond)
			var crowd sync.WaitGroup
			for seed := first; seed < first+together; seed++ {
				crowd.Go(func() {
					if err := vandalise(url, rand.New(rand.NewPCG(seed, 3))); err != nil {
						t.Errorf("seed %d: %v", seed, err)
					}
				})
			}
			crowd.Wait()
			stop()
			s.next()
			await(t, func() bool { return witness.seen() == s.number })
			await(t, func() bool { return h.connections() == 1 })
			if got := h.Stats().Closed(wire.ReasonMalformed); got < 30 {
				t.Errorf("%d connections are counted as malformed, want nearly all that were upgraded", got)
			}
		})
	}
	await(t, func() bool { return runtime.NumGoroutine() <= before })
}

// vandalise connects and sends garbage until it is hung up on, or has sent enough.
func vandalise(url string, rng *rand.Rand) error {
	random := func(most int) []byte {
		b := make([]byte, rng.IntN(most+1))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	if rng.IntN(10) == 0 {
		socket, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return fmt.Errorf("connect: %w", err)
		}
		socket.Write(append(random(1000), "\r\n\r\n"...))
		return socket.Close()
	}
	socket, err := connect(url, 0)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer socket.Close()
	var sent []byte
	if rng.IntN(2) == 0 {
		sent = frame(binaryFrame, hello(uint8(rng.IntN(wire.MaxThreads+1))))
	}
	for range 50 {
		switch rng.IntN(4) {
		case 0:
			sent = append(sent, random(50)...)
		case 1:
			sent = append(sent, frame(byte(rng.Uint32()), random(200))...)
		case 2:
			sent = append(sent, frame(binaryFrame, append([]byte{byte(rng.IntN(4))}, random(40)...))...)
		case 3:
			sent = append(sent, announce(binaryFrame, rng.Uint64()>>rng.IntN(64))...)
		}
	}
	socket.Write(sent) // an error is as good as an end
	if rng.IntN(2) == 0 {
		socket.end()
	}
	return nil
}

// TestHelloMayComeWithTheRequest sends a hello and some probes before the upgrade is answered.
func TestHelloMayComeWithTheRequest(t *testing.T) {
	_, _, _, url := setUp(t, nil)
	socket, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	sent := []byte("GET / HTTP/1.1\r\nHost: donut\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	sent = append(sent, frame(binaryFrame, hello(0))...)
	for range maxReplies / 2 { // more than ownBuffer holds
		sent = append(sent, frame(binaryFrame, wire.Probe{}.Append(nil))...)
	}
	if _, err := socket.Write(sent); err != nil {
		t.Fatal(err)
	}
	r := &raw{socket, bufio.NewReader(socket)}
	socket.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := http.ReadResponse(r.in, nil); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat([]wire.Kind{wire.KindWelcome}, slices.Repeat([]wire.Kind{wire.KindReply}, maxReplies/2))
	for i, kind := range want {
		if _, message, err := r.read(); err != nil || wire.KindOf(message) != kind {
			t.Fatalf("message %d is a %v, %v; want a %v", i, wire.KindOf(message), err, kind)
		}
	}
}

// TestEndIsCountedUnderTheFirstReasonThatIsGiven has a write fail before the reader knows why: that gives no reason.
func TestEndIsCountedUnderTheFirstReasonThatIsGiven(t *testing.T) {
	h, d, _, url := setUp(t, nil)
	dial(t, url, hello(0))
	c := d.peer(<-d.joined).(*conn)
	c.abandon(0)
	c.abandon(wire.ReasonSilent)
	c.abandon(wire.ReasonSlow)
	c.Dismiss(wire.Goodbye{Reason: wire.ReasonMalformed})
	for reason, want := range map[wire.Reason]uint64{wire.ReasonSilent: 1, wire.ReasonSlow: 0, wire.ReasonMalformed: 0} {
		if got := h.Stats().Closed(reason); got != want {
			t.Errorf("%d connections are counted as %v, want %d", got, reason, want)
		}
	}
}
