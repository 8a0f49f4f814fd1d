// Command chart draws what bench measured as an SVG picture that is legible on light and on dark pages.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/distributed-donut/donut/tools/exit"
)

const usage = `Usage: bench -json | chart > picture.svg

Chart reads the object that bench prints with -json and draws its figures as bars.
What could not be measured is left out.

Exit status: 0, 1 when it could not be drawn, 2 on bad usage.
`

func main() {
	exit.Run("chart", func(context.Context) error { return run(os.Args[1:], os.Stdin, os.Stdout) })
}

func run(args []string, stdin io.Reader, stdout io.Writer) error {
	flags := exit.Flags("chart")
	if err := exit.Parse(flags, args, usage, stdout); err != nil {
		return err
	}
	var m measured
	if err := json.NewDecoder(stdin).Decode(&m); err != nil {
		return fmt.Errorf("read what bench measured: %w", err)
	}
	all := m.charts()
	if len(all) == 0 {
		return errors.New("read what bench measured: got no figure at all")
	}
	_, err := io.WriteString(stdout, draw(all))
	return err
}

// measured is what chart takes of bench's object; see package main of tools/bench.
type measured struct {
	Detail        int      `json:"detail"`
	Native        *float64 `json:"native_us"`
	Wazero        *float64 `json:"wazero_us"`
	V8            *float64 `json:"v8_us"`
	SpiderMonkey  *float64 `json:"spidermonkey_us"`
	JavaScript    *float64 `json:"javascript_us"`
	BytesPerFrame *float64 `json:"bytes_per_frame"`
	Encode        *float64 `json:"encode_us"`
	Decode        *float64 `json:"decode_us"`
	DecodeV8      *float64 `json:"decode_v8_us"`
}

// What others take for the same frames, in bytes: the peer's nibbles and deflate, and the best that is known, offline.
const (
	peerBytes  = 183.6
	floorBytes = 57.0
)

// charts returns those that there are figures for.
func (m measured) charts() (all []chart) {
	peer, floor := peerBytes, floorBytes
	for _, c := range []chart{
		{fmt.Sprintf("Rendering a frame of detail %d, packing included", m.Detail), "µs", []bar{
			{"native Go", m.Native, false}, {"module in wazero", m.Wazero, false}, {"module in V8", m.V8, true},
			{"module in SpiderMonkey", m.SpiderMonkey, true}, {"plain JavaScript in V8", m.JavaScript, false},
		}},
		{"The stream, a frame", "bytes", []bar{
			{"nibbles and deflate", &peer, false}, {"range coder", m.BytesPerFrame, true}, {"best known, 2.5 ms a frame", &floor, false},
		}},
		{"Coding a frame of it", "µs", []bar{
			{"encode, native Go", m.Encode, false}, {"decode, native Go", m.Decode, false}, {"decode, module in V8", m.DecodeV8, true},
		}},
	} {
		measured := 0
		kept := c.bars[:0]
		for _, b := range c.bars {
			if b.value == nil {
				continue
			}
			if kept = append(kept, b); b.value != &peer && b.value != &floor {
				measured++
			}
		}
		if c.bars = kept; measured > 0 {
			all = append(all, c)
		}
	}
	return all
}
