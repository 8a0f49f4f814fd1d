package main

import (
	"context"
	"time"

	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

func nativeRenderer(detail, frames int) *contender {
	r := donut.NewRenderer(detail)
	packed := make([]byte, wire.PackedSize)
	var picture donut.Picture
	return &contender{name: "native", frames: frames, turn: func(ctx context.Context, round int) (time.Duration, error) {
		start := time.Now()
		for i := range frames {
			r.Render(&picture, firstOf(round, frames)+uint64(i))
			wire.Pack(packed, &picture)
		}
		return time.Since(start), ctx.Err()
	}}
}

// openPool starts the module in wazero. The caller must close it.
func openPool(ctx context.Context, module []byte, cfg config) (*verify.Pool, error) {
	return verify.New(ctx, module, verify.Config{Instances: 1, Detail: cfg.detail, CacheDir: cfg.cacheDir})
}

func wazeroRenderer(pool *verify.Pool, frames int) *contender {
	return &contender{name: "wazero", frames: frames, turn: func(ctx context.Context, round int) (time.Duration, error) {
		start := time.Now()
		_, err := pool.Render(ctx, firstOf(round, frames), frames)
		return time.Since(start), err
	}}
}

// firstOf is the first frame of a round. All contenders draw the same frames, and new ones in each round.
func firstOf(round, frames int) uint64 { return uint64(round * frames) }
