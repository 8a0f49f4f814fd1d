package main

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/web"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Run(m)) }

// framecheck runs the command on the module that ships.
func framecheck(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	c := command{module: moduletest.Module, stdout: &out, stderr: &errOut}
	err = c.run(t.Context(), append(args, "-cache-dir", moduletest.CacheDir()))
	if errOut.Len() != 0 {
		t.Errorf("standard error: got %s", &errOut)
	}
	return out.String(), err
}

func TestFramesOfTheReference(t *testing.T) {
	out, err := framecheck(t, "-digest")
	if err != nil {
		t.Fatal(err)
	}
	if want := "0925f43884f6ad2d0dc4f367b2266ac52e06256963115be66356a546d0091510\n"; out != want {
		t.Errorf("digest of frames 0..599: got %s, want %s", out, want)
	}
}

func TestPrint(t *testing.T) {
	out, err := framecheck(t, "-first", "150", "-count", "1", "-print")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../wasm/donut/testdata/frame-0150.txt")
	if err != nil {
		t.Fatal(err)
	}
	if out != string(want) {
		t.Errorf("got\n%s\nwant\n%s", out, want)
	}
}

func TestCompare(t *testing.T) {
	out, err := framecheck(t, "-first", "4000000000", "-count", "3", "-detail", "4")
	if err != nil {
		t.Fatal(err)
	}
	if want := "3 frames from 4000000000 on at detail 4: native and wazero agree\n"; out != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{
		"-bogus", "frames", "-count 0", "-count -1", "-count many", "-first -1", "-first 18446744073709551615", "-detail 0",
		"-detail 33", "-digest -print", "-seconds 3", "-url", "-url localhost:8080", "-url ftp://localhost", "-url http://",
		"-url http://localhost -first 3", "-url http://localhost -digest", "-url http://localhost -seconds 0",
		"-url http://localhost -seconds NaN", "-url http://localhost -seconds Inf",
		"-engines chakra,native", "-engines native", "-engines native,native", "-engines native,", "-engines native,v8 -digest",
		"-engines native,v8 -print", "-ledger", "-ledger= -count 1", "-ledger file -digest", "-ledger file -print",
		"-url http://localhost -engines native,v8", "-url http://localhost -ledger file",
		"-record file", "-record file -count 1", "-url http://localhost -record", "-url http://localhost -record=",
		"-url http://localhost -record file -count 1", "-file", "-file=", "-file file -url http://localhost", "-file file -seconds 1",
		"-file file -record other", "-file file -first 1", "-file file -count 1", "-file file -detail 1", "-file file -digest",
		"-file file -print", "-file file -engines native,wazero", "-file file -ledger other", "-file file other",
	} {
		t.Run(args, func(t *testing.T) {
			var out, errOut bytes.Buffer
			c := command{module: moduletest.Module, stdout: &out, stderr: &errOut}
			err := c.run(t.Context(), strings.Fields(args))
			if got := exit.Status("framecheck", err, &errOut); got != 2 {
				t.Errorf("got status %d, error %v, want 2", got, err)
			}
			if lines := strings.Count(errOut.String(), "\n"); lines != 2 || out.Len() != 0 {
				t.Errorf("got %d lines on standard error, %q on standard output, want 2 and nothing", lines, &out)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var out, errOut bytes.Buffer
	c := command{module: moduletest.Module, stdout: &out, stderr: &errOut}
	err := c.run(t.Context(), []string{"-h"})
	if got := exit.Status("framecheck", err, &errOut); !errors.Is(err, flag.ErrHelp) || got != 0 {
		t.Errorf("got %v, status %d", err, got)
	}
	for _, name := range append(engineNames, "-first", "-count", "-detail", "-digest", "-print", "-url", "-seconds", "-record", "-file", "-engines", "-ledger", "Exit status") {
		if !strings.Contains(out.String(), name) {
			t.Errorf("the help does not mention %s", name)
		}
	}
	if errOut.Len() != 0 {
		t.Errorf("standard error: got %s", &errOut)
	}
}

func TestNoModule(t *testing.T) {
	var out, errOut bytes.Buffer
	c := command{module: func() ([]byte, error) { return nil, web.ErrNotBuilt }, stdout: &out, stderr: &errOut}
	if got := exit.Status("framecheck", c.run(t.Context(), nil), &errOut); got != 1 {
		t.Errorf("got status %d, want 1", got)
	}
	if text := errOut.String(); !strings.Contains(text, "make build") || strings.Count(text, "\n") != 1 {
		t.Errorf("got %q, want a line that says what to do", text)
	}
}
