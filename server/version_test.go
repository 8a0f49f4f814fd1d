package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/web"
)

func TestCommit(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123abc"}
	for want, settings := range map[string][]debug.BuildSetting{
		"unknown":       {{Key: "vcs", Value: "git"}},
		"0123abc":       {revision, {Key: "vcs.modified", Value: "false"}},
		"0123abc+dirty": {revision, {Key: "vcs.modified", Value: "true"}},
	} {
		if got := commit(&debug.BuildInfo{Settings: settings}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := commit(nil); got != "unknown" {
		t.Errorf("without any information: got %q", got)
	}
}

// TestVersion asks for it with settings that the server would not start with.
func TestVersion(t *testing.T) {
	var stdout, stderr bytes.Buffer
	status := run(t.Context(), []string{"-version"}, []string{"DONUT_DETAIL=x"}, &stdout, &stderr)
	if status != 0 || stderr.Len() > 0 {
		t.Errorf("exit status %d, and %q on stderr", status, &stderr)
	}
	info, _ := debug.ReadBuildInfo()
	for _, want := range []string{"donut-server " + commit(info) + "\n", runtime.Version(), "module sha256 "} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("got %q, want %q in it", &stdout, want)
		}
	}
	module, err := web.Module()
	if sum := fmt.Sprintf("%x", sha256.Sum256(module)); err == nil && !strings.Contains(stdout.String(), sum) {
		t.Errorf("got %q, want the module's digest in it", &stdout)
	}
}
