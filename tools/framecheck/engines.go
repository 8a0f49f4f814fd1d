package main

import (
	"context"
	"log/slog"
	"sync"

	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// wazero renders by the module.
type wazero struct{ *verify.Pool }

func (wazero) Name() string { return "wazero" }

// openWazero starts the module. The caller must close it.
func (c command) openWazero(ctx context.Context, module []byte, cfg config, detail int) (wazero, error) {
	pool, err := verify.New(ctx, module, verify.Config{
		Detail: detail, CacheDir: cfg.cacheDir, Log: slog.New(slog.NewTextHandler(c.stderr, nil)),
	})
	return wazero{pool}, err
}

// native renders by this program.
type native struct {
	renderers sync.Pool
}

func newNative(detail int) *native {
	return &native{renderers: sync.Pool{New: func() any { return donut.NewRenderer(detail) }}}
}

func (*native) Name() string { return "native" }

func (n *native) Render(ctx context.Context, first uint64, count int) ([]byte, error) {
	r := n.renderers.Get().(*donut.Renderer)
	defer n.renderers.Put(r)
	packed := make([]byte, count*wire.PackedSize)
	var picture donut.Picture
	for i := range count {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r.Render(&picture, first+uint64(i))
		wire.Pack(packed[i*wire.PackedSize:], &picture)
	}
	return packed, nil
}
