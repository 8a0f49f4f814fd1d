package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/distributed-donut/donut/wasm/codec"
)

// A report holds the medians, in microseconds per frame. What could not be measured is nil.
type report struct {
	Detail int    `json:"detail"`         // of the rendered frames
	Rounds int    `json:"rounds"`         // that count
	Frames int    `json:"frames"`         // rendered in each round
	Node   string `json:"node,omitempty"` // its version
	// Firefox is the version of the one that SpiderMonkey is of.
	Firefox string `json:"firefox,omitempty"`

	Native     *float64 `json:"native_us"`
	Wazero     *float64 `json:"wazero_us"`
	V8         *float64 `json:"v8_us"`
	JavaScript *float64 `json:"javascript_us"`
	// JavaScriptText is of JavaScript that goes by way of text, as the peer's workers do.
	JavaScriptText *float64 `json:"javascript_text_us"`
	// SpiderMonkey renders by the module.
	SpiderMonkey *float64 `json:"spidermonkey_us"`

	StreamFrames  int      `json:"stream_frames"` // encoded and decoded in each round, of detail 1
	BytesPerFrame float64  `json:"bytes_per_frame"`
	Encode        *float64 `json:"encode_us"`
	Decode        *float64 `json:"decode_us"`
	DecodeV8      *float64 `json:"decode_v8_us"`
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *report) writeTable(w io.Writer) error {
	var b strings.Builder
	head := func(title string) { fmt.Fprintf(&b, "%-50s%10s%10s\n", title, "us/frame", "ratio") }
	row := func(name string, value, unit *float64) {
		if value == nil {
			fmt.Fprintf(&b, "  %-48s%10s%10s\n", name, "-", "-")
			return
		}
		fmt.Fprintf(&b, "  %-48s%10.1f%10.2f\n", name, *value, *value / *unit)
	}
	part := func(name string, whole *float64) {
		if whole != nil {
			fmt.Fprintf(&b, "  %-48s%10s%10.2f\n", name, "", *r.V8 / *whole)
		}
	}
	head(fmt.Sprintf("render, detail %d", r.Detail))
	row("native Go", r.Native, r.Native)
	row("the module in wazero", r.Wazero, r.Native)
	row("the module in V8", r.V8, r.Native)
	row("the module, SpiderMonkey", r.SpiderMonkey, r.Native)
	row("plain JavaScript in V8", r.JavaScript, r.Native)
	part("  the module's time in V8, of that", r.JavaScript)
	row("JavaScript, by way of text, as the peer does it", r.JavaScriptText, r.Native)
	part("  the module's time in V8, of that", r.JavaScriptText)
	head(fmt.Sprintf("\nstream, %.1f bytes/frame", r.BytesPerFrame))
	row("decode, native Go", r.Decode, r.Decode)
	row("decode, the module in V8", r.DecodeV8, r.Decode)
	row("encode, native Go", r.Encode, r.Decode)

	fmt.Fprintf(&b, "\nMedians of %d rounds. A round renders %d frames and packs them. The stream is of %d\n"+
		"frames at detail 1, half of them from %d on and half from %d on,\n"+
		"%d to a message and a key every %d; V8 decodes to text.\n",
		r.Rounds, r.Frames, r.StreamFrames, stretches[0], stretches[1], messageFrames, codec.KeyInterval)
	if r.Node == "" {
		fmt.Fprintln(&b, "Without V8: node is not installed.")
	} else {
		fmt.Fprintf(&b, "V8 is that of node %s.\n", r.Node)
	}
	if r.Firefox == "" {
		fmt.Fprintln(&b, "Without SpiderMonkey: Firefox is not installed.")
	} else {
		fmt.Fprintf(&b, "SpiderMonkey is that of %s.\n", r.Firefox)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
