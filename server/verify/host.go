package verify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// memoryPages limits an instance's memory, in pages of 64 KiB. Go's runtime needs 37 to start.
const memoryPages = 256

// A host holds the compiled module and makes instances of it. Its methods may be called concurrently, but for close.
type host struct {
	runtime  wazero.Runtime
	cache    wazero.CompilationCache // nil for none
	compiled wazero.CompiledModule
}

// newHost compiles the module. A cache that does not serve is warned about and done without.
func newHost(ctx context.Context, module []byte, cacheDir string, log *slog.Logger) (*host, error) {
	cache, cacheErr := openCache(cacheDir)
	if cache != nil {
		h, err := compile(ctx, module, cache)
		if err == nil {
			return h, nil
		}
		cacheErr = err
	}
	h, err := compile(ctx, module, nil)
	if err == nil && cacheErr != nil {
		log.Warn("the module was compiled without a cache", "dir", cacheDir, "error", cacheErr)
	}
	return h, err
}

// compile takes over the cache, which may be nil.
//
// The runtime does not close modules when a context is done, which would cost more than half of the speed; so no
// context can stop what is running in an instance.
func compile(ctx context.Context, module []byte, cache wazero.CompilationCache) (_ *host, err error) {
	cfg := wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages)
	if cache != nil {
		cfg = cfg.WithCompilationCache(cache)
	}
	h := &host{runtime: wazero.NewRuntimeWithConfig(ctx, cfg), cache: cache}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, h.runtime); err != nil {
		return nil, fmt.Errorf("verify: set up WASI: %w", err)
	}
	h.compiled, err = h.runtime.CompileModule(experimental.WithCompilationWorkers(ctx, runtime.GOMAXPROCS(0)), module)
	if err != nil {
		return nil, fmt.Errorf("%w: compile: %w", ErrStale, err)
	}
	for _, name := range exports {
		if h.compiled.ExportedFunctions()[name] == nil {
			return nil, fmt.Errorf("%w: exports: got no function %q", ErrStale, name)
		}
	}
	return h, nil
}

// start makes an instance.
//
// It has real clocks: with wazero's own, which stand still, Go's garbage collector never runs, and an export that
// allocates traps as soon as the memory has grown to its limit.
func (h *host) start() (*instance, error) {
	said := new(head)
	cfg := wazero.NewModuleConfig().
		WithName(""). // there are many
		WithStartFunctions("_initialize").
		WithSysNanotime().
		WithSysWalltime().
		WithRandSource(rand.Reader).
		WithStderr(said)
	module, err := h.runtime.InstantiateModule(context.Background(), h.compiled, cfg)
	if err != nil {
		return nil, fmt.Errorf("start an instance: %w", err)
	}
	i := &instance{module: module, said: said}
	output, err := i.call("output")
	if err != nil {
		i.close()
		return nil, fmt.Errorf("start an instance: %w", err)
	}
	i.output = api.DecodeU32(output)
	return i, nil
}

// close frees the compiled module and every instance. None may be in use.
func (h *host) close() error {
	ctx := context.Background() // nothing here waits
	err := h.runtime.Close(ctx)
	if h.cache != nil {
		err = errors.Join(err, h.cache.Close(ctx))
	}
	if err != nil {
		return fmt.Errorf("verify: close: %w", err)
	}
	return nil
}
