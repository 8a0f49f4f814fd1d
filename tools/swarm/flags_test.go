package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/exit"
)

func TestBadUsage(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"-nonsense", "-nonsense"},
		{"-workers many", "many"},
		{"-workers -1", "-workers: got -1, want 0 to 1000"},
		{"-viewers 15001", "-viewers: got 15001"},
		{"-workers 0 -viewers 0", "want a crowd"},
		{"-threads 0", "-threads: got 0, want 1 to 8"},
		{"-threads 9", "-threads: got 9"},
		{"-slow -0.1", "-slow: got -0.1, want 0 to 1"},
		{"-freeze 2", "-freeze: got 2"},
		{"-drop NaN", "-drop: got NaN"},
		{"-life 1ms", "-life: got 1ms, want 0s, or at least 100ms"},
		{"-frame-time -1s", "-frame-time: got -1s"},
		{"-forge 1.1", "-forge: got 1.1, want 0 to 1"},
		{"-forge NaN", "-forge: got NaN"},
		{"-strategy cells,nonsense", `got "nonsense", want some of cells,cell`},
		{"-strategy ,", `got ""`},
		{"-decoders 1001", "-decoders: got 1001, want 0 to 1000"},
		{"-storm -1", "-storm: got -1"},
		{"-storm 60001", "-storm: got 60001"},
		{"-storm-rate 0", "-storm-rate: got 0"},
		{"-storm-rate NaN", "-storm-rate: got NaN"},
		{"-flood 5001", "-flood: got 5001, want 0 to 5000"},
		{"-flood-rate 0", "-flood-rate: got 0"},
		{"-flood-rate NaN", "-flood-rate: got NaN"},
		{"-garbage -1", "-garbage: got -1, want 0 to 1000"},
		{"-garbage-rate 101", "-garbage-rate: got 101"},
		{"-duration 0s", "-duration: got 0s"},
		{"-duration 61m", "at most 1h0m0s"},
		{"extra", `got argument "extra"`},
		{"-url http://example.com", "loopback"},
		{"-url http://192.0.2.1:8080", "loopback"},
		{"-url http://localhost.example.com", "loopback"},
		{"-url http://127.0.0.1@example.com", "want http://host:port"},
		{"-url https://127.0.0.1", "want http://host:port"},
		{"-url http://127.0.0.1/path", "want http://host:port"},
		{"-url ://", "-url"},
	} {
		t.Run(c.args, func(t *testing.T) {
			var errs bytes.Buffer
			err := run(context.Background(), strings.Fields(c.args), io.Discard, &errs)
			if exit.Status("swarm", err, &errs) != 2 || !strings.Contains(errs.String(), c.want) {
				t.Errorf("exit status %d and %q, want 2 and %q", exit.Status("swarm", err, io.Discard), errs.String(), c.want)
			}
		})
	}
}

func TestGoodUsage(t *testing.T) {
	for _, url := range []string{"http://127.0.0.1:8080", "http://localhost", "http://[::1]:80/", "http://127.9.9.9"} {
		cfg, err := parse([]string{"-url", url, "-workers", "4", "-viewers", "5", "-threads", "2", "-duration", "3s", "-seed", "6"}, io.Discard)
		if err != nil {
			t.Errorf("%s is refused: %v", url, err)
			continue
		}
		if cfg.workers != 4 || cfg.viewers != 5 || cfg.threads != 2 || cfg.duration != 3*time.Second || cfg.seed != 6 || cfg.json {
			t.Errorf("config is %+v", cfg)
		}
		if want := strings.TrimSuffix(url, "/") + "/ws"; cfg.target.endpoint("ws") != want {
			t.Errorf("endpoint is %s, want %s", cfg.target.endpoint("ws"), want)
		}
	}
}

func TestHelp(t *testing.T) {
	var help bytes.Buffer
	err := run(context.Background(), []string{"-h"}, &help, io.Discard)
	if err != flag.ErrHelp || exit.Status("swarm", err, io.Discard) != 0 {
		t.Errorf("-h fails with %v, want exit status 0", err)
	}
	for _, want := range []string{"-url", "-workers", "-viewers", "-threads", "-decoders", "-duration", "-seed", "-json", "-forge", "-strategy", "-slow", "-freeze", "-drop",
		"-life", "-frame-time",
		"-storm", "-storm-rate", "-return", "-flood", "-flood-rate", "-garbage", "-garbage-rate", "Exit status"} {
		if !strings.Contains(help.String(), want) {
			t.Errorf("help lacks %s", want)
		}
	}
}

func TestPercentile(t *testing.T) {
	var hundred []time.Duration
	for i := range 100 {
		hundred = append(hundred, time.Duration(100-i)*time.Millisecond)
	}
	for _, c := range []struct {
		of   []time.Duration
		p    int
		want float64
	}{
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred, 100, 100},
		{hundred[:1], 50, 100}, {hundred[:1], 99, 100}, {hundred[:3], 50, 99}, {hundred[:3], 99, 100},
	} {
		if got := percentile(c.of, c.p); *got != c.want {
			t.Errorf("p%d of %v is %v, want %v", c.p, c.of, *got, c.want)
		}
	}
	if got := percentile(nil, 50); got != nil {
		t.Errorf("p50 of nothing is %v, want nil", *got)
	}
}
