package hub

import (
	"errors"
	"testing"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/wasm/wire"
)

// FuzzMessage has a connection take a message of whatever bytes. It is refused as malformed, or does what it says.
func FuzzMessage(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add(hello(1), true)
	f.Add(wire.Probe{Sent: 1}.Append(nil), false)
	f.Add(wire.Probe{Ack: 1}.Append(nil), false)
	f.Add(wire.Offer{Threads: 2}.Append(nil), false)
	f.Add(wire.Result{Lease: 1, Frames: make([]byte, wire.PackedSize)}.Append(nil), true)
	f.Add(wire.Result{Lease: 1, Frames: make([]byte, wire.PackedSize)}.Append(nil), false)
	h, d, _, _ := setUp(f, nil)
	f.Fuzz(func(t *testing.T, message []byte, worker bool) {
		c := &conn{hub: h, writing: true, worker: worker, offers: gate.NewRation(1, 1)}
		taken, offered := len(d.results), len(d.offers)
		err := c.take(message, d)
		var syntax *wire.SyntaxError
		switch {
		case errors.As(err, &syntax):
			if len(d.results) != taken || len(d.offers) != offered || len(c.pending) != 0 {
				t.Errorf("%x is refused (%v), and has an effect", message, err)
			}
		case err != nil:
			t.Errorf("%x is refused with %v, want a syntax error", message, err)
		case wire.KindOf(message) == wire.KindProbe:
			if len(c.pending) != 1 || wire.KindOf(c.pending[0].bytes[2:]) != wire.KindReply {
				t.Errorf("%x is not replied to", message)
			}
		case wire.KindOf(message) == wire.KindResult:
			if !worker || len(d.results) != taken+1 {
				t.Errorf("%x of worker %v: the fleet is told of %d results", message, worker, len(d.results)-taken)
			}
		case wire.KindOf(message) == wire.KindOffer:
			if len(d.offers) != offered+1 || d.offers[offered] != int(message[1]) || c.isWorker() != (worker || message[1] > 0) {
				t.Errorf("%x: the fleet is offered %v threads, by a worker: %v", message, d.offers[offered:], c.isWorker())
			}
		default:
			t.Errorf("%x is taken", message)
		}
	})
}

// FuzzLoans lends and answers at random, each byte an act, and compares the limit with that of somebody who keeps every
// lease in mind.
func FuzzLoans(f *testing.F) {
	f.Add([]byte{0x70, 0x20, 0x10, 0x71, 0x11, 0x81, 0x80, 0x80, 0x80})
	f.Add([]byte{0x0f, 0x1f, 0x0e, 0x1e, 0x0d, 0x82, 0x80, 0x83, 0x84})
	f.Fuzz(func(t *testing.T, acts []byte) {
		var l loans
		var known []wire.Lease // not answered, nor overtaken
		var last uint64
		for i, act := range acts {
			if act < 0x80 { // lend one of 2 threads a chunk of 1 to 64 frames
				last++
				m := wire.Lease{Lease: last, Thread: act & 1, Count: uint16(act>>1) + 1}
				l.add(m)
				known = append(known, m)
			} else if n := int(act & 0x7f); n < len(known) { // the n-th that may be answered
				answer := known[n]
				l.answered(answer.Lease)
				var open []wire.Lease
				for _, m := range known {
					if m.Thread != answer.Thread || m.Lease >= answer.Lease {
						open = append(open, m)
					}
				}
				known = open
			}
			exact := wire.MaxProbe
			for _, m := range known {
				exact = max(exact, wire.ResultSize(int(m.Count)))
			}
			if got := l.limit(); got < exact {
				t.Fatalf("after act %d the limit is %d bytes, and an answer takes %d", i, got, exact)
			}
			if len(known) == 0 && l.limit() != wire.MaxProbe {
				t.Fatalf("after act %d the limit is %d bytes, and nothing was lent", i, l.limit())
			}
			if len(l) > 2*64 || len(l) > len(acts) {
				t.Fatalf("after act %d %d loans are kept", i, len(l))
			}
		}
	})
}
