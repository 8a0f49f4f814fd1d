package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/exit"
)

const all = `{"detail": 4, "native_us": 100, "wazero_us": 400, "v8_us": 200.04, "spidermonkey_us": 250, "javascript_us": 800,
	"bytes_per_frame": 62.7, "encode_us": 45, "decode_us": 40, "decode_v8_us": 80, "something": "else"}`

// A picture is what the tests look at of one.
type picture struct {
	XMLName xml.Name `xml:"svg"`
	Texts   []string `xml:"text"`
	Bars    []struct {
		Width float64 `xml:"width,attr"`
	} `xml:"rect"`
}

func drawn(t *testing.T, input string) (p picture) {
	t.Helper()
	var out bytes.Buffer
	if err := run(nil, strings.NewReader(input), &out); err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(out.Bytes(), &p); err != nil {
		t.Fatalf("%v in\n%s", err, &out)
	}
	return p
}

func TestBarsAreAsLongAsTheirFigures(t *testing.T) {
	p := drawn(t, all)
	values := []float64{100, 400, 200.04, 250, 800, 183.6, 62.7, 57, 45, 40, 80}
	longest := []float64{800, 800, 800, 800, 800, 183.6, 183.6, 183.6, 80, 80, 80}
	if len(p.Bars) != len(values) {
		t.Fatalf("%d bars, want %d", len(p.Bars), len(values))
	}
	for i, bar := range p.Bars {
		if want := values[i] / longest[i] * (barsTo - barsFrom); bar.Width < want-0.1 || bar.Width > want+0.1 {
			t.Errorf("bar %d is %v long, want %.1f", i, bar.Width, want)
		}
	}
	text := strings.Join(p.Texts, "\n")
	for _, want := range []string{"detail 4", "module in V8\n200 µs", "range coder\n62.7 bytes", "decode, module in V8\n80.0 µs"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

func TestWhatWasNotMeasuredIsLeftOut(t *testing.T) {
	p := drawn(t, `{"detail": 1, "native_us": 100, "v8_us": null}`)
	if text := strings.Join(p.Texts, "\n"); len(p.Bars) != 1 || strings.Contains(text, "V8") || strings.Contains(text, "stream") {
		t.Errorf("%s bars and\n%s", strconv.Itoa(len(p.Bars)), text)
	}
}

func TestRefuses(t *testing.T) {
	for input, want := range map[string]string{"": "EOF", "[]": "cannot unmarshal", "{}": "no figure", `{"v8_us": "x"}`: "cannot unmarshal"} {
		if err := run(nil, strings.NewReader(input), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("of %q: %v, want %q in it", input, err, want)
		}
	}
	if err := run([]string{"file"}, strings.NewReader(all), io.Discard); !errors.Is(err, exit.ErrUsage) {
		t.Errorf("with an argument: %v", err)
	}
	var out bytes.Buffer
	if err := run([]string{"-h"}, nil, &out); !errors.Is(err, flag.ErrHelp) || out.String() != usage {
		t.Errorf("asked for help: %v, %s", err, &out)
	}
}
