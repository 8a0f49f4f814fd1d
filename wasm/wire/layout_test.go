package wire

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

type message interface {
	Append(dst []byte) []byte
}

// A layout is one message with every field set to something recognizable, and the bytes it must print. They change
// together with Version, and not otherwise.
type layout struct {
	kind    Kind
	message message
	hex     string
	parse   func([]byte) (message, error)
	random  func(*rand.Rand) message
}

func parser[M message](parse func([]byte) (M, error)) func([]byte) (message, error) {
	return func(b []byte) (message, error) { return parse(b) }
}

func layoutOf(t testing.TB, kind Kind) layout {
	t.Helper()
	for _, l := range layouts {
		if l.kind == kind {
			return l
		}
	}
	t.Fatalf("no layout of %v", kind)
	return layout{}
}

// counting is 00 01 02 ... 1f.
var counting = func() (d Digest) {
	for i := range d {
		d[i] = byte(i)
	}
	return d
}()

const countingHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

var layouts = []layout{
	{
		kind:    KindHello,
		message: Hello{Threads: 8, Codec: 0xfe, Digest: counting},
		hex:     "01 04 08 fe" + countingHex,
		parse:   parser(ParseHello),
		random: func(r *rand.Rand) message {
			return Hello{Threads: uint8(r.IntN(MaxThreads + 1)), Codec: uint8(r.Uint32()), Digest: randomDigest(r)}
		},
	},
	{
		kind:    KindProbe,
		message: Probe{Sent: -2, Ack: 0x0102030405060708, Took: 0x010203},
		hex:     "02 feffffffffffffff 0807060504030201 03020100",
		parse:   parser(ParseProbe),
		random:  func(r *rand.Rand) message { return Probe{int64(r.Uint64()), r.Uint64(), r.Uint32N(MaxRoundTrip + 1)} },
	},
	{
		kind:    KindOffer,
		message: Offer{Threads: 8},
		hex:     "04 08",
		parse:   parser(ParseOffer),
		random:  func(r *rand.Rand) message { return Offer{Threads: uint8(r.IntN(MaxThreads + 1))} },
	},
	{
		kind: KindResult,
		message: Result{
			Lease: 0x0102030405060708, First: 0x1112131415161718, Spent: 0x21222324, Frames: bytes.Repeat([]byte{0xc1}, PackedSize),
		},
		hex:   "03 0807060504030201 1817161514131211 24232221 0100" + strings.Repeat("c1", PackedSize),
		parse: parser(ParseResult),
		random: func(r *rand.Rand) message {
			return Result{
				Lease: r.Uint64(), First: r.Uint64() - MaxChunk, Spent: r.Uint32(), Frames: randomPacked(r, 1+r.IntN(MaxChunk)),
			}
		},
	},
	{
		kind: KindWelcome,
		message: Welcome{
			Detail: 32, Threads: 8, You: 0x01020304, Generation: 0x11121314, Now: 0x2122232425262728, Epoch: -2,
			Lead: 0x31323334, Digest: counting,
		},
		hex:   "81 04 20 08 04030201 14131211 2827262524232221 feffffffffffffff 34333231" + countingHex,
		parse: parser(ParseWelcome),
		random: func(r *rand.Rand) message {
			return Welcome{
				Detail: uint8(1 + r.IntN(donut.MaxDetail)), Threads: uint8(r.IntN(MaxThreads + 1)), You: r.Uint32() | 1,
				Generation: r.Uint32(), Now: int64(r.Uint64()), Epoch: int64(r.Uint64()), Lead: r.Uint32(), Digest: randomDigest(r),
			}
		},
	},
	{
		kind: KindReply,
		message: Reply{
			Sent: 0x0102030405060708, Received: 0x1112131415161718, Replied: -2, Generation: 0x31323334,
			Verified: 0x4142434445464748,
		},
		hex:   "82 0807060504030201 1817161514131211 feffffffffffffff 34333231 4847464544434241",
		parse: parser(ParseReply),
		random: func(r *rand.Rand) message {
			return Reply{
				Sent: int64(r.Uint64()), Received: int64(r.Uint64()), Replied: int64(r.Uint64()), Generation: r.Uint32(),
				Verified: r.Uint64(),
			}
		},
	},
	{
		kind: KindLease,
		message: Lease{
			Lease: 0x0102030405060708, Thread: 7, Detail: 32, First: 0x1112131415161718, Count: 0x78, Within: 0x21222324,
		},
		hex:   "83 0807060504030201 07 20 1817161514131211 7800 24232221",
		parse: parser(ParseLease),
		random: func(r *rand.Rand) message {
			return Lease{
				Lease: r.Uint64(), Thread: uint8(r.IntN(MaxThreads)), Detail: uint8(1 + r.IntN(donut.MaxDetail)),
				First: r.Uint64() - MaxChunk, Count: uint16(1 + r.IntN(MaxChunk)), Within: r.Uint32(),
			}
		},
	},
	{
		kind:    KindRevoke,
		message: Revoke{Lease: 0x0102030405060708},
		hex:     "84 0807060504030201",
		parse:   parser(ParseRevoke),
		random:  func(r *rand.Rand) message { return Revoke{Lease: r.Uint64()} },
	},
	{
		kind: KindBroadcast,
		message: Broadcast{
			Generation: 0x01020304,
			Stats: Stats{
				Viewers: 1, Workers: 2, Threads: 3, LeadMillis: 10_000, Aired: 5, Unaudited: 6, Fleet: 7, Server: 8, Stalled: 9,
				Audited: 10, Forged: 11, Evictions: 12, Hedged: 13, Wasted: 14, StreamSize: 1<<64 - 1,
				Foreign: 16, Servers: 17, AllViewers: 18, AllWorkers: 19, AllThreads: 20,
			},
			Ring: Ring{First: 300, Runs: []RingRun{
				{State: RingAired, Owner: 0, Count: 60}, {State: RingLeased, Owner: 1<<32 - 1, Count: 128}, {State: RingStalled, Owner: 1, Count: 1},
			}},
			Board:  []Contributor{{Owner: 1<<32 - 1, Verified: 300}, {Owner: 2, Verified: 300}, {Owner: 3, Verified: 1}},
			Stream: []byte{0xaa},
		},
		hex: "85 04030201" +
			"01 02 03 904e 05 06 07 08 09 0a 0b 0c 0d 0e ffffffffffffffffff01 10 11 12 13 14" +
			"ac02 03 04003c 01ffffffff0f8001 050101" +
			"03 ffffffff0fac02 02ac02 0301" +
			"aa",
		parse:  parser(ParseBroadcast),
		random: randomBroadcast,
	},
	{
		kind:    KindGoodbye,
		message: Goodbye{Reason: ReasonFull, Retry: 0x01020304},
		hex:     "86 06 04030201",
		parse:   parser(ParseGoodbye),
		random: func(r *rand.Rand) message {
			return Goodbye{Reason: Reason(1 + r.IntN(int(reasonEnd)-1)), Retry: r.Uint32()}
		},
	},
}

func randomDigest(r *rand.Rand) (d Digest) {
	for i := range d {
		d[i] = byte(r.Uint32())
	}
	return d
}

func randomPacked(r *rand.Rand, count int) []byte {
	packed := make([]byte, count*PackedSize)
	for i := range packed {
		packed[i] = byte(r.IntN(donut.Levels) | r.IntN(donut.Levels)<<4)
	}
	return packed
}

func randomBroadcast(r *rand.Rand) message {
	m := Broadcast{Generation: r.Uint32(), Stream: []byte{byte(r.Uint32()), byte(r.Uint32())}}
	for _, f := range m.Stats.fields() {
		*f.value = r.Uint64() >> r.IntN(64)
	}
	m.Ring.First = r.Uint64() >> (1 + r.IntN(63))
	for range r.IntN(20) {
		m.Ring.Runs = append(m.Ring.Runs, RingRun{
			State: RingState(r.IntN(int(ringStates))), Owner: r.Uint32() >> r.IntN(32), Count: 1 + r.Uint64()>>(8+r.IntN(56)),
		})
	}
	m.Board = randomBoard(r)
	return m
}

func randomBoard(r *rand.Rand) (board []Contributor) {
	verified := uint64(math.MaxUint64)
	for i := range uint32(r.IntN(MaxBoard + 1)) {
		verified -= r.Uint64N(verified) // so it is never 0
		board = append(board, Contributor{Owner: 1 + i + MaxBoard*(r.Uint32()>>(3+r.IntN(29))), Verified: verified})
	}
	return board
}

// decodeHex reads hex digits with spaces between them.
func decodeHex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
