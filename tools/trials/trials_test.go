package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/tools/wasmbuild/build"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// programs builds the server, with the module of this checkout inside, and the swarm, and returns their folder.
func programs(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	module := filepath.Join(dir, "donut.wasm")
	if err := build.Build(t.Context(), module); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(root, "web", "dist", "donut.wasm"): module},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, pkg := range map[string]string{"donut-server": "./server", "swarm": "./tools/swarm"} {
		compile := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "-o", filepath.Join(dir, name), pkg)
		compile.Dir = root
		if out, err := compile.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
	}
	return dir
}

// TestStrangers makes every trial, shortened. What airs and who is believed must be right on the busiest machine; what
// depends on how busy it is is for the command to judge.
func TestStrangers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	bin := programs(t)
	for _, each := range trials {
		t.Run(each.name, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			err := run(t.Context(), []string{"-bin", bin, "-duration", "20s", "-json", each.name}, &out, &errs)
			if err != nil && !errors.Is(err, errMissed) {
				t.Fatalf("%v\n%s", err, &errs)
			}
			var f findings
			if err := json.Unmarshal(out.Bytes(), &f); err != nil {
				t.Fatal(err)
			}
			judged := 0
			for _, figure := range f.Figures {
				t.Logf("%s: %g, want %s", figure.Name, figure.Value, figure.Bar)
				if figure.Safety {
					judged++
				}
				if figure.Safety && !figure.Met {
					t.Errorf("%s: got %g, want %s", figure.Name, figure.Value, figure.Bar)
				}
				if tried := figure.Name == "hostile joins" || figure.Name == "forged frames sent"; tried && figure.Value == 0 {
					t.Errorf("%s: got 0, want some", figure.Name)
				}
			}
			if judged == 0 {
				t.Error("nothing was judged")
			}
		})
	}
}

func TestFindings(t *testing.T) {
	for _, c := range []struct {
		name   string
		add    func(*findings)
		missed bool
	}{
		{"told", func(f *findings) { f.tell("x", 5) }, false},
		{"safe", func(f *findings) { f.safe("x", 0, 0) }, false},
		{"unsafe", func(f *findings) { f.safe("x", 1, 0) }, true},
		{"exact", func(f *findings) { f.exactly("x", 2, 2) }, false},
		{"inexact", func(f *findings) { f.exactly("x", 2, 3) }, true},
		{"at the most", func(f *findings) { f.atMost("x", 2, 2) }, false},
		{"too much", func(f *findings) { f.atMost("x", 2.1, 2) }, true},
		{"at least", func(f *findings) { f.atLeast("x", 2, 2) }, false},
		{"too little", func(f *findings) { f.atLeast("x", 1.9, 2) }, true},
		{"not a number", func(f *findings) { zero := 0.; f.atMost("x", zero/zero, 2) }, true},
	} {
		f := findings{Trial: "t"}
		f.tell("before", 1)
		c.add(&f)
		var table bytes.Buffer
		if err := f.writeTable(&table); err != nil {
			t.Fatal(err)
		}
		if f.missed() != c.missed || strings.Contains(table.String(), "MISSED") != c.missed {
			t.Errorf("%s: missed %v, want %v\n%s", c.name, f.missed(), c.missed, &table)
		}
	}
}

func TestStat(t *testing.T) {
	const line = "42 (a ) name (x)) S 1 42 42 0 -1 4194560 1 2 3 4 150 25 6 7 20 0 9 0 1 2 3"
	got, err := parseStat(line)
	if want := 1750 * time.Millisecond; err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "42 (x) S", strings.Replace(line, "150", "x", 1)} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q is no error", bad)
		}
	}
}

func TestUsage(t *testing.T) {
	for args, want := range map[string]string{
		"-nonsense":    "-nonsense",
		"-duration 1s": "-duration: got 1s, want 15s to 1h",
		"nonsense":     `got trial "nonsense"`,
	} {
		var out, errs bytes.Buffer
		err := run(context.Background(), strings.Fields(args), &out, &errs)
		if got := status(err, &errs); got != 2 || !strings.Contains(errs.String(), want) || out.Len() > 0 {
			t.Errorf("%s: status %d and %q, want 2 and %q", args, got, &errs, want)
		}
	}
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &out, &out); !errors.Is(err, flag.ErrHelp) || !strings.Contains(out.String(), "-duration") {
		t.Errorf("-h ends in %v and says %q", err, &out)
	}
	out.Reset()
	if err := run(t.Context(), []string{"-list"}, &out, &out); err != nil || strings.Count(out.String(), "\n") != len(trials) {
		t.Errorf("-list ends in %v and says %q", err, &out)
	}
}

func TestServerThatDoesNotStart(t *testing.T) {
	dir := t.TempDir()
	for name, script := range map[string]string{"no server": "", "one that ends": "#!/bin/sh\nexit 3\n"} {
		path := filepath.Join(dir, "donut-server")
		os.Remove(path)
		if script != "" {
			if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if err := run(t.Context(), []string{"-bin", dir, "forgers"}, &out, &out); err == nil || errors.Is(err, errMissed) {
			t.Errorf("%s: got %v, want an error", name, err)
		}
	}
}
