package build

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestReproducible builds the module from the checkout and from a copy of it in another folder.
func TestReproducible(t *testing.T) {
	here, err := Module(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from, err := root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "wasm"} {
		if out, err := exec.Command("cp", "-R", filepath.Join(from, name), elsewhere).CombinedOutput(); err != nil {
			t.Fatalf("copy %s: %v: %s", name, err, out)
		}
	}
	t.Chdir(elsewhere)
	there, err := Module(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(here, there) {
		t.Errorf("the module depends on the folder it is built in: %d and %d bytes differ", len(here), len(there))
	}
}

func TestBuildLeavesNothingBehindWhenItFails(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module empty\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	if err := Build(t.Context(), filepath.Join(dir, "donut.wasm")); err == nil {
		t.Fatal("Build succeeded where there is nothing to build")
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("a failed build left %v behind, want go.mod alone", entries)
	}
}
