package main

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// maxGarbage is how many may send garbage, and maxDumpRate how often each of them may come a second.
	maxGarbage  = 1_000
	maxDumpRate = 100
	// garbageSize is the most bytes of a message of it.
	garbageSize = 4 << 10
	// garbageWait is how long such a connection lasts at most.
	garbageWait = 5 * time.Second
)

// litter plays sender of garbage number i, who comes again as soon as it may.
func (h *hostiles) litter(ctx context.Context, c *crowd, i int) {
	rng := rand.New(rand.NewPCG(c.cfg.seed, uint64(i)))
	ticker := time.NewTicker(time.Duration(float64(time.Second) / c.cfg.dumpRate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.dump(ctx, c, i, rng)
		}
	}
}

// dump leaves some garbage.
func (h *hostiles) dump(ctx context.Context, c *crowd, i int, rng *rand.Rand) {
	ctx, cancel := context.WithTimeout(ctx, garbageWait)
	defer cancel()
	socket := h.dial(ctx, c, litterer, i)
	if socket == nil {
		return
	}
	defer socket.CloseNow()
	hello := wire.Hello{Threads: uint8(rng.IntN(2)), Codec: codec.Version, Digest: c.digest}.Append(nil)
	for _, m := range garbage(rng, hello) {
		if socket.Write(ctx, m.kind, m.bytes) != nil {
			break // and what the server has to say to it is read
		}
		h.messages.Add(1)
	}
	h.read(ctx, socket, func([]byte) {})
}

// A dropping is one message of garbage.
type dropping struct {
	kind  websocket.MessageType
	bytes []byte
}

// garbage makes up some, the right hello with it or not.
func garbage(rng *rand.Rand, hello []byte) []dropping {
	noise := make([]byte, 1+rng.IntN(garbageSize))
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	greeting := dropping{websocket.MessageBinary, hello}
	switch rng.IntN(4) {
	case 0: // in place of the hello
		return []dropping{{websocket.MessageBinary, noise}}
	case 1: // a hello that is cut short
		return []dropping{{websocket.MessageBinary, hello[:rng.IntN(len(hello))]}}
	case 2: // text
		return []dropping{greeting, {websocket.MessageText, noise}}
	default: // of a kind that there is
		kinds := []wire.Kind{wire.KindProbe, wire.KindOffer, wire.KindResult, wire.KindHello}
		noise[0] = byte(kinds[rng.IntN(len(kinds))])
		return []dropping{greeting, {websocket.MessageBinary, noise}}
	}
}
