// Package build turns wasm/ into the module that tabs and the server run. It holds the only copy of the build flags, so
// that a test exercises the bytes that ship.
package build

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// flags make the build reproducible: nothing of the checkout's place, history or tool cache goes into the module.
var flags = []string{"-buildmode=c-shared", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid="}

// environment replaces whatever the caller's shell asks for, where it would change the bytes.
var environment = []string{"GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "GOFLAGS=", "GOEXPERIMENT=", "CGO_ENABLED=0"}

// Build compiles the module of the enclosing checkout and writes it to output, and compressed to output with .gz behind
// it, or leaves both as they were.
func Build(ctx context.Context, output string) error {
	root, err := root(ctx)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(output), ".wasmbuild-")
	if err != nil {
		return fmt.Errorf("build module: %w", err)
	}
	defer os.RemoveAll(temporary)
	unfinished := filepath.Join(temporary, "module.wasm")

	compile := exec.CommandContext(ctx, "go", append(append([]string{"build"}, flags...), "-o", unfinished, "./wasm")...)
	compile.Dir = root
	compile.Env = append(os.Environ(), environment...)
	if text, err := compile.CombinedOutput(); err != nil {
		return fmt.Errorf("build module: %w\n%s", err, text)
	}
	if err := os.Chmod(unfinished, 0o644); err != nil {
		return fmt.Errorf("build module: %w", err)
	}
	if err := compress(unfinished); err != nil {
		return fmt.Errorf("build module: compress: %w", err)
	}
	for _, suffix := range []string{Compressed, ""} { // the module last: make looks at its time
		if err := os.Rename(unfinished+suffix, output+suffix); err != nil {
			return fmt.Errorf("build module: %w", err)
		}
	}
	return nil
}

// Compressed is what the name of a file ends in that holds another one in gzip's format.
const Compressed = ".gz"

// compress writes a file in gzip's format beside it: the same bytes each time.
func compress(name string) error {
	content, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(name+Compressed, b.Bytes(), 0o644)
}

// Module compiles the module of the enclosing checkout and returns its bytes.
func Module(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "donut-module-")
	if err != nil {
		return nil, fmt.Errorf("build module: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "donut.wasm")
	if err := Build(ctx, path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
}

// root is the folder of the go.mod that governs the working directory.
func root(ctx context.Context) (string, error) {
	file, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("build module: find the checkout: %w", err)
	}
	path := strings.TrimSpace(string(file))
	if path == "" || path == os.DevNull {
		return "", fmt.Errorf("build module: find the checkout: no go.mod here or above")
	}
	return filepath.Dir(path), nil
}
