package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/tools/jsengine"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// engineNames are the engines that there may be, as -engines spells them.
var engineNames = []string{"native", "wazero", "v8", "spidermonkey", "jsc"}

// A maker is an engine that is here and has not been started.
type maker struct {
	name    string // one of engineNames
	version string // which one of that name, on one line

	// start starts it. The caller must close it.
	start func(ctx context.Context) (engine, error)
}

func (m maker) String() string { return m.name + " " + m.version }

// findEngines finds out which engines the names stand for. Wazero comes first, which is right by definition where it is
// asked for.
func (c command) findEngines(ctx context.Context, cfg config, module []byte) ([]maker, error) {
	var makers []maker
	for _, name := range cfg.engines {
		m, err := c.findEngine(ctx, name, cfg, module)
		if err != nil {
			return nil, fmt.Errorf("-engines: %w", err)
		}
		if name == "wazero" {
			makers = slices.Insert(makers, 0, m)
		} else {
			makers = append(makers, m)
		}
	}
	return makers, nil
}

func (c command) findEngine(ctx context.Context, name string, cfg config, module []byte) (maker, error) {
	switch name {
	case "native":
		return maker{name, compiledFor(), func(context.Context) (engine, error) { return newNative(cfg.detail), nil }}, nil
	case "wazero":
		return maker{name, wazeroVersion(), func(ctx context.Context) (engine, error) {
			return c.openWazero(ctx, module, cfg, cfg.detail)
		}}, nil
	}
	program, err := jsengine.Find(ctx, name, "")
	if err != nil {
		return maker{}, err
	}
	return maker{name, program.Version, func(ctx context.Context) (engine, error) {
		e, err := program.Start(ctx, jsengine.Config{Module: module, Threads: min(runtime.GOMAXPROCS(0), maxThreads)})
		return javascript{e, name, cfg.detail}, err
	}}, nil
}

// maxThreads is how many threads of a JavaScript engine render at once. Each is some 100 MB.
const maxThreads = 8

// startAll starts all engines. The caller must call closeAll, whatever the error.
func startAll(ctx context.Context, makers []maker) (engines []engine, err error) {
	for _, m := range makers {
		e, err := m.start(ctx)
		if err != nil {
			return engines, fmt.Errorf("%s: %w", m.name, err)
		}
		engines = append(engines, e)
	}
	return engines, nil
}

func closeAll(engines []engine) {
	for _, e := range engines {
		e.Close()
	}
}

// wazero renders by the module.
type wazero struct{ pool *verify.Pool }

// openWazero starts the module. The caller must close it.
func (c command) openWazero(ctx context.Context, module []byte, cfg config, detail int) (wazero, error) {
	pool, err := verify.New(ctx, module, verify.Config{
		Detail: detail, CacheDir: cfg.cacheDir, Log: slog.New(slog.NewTextHandler(c.stderr, nil)),
	})
	return wazero{pool}, err
}

func (wazero) Name() string { return "wazero" }

func (w wazero) Close() { w.pool.Close(context.Background()) }

func (w wazero) Render(ctx context.Context, first uint64, count int) ([]byte, error) {
	return w.pool.Render(ctx, first, count)
}

// wazeroVersion is that of the package, and the machine for which it compiles.
func wazeroVersion() string {
	version := "of an unknown version"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/tetratelabs/wazero" {
				version = d.Version
			}
		}
	}
	return version + " " + runtime.GOARCH
}

// javascript renders by the module in a JavaScript engine.
type javascript struct {
	*jsengine.Engine
	name   string
	detail int
}

func (j javascript) Name() string { return j.name }

func (j javascript) Render(ctx context.Context, first uint64, count int) ([]byte, error) {
	return j.Frames(ctx, j.detail, first, count)
}

// native renders by this program.
type native struct {
	renderers sync.Pool
}

func newNative(detail int) *native {
	return &native{renderers: sync.Pool{New: func() any { return donut.NewRenderer(detail) }}}
}

func (*native) Name() string { return "native" }

func (*native) Close() {}

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

// compiledFor says what made this program, and for what machine: the architecture's level decides whether the compiler
// may fuse products into sums.
func compiledFor() string {
	level := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "GO"+strings.ToUpper(runtime.GOARCH) {
				level = " " + s.Value
			}
		}
	}
	return runtime.Version() + " " + runtime.GOARCH + level
}
