// Command bench measures what a frame costs: to render natively, by the module in wazero and in V8, and in plain
// JavaScript; and to encode and decode.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/progress"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/web"
)

const usage = `Usage: bench [-detail K] [-rounds R] [-json]

Bench prints microseconds per frame, packing included: natively, by the module
through wazero, by the module in V8 and in SpiderMonkey, and in V8 by plain
JavaScript and by JavaScript that goes by way of text, as the peer's does. V8 is
node's, and SpiderMonkey that of Firefox; without them their numbers are left out.
Every number is the median of rounds in which each renderer has its turn, after one
round that does not count.

With -json it prints one object instead: native_us, wazero_us, v8_us,
spidermonkey_us, javascript_us and javascript_text_us, and of the stream of frames
0 to 3599 and 1000000 to 1003599 at detail 1 bytes_per_frame, encode_us and
decode_us (natively) and decode_v8_us.
What could not be measured is null.

Exit status: 0, 1 when something failed, 2 on bad usage.

Flags:
`

// A config is what the flags say.
type config struct {
	detail int
	rounds int
	json   bool

	cacheDir string // of the compiled module; empty for none
	node     string // the command that runs V8
	firefox  string // and SpiderMonkey; empty for the usual ones
}

func main() {
	c := command{module: web.Module, streamFrames: streamFrames, stdout: os.Stdout, stderr: os.Stderr}
	exit.Run("bench", func(ctx context.Context) error { return c.run(ctx, os.Args[1:]) })
}

// A command is what bench is given besides its arguments.
type command struct {
	module         func() ([]byte, error)
	streamFrames   int // to encode and decode, of each stretch
	stdout, stderr io.Writer
}

func (c command) run(ctx context.Context, args []string) error {
	cfg, err := parse(args, c.stdout)
	if err != nil {
		return err
	}
	module, err := c.module()
	if err != nil {
		return err
	}
	line := progress.New(c.stderr)
	line.Show("starting")
	r, err := measure(ctx, cfg, module, newStream(c.streamFrames), line)
	line.Clear()
	if err != nil {
		return err
	}
	if cfg.json {
		return r.writeJSON(c.stdout)
	}
	return r.writeTable(c.stdout)
}

// parse reads the flags. It prints the help that they may ask for, and then the error is flag.ErrHelp; every other one
// wraps exit.ErrUsage.
func parse(args []string, stdout io.Writer) (config, error) {
	var cfg config
	flags := exit.Flags("bench")
	flags.IntVar(&cfg.detail, "detail", 1, fmt.Sprintf("the rendered frames' `detail`, 1 to %d", donut.MaxDetail))
	flags.IntVar(&cfg.rounds, "rounds", 7, "how many `rounds` count")
	flags.BoolVar(&cfg.json, "json", false, "print JSON")
	flags.StringVar(&cfg.cacheDir, "cache-dir", "", "keep what wazero compiled in this `folder`, which must be yours alone; empty means nowhere")
	flags.StringVar(&cfg.node, "node", "node", "the `command` that runs V8")
	flags.StringVar(&cfg.firefox, "firefox", "", "the `command` that runs SpiderMonkey; empty means $FIREFOX, firefox-esr or firefox")
	err := exit.Parse(flags, args, usage, stdout)
	switch {
	case err != nil:
	case cfg.detail < 1 || cfg.detail > donut.MaxDetail:
		err = fmt.Errorf("%w: -detail: got %d, want 1 to %d", exit.ErrUsage, cfg.detail, donut.MaxDetail)
	case cfg.rounds < 1:
		err = fmt.Errorf("%w: -rounds: got %d, want at least 1", exit.ErrUsage, cfg.rounds)
	}
	return cfg, err
}
