package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/jsengine"
	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/web"
)

func TestMain(m *testing.M) { os.Exit(moduletest.Run(m)) }

// bench runs the command on the module that ships.
func bench(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	var out, errOut bytes.Buffer
	c := command{module: moduletest.Module, streamFrames: 240, stdout: &out, stderr: &errOut}
	err = c.run(t.Context(), append(args, "-cache-dir", moduletest.CacheDir()))
	if errOut.Len() != 0 {
		t.Errorf("standard error: got %s", &errOut)
	}
	return out.String(), err
}

// need skips the test where an engine is not installed, or fails it where nothing may be left out.
func need(t *testing.T, name string) {
	t.Helper()
	switch _, err := jsengine.Find(t.Context(), name, ""); {
	case err == nil:
	case os.Getenv("REQUIRE_BROWSERS") == "1":
		t.Fatalf("REQUIRE_BROWSERS=1: %v", err)
	default:
		t.Skip(err)
	}
}

func TestAllDrawTheSamePictures(t *testing.T) {
	need(t, "v8")
	m, err := moduletest.Module()
	if err != nil {
		t.Fatal(err)
	}
	v, err := startEngine(t.Context(), "v8", "node", m, new(stream))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for _, ask := range []func(detail int, first uint64, count int) jsengine.Request{javascript, javascriptText, jsengine.Render} {
		for _, r := range []jsengine.Request{ask(1, 0, 100), ask(1, 4_000_000_000, 10), ask(4, 150, 2)} {
			r.Keep = true
			answer, err := v.Do(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if want := moduletest.Native(r.Detail, r.First, r.Count); !bytes.Equal(bytes.Join(answer.Packed, nil), want) {
				t.Errorf("%s: %d frames from %d on at detail %d differ from the native ones", r.Work, r.Count, r.First, r.Detail)
			}
		}
	}
}

// numbers are the members that the JSON object has in any case.
var numbers = []string{
	"native_us", "wazero_us", "v8_us", "spidermonkey_us", "javascript_us", "javascript_text_us",
	"bytes_per_frame", "encode_us", "decode_us", "decode_v8_us",
}

func TestJSON(t *testing.T) {
	for _, c := range []struct {
		name, node, firefox string
		without             string // the numbers that are null
	}{
		{"with all", "node", "", ""},
		{"with none", "no-such-command", "no-such-command", "v8_us spidermonkey_us javascript_us javascript_text_us decode_v8_us"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.without == "" {
				need(t, "v8")
				need(t, "spidermonkey")
			}
			out, err := bench(t, "-json", "-rounds", "2", "-detail", "4", "-node", c.node, "-firefox", c.firefox)
			if err != nil {
				t.Fatal(err)
			}
			var got map[string]any
			if err := json.Unmarshal([]byte(out), &got); err != nil {
				t.Fatal(err)
			}
			for _, name := range numbers {
				value, there := got[name]
				if !there {
					t.Errorf("%s is missing", name)
				}
				if strings.Contains(c.without, name) {
					if value != nil {
						t.Errorf("%s: got %v, want null", name, value)
					}
				} else if v, ok := value.(float64); !ok || v <= 0 {
					t.Errorf("%s: got %v, want a positive number", name, value)
				}
			}
			if got["detail"] != 4.0 || got["rounds"] != 2.0 {
				t.Errorf("got detail %v and %v rounds, want 4 and 2", got["detail"], got["rounds"])
			}
		})
	}
}

func TestTable(t *testing.T) {
	out, err := bench(t, "-rounds", "1", "-detail", "4", "-node", "no-such-command", "-firefox", "no-such-command")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"render, detail 4", "native Go", "1.00\n", "wazero", "-         -\n", "bytes/frame", "node is not installed", "Firefox is not installed"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		turns []float64
		want  float64
	}{{[]float64{3}, 3}, {[]float64{5, 1, 100}, 5}, {[]float64{4, 1, 2, 90}, 3}, {[]float64{1.23456}, 1.23}} {
		if got := (&contender{turns: c.turns}).median(); *got != c.want {
			t.Errorf("median of %v: got %v, want %v", c.turns, *got, c.want)
		}
	}
	if got := (*contender)(nil).median(); got != nil {
		t.Errorf("median of nothing: got %v", *got)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{"-bogus", "fast", "-detail 0", "-detail 33", "-rounds 0", "-rounds many"} {
		var out, errOut bytes.Buffer
		c := command{module: moduletest.Module, stdout: &out, stderr: &errOut}
		if got := exit.Status("bench", c.run(t.Context(), strings.Fields(args)), &errOut); got != 2 {
			t.Errorf("%s: got status %d, want 2", args, got)
		}
		if lines := strings.Count(errOut.String(), "\n"); lines != 2 || out.Len() != 0 {
			t.Errorf("%s: got %q on standard error, %q on standard output, want 2 lines and nothing", args, &errOut, &out)
		}
	}
}

func TestHelp(t *testing.T) {
	var out bytes.Buffer
	c := command{module: moduletest.Module, stdout: &out, stderr: os.Stderr}
	if err := c.run(t.Context(), []string{"-h"}); !errors.Is(err, flag.ErrHelp) || exit.Status("bench", err, os.Stderr) != 0 {
		t.Errorf("got %v, want the help", err)
	}
	for _, name := range append(numbers, "-detail", "-rounds", "-json", "Exit status") {
		if !strings.Contains(out.String(), name) {
			t.Errorf("the help does not mention %s", name)
		}
	}
}

func TestNoModule(t *testing.T) {
	var out, errOut bytes.Buffer
	c := command{module: func() ([]byte, error) { return nil, web.ErrNotBuilt }, stdout: &out, stderr: &errOut}
	if got := exit.Status("bench", c.run(t.Context(), nil), &errOut); got != 1 || !strings.Contains(errOut.String(), "make build") {
		t.Errorf("got status %d, %q, want 1 and what to do", got, &errOut)
	}
}
