package jsengine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/tools/moduletest"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// find skips the test where the engine is not installed, or fails it where nothing may be left out.
func find(t *testing.T, name string) *Program {
	t.Helper()
	p, err := Find(t.Context(), name, "")
	switch {
	case err == nil:
		return p
	case !errors.Is(err, exec.ErrNotFound) || os.Getenv("REQUIRE_BROWSERS") == "1":
		t.Fatal(err)
	}
	t.Skip(err)
	return nil
}

// start starts an engine that leaves nothing behind.
func start(t *testing.T, p *Program, cfg Config) *Engine {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	e, err := p.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.Close()
		wantNothingLeft(t)
	})
	return e
}

// wantNothingLeft fails the test if there are files in TMPDIR, or processes that were started with some.
func wantNothingLeft(t *testing.T) {
	t.Helper()
	dir := os.Getenv("TMPDIR")
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, error %v", left, err)
	}
	processes, err := filepath.Glob("/proc/[0-9]*/cmdline") // none but on Linux
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		if command, err := os.ReadFile(p); err == nil && bytes.Contains(command, []byte(dir)) {
			t.Errorf("left behind: %q", command)
		}
	}
}

func TestEnginesRender(t *testing.T) {
	m, err := moduletest.Module()
	if err != nil {
		t.Fatal(err)
	}
	var want []byte // as the first engine has it
	for name := range kinds {
		t.Run(name, func(t *testing.T) {
			p := find(t, name)
			e := start(t, p, Config{Module: m, Threads: 2})
			t.Logf("%s, %s", p.Path, p.Version)

			if _, err := e.Frames(t.Context(), 99, 0, 1); err == nil || !strings.Contains(err.Error(), "detail: got 99") {
				t.Errorf("got %v, want what the module says", err)
			}
			var got [3][]byte
			var running sync.WaitGroup
			for i := range got {
				running.Go(func() {
					var err error
					if got[i], err = e.Frames(t.Context(), 2, 1<<64-130, 125); err != nil {
						t.Error(err)
					}
				})
			}
			running.Wait()
			if want == nil {
				want = got[0]
			}
			const packedSize = 869
			for _, frames := range got {
				if len(frames) != 125*packedSize || !bytes.Equal(frames, want) {
					t.Errorf("got %d bytes that are not those of another engine or thread", len(frames))
				}
			}
		})
	}
}

func TestNoSuchEngine(t *testing.T) {
	if _, err := Find(t.Context(), "chakra", ""); err == nil || errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v for an unknown engine", err)
	}
	t.Setenv("FIREFOX", filepath.Join(t.TempDir(), "firefox"))
	if _, err := Find(t.Context(), "spidermonkey", ""); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v, want %v", err, exec.ErrNotFound)
	}
	if _, err := Find(t.Context(), "v8", "no-such-command"); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("got %v, want %v", err, exec.ErrNotFound)
	}
}

// script writes a shell script, and returns it as a program of some kind.
func script(t *testing.T, name, text string) *Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "engine")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return &Program{Path: path, Version: "1", kind: kinds[name]}
}

func TestBadEngines(t *testing.T) {
	const asked = "read -r request; "
	const long, short = time.Minute, 200 * time.Millisecond
	for _, c := range []struct {
		name, script string
		patience     time.Duration
		want         string
	}{
		{"dies at once", `echo no memory >&2; exit 3`, long, "exit status 3: no memory"},
		{"dies when it is asked", asked + `echo no idea >&2; exit 4`, long, "exit status 4: no idea"},
		{"ends in silence", asked, long, "the process ended"},
		{"hangs", asked + `sleep 1000 & sleep 1000`, short, "got no answer"},
		{"closes its output and hangs", `exec 1>&-; sleep 1000`, short, "got no answer"},
		{"prints garbage", asked + `echo 'Segmentation fault'; cat`, long, "got answer \"Segmentation fault\": invalid"},
		{"prints another object", asked + `echo '{"packed":[],"more":1}'; cat`, long, "unknown field"},
		{"prints two", asked + `echo '{}{}'; cat`, long, "more than one value"},
		{"prints without end", asked + `yes | tr -d '\n'`, long, "token too long"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := start(t, script(t, "v8", c.script), Config{Patience: c.patience})
			began := time.Now()
			for range 2 { // and stays so
				if _, err := e.Frames(t.Context(), 1, 0, 1); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want %q in it", err, c.want)
				}
			}
			if spent := time.Since(began); spent > c.patience+grace {
				t.Errorf("it took %v", spent) // as where a process is left that has its output open
			}
		})
	}
}

func TestFirstErrorIsTold(t *testing.T) {
	one := script(t, "v8", `read -r request; mkdir "$0.one" 2>/dev/null && exec sleep 1000; echo no memory >&2; exit 3`)
	e := start(t, one, Config{Threads: 2})
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() {
			if _, err := e.Frames(t.Context(), 1, 0, 1); err == nil || !strings.Contains(err.Error(), "no memory") {
				t.Errorf("got %v, want what one of two threads died of", err)
			}
		})
	}
	running.Wait()
}

func TestBadBrowsers(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"dies at once", `echo no display >&2; exit 3`, "exit status 3: no display"},
		{"opens no page", `sleep 1000 & sleep 1000`, "got 0 of 1 threads"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			_, err := script(t, "spidermonkey", c.script).Start(t.Context(), Config{Patience: 500 * time.Millisecond})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			wantNothingLeft(t)
		})
	}
}

func TestCancelledCall(t *testing.T) {
	e := start(t, script(t, "v8", "sleep 1000"), Config{})
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	time.AfterFunc(50*time.Millisecond, func() { cancel(enough) })
	if _, err := e.Frames(ctx, 1, 0, 1); !errors.Is(err, enough) {
		t.Errorf("got %v, want %v", err, enough)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var said tail
	for i := range 10_000 {
		fmt.Fprintf(&said, "%d ", i)
	}
	if text := said.String(); len(text) != tailSize || !strings.HasSuffix(text, " 9998 9999 ") {
		t.Errorf("got %d bytes that end in %q", len(text), text[max(0, len(text)-20):])
	}
}
