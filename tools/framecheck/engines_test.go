package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/moduletest"
)

func TestV8(t *testing.T) {
	switch _, err := exec.LookPath("node"); {
	case err == nil:
	case os.Getenv("REQUIRE_BROWSERS") == "1":
		t.Fatalf("REQUIRE_BROWSERS=1: %v", err)
	default:
		t.Skip(err)
	}
	out, err := framecheck(t, "-first", "18446744073709551000", "-count", "130", "-engines", "v8,native,wazero")
	if err != nil {
		t.Fatal(err)
	}
	if want := "130 frames from 18446744073709551000 on at detail 1: v8, native and wazero agree\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestLedgerOfTheRealEngines(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger")
	var outputs []string
	for _, engines := range []string{"native,wazero", "native", "wazero"} {
		out, err := framecheck(t, "-ledger", file, "-first", "150", "-count", "12", "-detail", "8", "-engines", engines)
		if err != nil {
			t.Fatal(err)
		}
		outputs = append(outputs, out)
	}
	if outputs[1] != outputs[0] || outputs[2] != outputs[0] {
		t.Errorf("the summaries differ:\n%s", strings.Join(outputs, "\n"))
	}
	if !strings.Contains(outputs[0], "native "+compiledFor()+" ") || !strings.Contains(outputs[0], "wazero v1.") {
		t.Errorf("the summary does not say which engines these are:\n%s", outputs[0])
	}
	if lines := strings.Count(textOf(t, file), "\n"); lines != 4 { // two shards of each
		t.Errorf("got %d lines in the ledger, want 4", lines)
	}
}

func TestWazeroIsRight(t *testing.T) {
	makers, err := command{}.findEngines(t.Context(), config{engines: []string{"native", "wazero"}, detail: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(makers) != 2 || makers[0].name != "wazero" {
		t.Errorf("got %v, want wazero first", makers)
	}
}

func TestBuildIsNamed(t *testing.T) {
	want := regexp.MustCompile(`^go\S+.* ` + runtime.GOARCH + `( \S+)?$`)
	if got := compiledFor(); !want.MatchString(got) {
		t.Errorf("got %q, want %v", got, want)
	}
	if runtime.GOARCH == "amd64" && !regexp.MustCompile(` v[1-4]$`).MatchString(compiledFor()) {
		t.Errorf("got %q, want the level of amd64", compiledFor())
	}
}

// run runs the command and returns its exit status and what it says is wrong.
func run(t *testing.T, args string) (code int, text string) {
	t.Helper()
	var out, errOut bytes.Buffer
	c := command{module: moduletest.Module, stdout: &out, stderr: &errOut}
	code = exit.Status("framecheck", c.run(t.Context(), append(strings.Fields(args), "-cache-dir", moduletest.CacheDir())), &errOut)
	if out.Len() != 0 {
		t.Errorf("standard output: got %s", &out)
	}
	return code, errOut.String()
}

func TestEngineIsNotInstalled(t *testing.T) {
	if _, err := moduletest.Module(); err != nil { // which needs the path
		t.Fatal(err)
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv("FIREFOX", "")
	for _, c := range []struct{ args, want string }{
		{"-engines wazero,v8", "-engines: v8: looked for node: "},
		{"-engines native,spidermonkey", "-engines: spidermonkey: looked for firefox-esr and firefox: "},
		{"-engines jsc -ledger " + filepath.Join(t.TempDir(), "ledger"), "-engines: jsc: looked for jsc: "},
	} {
		if code, text := run(t, c.args); code != 1 || !strings.Contains(text, c.want) {
			t.Errorf("%s: got status %d, %q, want 1 and %q", c.args, code, text, c.want)
		}
	}
}

func TestEngineDies(t *testing.T) {
	shell := filepath.Join(t.TempDir(), "jsc")
	if err := os.WriteFile(shell, []byte("#!/bin/sh\nread -r request; echo no memory >&2; exit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JSC", shell)
	for _, args := range []string{"-engines native,jsc", "-engines native,jsc -ledger " + filepath.Join(t.TempDir(), "ledger")} {
		if code, text := run(t, args); code != 1 || !strings.Contains(text, "jsc: the process ended: exit status 3: no memory") {
			t.Errorf("%s: got status %d, %q", args, code, text)
		}
	}
}
