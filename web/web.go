// Package web holds what browsers load: the page's static files, and the module once it is built.
package web

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:generate go run ../tools/typeface -o static/donut.ttf

//go:embed static
var static embed.FS

// dist holds a placeholder beside the module, so that the package compiles on a fresh clone.
//
//go:embed dist
var dist embed.FS

// ErrNotBuilt is returned by Module where the module was not there when this package was compiled.
var ErrNotBuilt = errors.New("web: dist/donut.wasm is missing: run make build")

// Static returns the page's files, index.html at the root.
func Static() fs.FS {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(fmt.Sprintf("web: %v", err)) // the pattern above names the folder
	}
	return files
}

// Module returns the bytes of the module. The error is ErrNotBuilt where there is none.
func Module() ([]byte, error) {
	module, err := dist.ReadFile("dist/donut.wasm")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	return module, err
}

// CompressedModule returns the module in gzip's format, as the build left it, or nil where it left none.
func CompressedModule() []byte {
	module, err := dist.ReadFile("dist/donut.wasm.gz")
	if err != nil {
		return nil
	}
	return module
}
