package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// TestBeat counts what is sent within ten seconds by somebody who is held up for three of them.
func TestBeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for rate, want := range map[float64]int64{0.5: 5, 10: 100, 1000: 10_000} {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+floodBeat/2)
			var h hostiles
			h.beat(ctx, rate, func() error {
				if h.messages.Load() == want/2 {
					<-time.After(3 * time.Second)
				}
				return nil
			})
			if got := h.messages.Load(); got != want {
				t.Errorf("%v a second: %d messages in 10 s, want %d", rate, got, want)
			}
			cancel()
		}
		var h hostiles
		broken := errors.New("broken")
		h.beat(t.Context(), 100, func() error { return broken })
		if got := h.messages.Load(); got != 0 {
			t.Errorf("%d messages sent over a broken connection", got)
		}
	})
}

func TestHonestAnswer(t *testing.T) {
	lease := wire.Lease{Lease: 9, Detail: 2, First: 700, Count: 3}
	m, err := wire.ParseResult(new(crowd).honest(lease))
	if err != nil || m.Lease != 9 || m.First != 700 || m.Count() != 3 {
		t.Fatalf("answer is %d frames from %d on of lease %d, %v, want that of %+v", m.Count(), m.First, m.Lease, err, lease)
	}
	r := donut.NewRenderer(2)
	for i := range m.Count() {
		var got, want donut.Picture
		if err := wire.Unpack(&got, m.Frames[i*wire.PackedSize:][:wire.PackedSize]); err != nil {
			t.Fatal(err)
		}
		if r.Render(&want, m.First+uint64(i)); got != want {
			t.Errorf("frame %d is not what the package donut renders", m.First+uint64(i))
		}
	}
}

// TestGarbageIsGarbage makes up some, and wants all of it to hold something that no server may take.
func TestGarbageIsGarbage(t *testing.T) {
	hello := wire.Hello{Codec: codec.Version}.Append(nil)
	rng := rand.New(rand.NewPCG(3, 4))
	greeted := 0
	for i := range 1000 {
		all := garbage(rng, hello)
		refused := false
		for k, m := range all {
			if k == 0 && string(m.bytes) == string(hello) {
				greeted++
				continue
			}
			_, helloErr := wire.ParseHello(m.bytes)
			_, probeErr := wire.ParseProbe(m.bytes)
			_, offerErr := wire.ParseOffer(m.bytes)
			_, resultErr := wire.ParseResult(m.bytes)
			asHello := k == 0 && helloErr == nil
			asMessage := k > 0 && (probeErr == nil || offerErr == nil || resultErr == nil)
			refused = refused || m.kind == websocket.MessageText || !asHello && !asMessage
		}
		if !refused {
			t.Errorf("garbage %d is none: %v", i, all)
		}
	}
	if greeted < 300 || greeted > 700 {
		t.Errorf("%d of 1000 say hello first, want half", greeted)
	}
}
