// Package moduletest gives tests the module that ships, pictures to compare it with, and one place for all of a
// package's tests to keep what wazero compiled of it.
package moduletest

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

// Module builds the module of the enclosing checkout, once, and returns its bytes, which are not to be written to. It may
// be called concurrently.
var Module = sync.OnceValues(func() ([]byte, error) { return build.Module(context.Background()) })

var cacheDir string

// CacheDir returns a folder for compiled modules that is there while Run is.
func CacheDir() string { return cacheDir }

// Run runs a package's tests, and returns their exit status: also 1 where they leave goroutines behind. It is for TestMain.
func Run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "donut-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cacheDir = dir
	return leakcheck.Run(m)
}

// Native returns count packed pictures from the first one on, of a detail, drawn without the module.
func Native(detail int, first uint64, count int) []byte {
	r := donut.NewRenderer(detail)
	packed := make([]byte, count*wire.PackedSize)
	var picture donut.Picture
	for i := range count {
		r.Render(&picture, first+uint64(i))
		wire.Pack(packed[i*wire.PackedSize:], &picture)
	}
	return packed
}
