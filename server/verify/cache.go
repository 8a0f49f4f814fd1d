package verify

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"
)

// DefaultCacheDir returns where the server and the tools keep compiled modules unless they are told otherwise: a folder
// of our own under the user's cache directory, or none ("") where the user has none.
func DefaultCacheDir() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "distributed-donut")
}

// openCache opens the compilation cache in dir, which must pass usable. An empty dir means none, and gives nil.
func openCache(dir string) (wazero.CompilationCache, error) {
	if dir == "" {
		return nil, nil
	}
	dir = filepath.Clean(dir) // Lstat follows a link that a slash ends
	if err := usable(dir, os.Geteuid()); err != nil {
		return nil, err
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, fmt.Errorf("verify: cache: %w", err)
	}
	return cache, nil
}

// usable makes dir where it is missing, and returns an error unless it is a folder of the user's, which nobody else may
// even read: the cache holds machine code that the server will run and believe.
func usable(dir string, user int) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("verify: cache: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("verify: cache: %w", err)
	}
	if info.Mode().Type() != fs.ModeDir || info.Mode().Perm() != 0o700 {
		return fmt.Errorf("verify: cache: mode of %s: got %v, want %v", dir, info.Mode(), fs.ModeDir|0o700)
	}
	owner, err := ownerOf(info)
	if err != nil {
		return fmt.Errorf("verify: cache: owner of %s: %w", dir, err)
	}
	if owner != user {
		return fmt.Errorf("verify: cache: owner of %s: got user %d, want %d", dir, owner, user)
	}
	return nil
}
