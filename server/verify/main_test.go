package verify

import (
	"context"
	"os"
	"testing"

	"github.com/distributed-donut/donut/tools/moduletest"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Run(m)) }

// module is the one that ships.
func module(tb testing.TB) []byte {
	tb.Helper()
	m, err := moduletest.Module()
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// newPool returns a pool of the real module, closed at the end of the test.
func newPool(tb testing.TB, cfg Config) *Pool {
	tb.Helper()
	cfg.CacheDir = moduletest.CacheDir()
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
