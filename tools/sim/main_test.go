package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/exit"
)

func TestExitStatus(t *testing.T) {
	for _, c := range []struct {
		args   string
		want   int
		stderr string
	}{
		{"-h", 0, ""},
		{"-seconds 20", 0, ""},
		{"-seconds 20 -workers 0 -detail 8", 1, "a bar was missed"},
		{"-nonsense", 2, "nonsense"},
		{"rest", 2, `"rest"`},
		{"-workers -1", 2, "-workers: got -1, want 0 to 10000"},
		{"-workers 10001", 2, "got 10001"},
		{"-detail 33", 2, "-detail: got 33, want 1 to 32"},
		{"-speed 0s", 2, "-speed: got 0s"},
		{"-mix 3", 2, `got "3"`},
		{"-rtt -1s", 2, "-rtt: got -1s"},
		{"-loss 1.1", 2, "-loss: got 1.1"},
		{"-loss NaN", 2, "-loss: got NaN"},
		{"-freeze -0.1", 2, "-freeze: got -0.1"},
		{"-life 1ms", 2, "-life: got 1ms"},
		{"-lead 3s", 2, "-lead: got 3s, want 4s to 1m0s"},
		{"-lead 61s", 2, "-lead: got 1m1s"},
		{"-floor 0", 2, "-floor: got 0"},
		{"-auditors 0", 2, "-auditors: got 0"},
		{"-cost 0s", 2, "-cost: got 0s"},
		{"-seconds 15", 2, "-seconds: got 15s"},
		{"-seconds 99999999999", 2, "-seconds: got 99999999999"},
		{"-back 1s", 2, "-back: got 1s"},
		{"-kill -1s", 2, "-kill: got -1s"},
		{"-seeds 0", 2, "-seeds: got 0"},
		{"-seed -1", 2, "-seed"},
		{"-sweep -speed 40s", 2, "workers: got"}, // so many would be three times the need
	} {
		var stdout, stderr bytes.Buffer
		err := run(t.Context(), strings.Fields(c.args), &stdout, &stderr)
		if got := exit.Status("sim", err, &stderr); got != c.want || !strings.Contains(stderr.String(), c.stderr) {
			t.Errorf("sim %s: status %d, want %d; stderr %q, want %q in it", c.args, got, c.want, &stderr, c.stderr)
		}
		if c.want == 2 && stdout.Len() > 0 {
			t.Errorf("sim %s prints %q", c.args, &stdout)
		}
	}
}

func TestHelpNamesEveryFlag(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if err := run(t.Context(), []string{"-h"}, &stdout, &stderr); !errors.Is(err, flag.ErrHelp) || stderr.Len() > 0 {
		t.Errorf("error %v, stderr %q", err, &stderr)
	}
	for _, name := range []string{
		"workers", "speed", "mix", "rtt", "loss", "freeze", "life", "kill", "back", "newcomers", "detail", "lead", "cost",
		"auditors", "floor", "seconds", "seed", "seeds", "sweep", "json",
	} {
		if !strings.Contains(stdout.String(), "  -"+name) {
			t.Errorf("-h says nothing of -%s", name)
		}
	}
}

func TestReports(t *testing.T) {
	report := func(args ...string) string {
		var stdout, stderr bytes.Buffer
		if err := run(t.Context(), args, &stdout, &stderr); err != nil && !errors.Is(err, errMissed) {
			t.Fatal(err)
		}
		return stdout.String()
	}
	lines := strings.Split(strings.TrimSpace(report("-seconds", "20", "-seeds", "3", "-seed", "7", "-json")), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want one for each seed", len(lines))
	}
	for i, line := range lines {
		var o outcome
		if err := json.Unmarshal([]byte(line), &o); err != nil || o.Seed != uint64(7+i) || o.Aired == 0 || len(o.Bars) != 3 {
			t.Errorf("%v in %s", err, line)
		}
	}
	table := report("-seconds", "20", "-workers", "0", "-detail", "8")
	if !strings.Contains(table, "stalled") || !strings.Contains(table, "MISSED: as flagged, seed 1: stalled_frames is ") {
		t.Errorf("the table is\n%s", table)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if err := run(ctx, nil, &out, &out); !errors.Is(err, context.Canceled) || out.Len() > 0 {
		t.Errorf("error %v, output %q", err, &out)
	}
	if o := play(ctx, plain); o.Aired > 0 {
		t.Errorf("%d frames aired although it had ended", o.Aired)
	}
}
