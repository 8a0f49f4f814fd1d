package verify

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUsableCache(t *testing.T) {
	user := os.Geteuid()
	for _, c := range []struct {
		name string
		make func(t *testing.T, dir string)
		user int
		want string // in the error; empty for none
	}{
		{"missing", func(*testing.T, string) {}, user, ""},
		{"ours", func(t *testing.T, dir string) { mkdir(t, dir, 0o700) }, user, ""},
		{"readable by the group", func(t *testing.T, dir string) { mkdir(t, dir, 0o750) }, user, "mode of"},
		{"writable by all", func(t *testing.T, dir string) { mkdir(t, dir, 0o777) }, user, "mode of"},
		{"somebody else's", func(t *testing.T, dir string) { mkdir(t, dir, 0o700) }, user + 1, "owner of"},
		{"a link to ours", func(t *testing.T, dir string) {
			mkdir(t, dir+"-target", 0o700)
			if err := os.Symlink(dir+"-target", dir); err != nil {
				t.Fatal(err)
			}
		}, user, "mode of"},
		{"a file", func(t *testing.T, dir string) {
			if err := os.WriteFile(dir, nil, 0o700); err != nil {
				t.Fatal(err)
			}
		}, user, "not a directory"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "parent", "cache")
			mkdir(t, filepath.Dir(dir), 0o700)
			c.make(t, dir)
			err := usable(dir, c.user)
			switch {
			case c.want == "" && err != nil:
				t.Errorf("got %v, want it to be usable", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

// TestUnusableCache also ends the name with a slash, which makes the system follow a link.
func TestUnusableCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	mkdir(t, dir+"-target", 0o700)
	if err := os.Symlink(dir+"-target", dir); err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	openFake(t, Config{CacheDir: dir + "/", Log: slog.New(slog.NewTextHandler(&log, nil))})
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("got %d warnings, want 1:\n%s", n, &log)
	}
	if written := list(t, dir+"-target"); len(written) != 0 {
		t.Errorf("the cache was used: %v", written)
	}
}

func TestDamagedCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	var log bytes.Buffer
	cfg := Config{CacheDir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))}
	openFake(t, cfg)
	if log.Len() != 0 {
		t.Errorf("filling the cache: got %s", &log)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got files %v, error %v, want what was compiled", files, err)
	}
	for _, f := range files {
		if err := os.Truncate(f, 20); err != nil {
			t.Fatal(err)
		}
	}
	openFake(t, cfg)
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("got %d warnings, want 1:\n%s", n, &log)
	}
}

func mkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := os.Mkdir(dir, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}
