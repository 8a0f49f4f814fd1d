package verify

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/tools/wasmbuild/build"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// cacheDir is shared by all tests, so that the module is compiled once for all of them.
var cacheDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if cacheDir, err = os.MkdirTemp("", "donut-verify-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(cacheDir)

	return leakcheck.Run(m)
}

var realModule = sync.OnceValues(func() ([]byte, error) {
	return build.Module(context.Background())
})

// module is the one that ships.
func module(tb testing.TB) []byte {
	tb.Helper()
	m, err := realModule()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// newPool returns a pool of the real module, closed at the end of the test.
func newPool(tb testing.TB, cfg Config) *Pool {
	tb.Helper()
	cfg.CacheDir = cacheDir
	p, err := New(tb.Context(), module(tb), cfg)
	if err != nil {
		tb.Fatal(err)
	}
	closeAtEnd(tb, p)
	return p
}

func closeAtEnd(tb testing.TB, p *Pool) {
	tb.Cleanup(func() {
		if err := p.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
}

// native renders count frames without the module.
func native(detail int, first uint64, count int) []byte {
	r := donut.NewRenderer(detail)
	packed := make([]byte, count*wire.PackedSize)
	var picture donut.Picture
	for i := range count {
		r.Render(&picture, first+uint64(i))
		wire.Pack(packed[i*wire.PackedSize:], &picture)
	}
	return packed
}
