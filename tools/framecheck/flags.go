package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/wasm/donut"
)

const usage = `Usage: framecheck [-first N] [-count M] [-detail K] [-engines E,E] [-digest | -print | -ledger FILE]
       framecheck -url http://host:port [-seconds S] [-record FILE]
       framecheck -file FILE

Without -url and -file, framecheck renders frames in several engines, and
compares every cell. With -url it watches a server as a viewer does, and renders
every frame that it is sent again through wazero. With -record it also keeps
what it is sent, and with -file it checks that later, without the server.

Engines:
  native        the frames' Go source, compiled into this program
  wazero        the module, as the server runs it
  v8            the module in node
  spidermonkey  the module in Firefox: $FIREFOX, else firefox-esr or firefox
  jsc           the module in JavaScriptCore's shell: $JSC, else jsc

With -ledger the frames go in shards. The SHA-256 of each shard's packed frames
is appended to the file, a line of JSON for each engine. What is there already,
for the same engine, version and module, is not rendered again, so that a run
can be ended at any time and be resumed. Whatever engines have entries are
compared, also those of runs on other machines or of other builds of this
program. One framecheck at a time may write to a ledger.

A recording is never written over, and can be checked however it ended: of a
last message that is not whole it is said how much is left out. It is checked by
a framecheck of the same module as the server's. Its checksums tell damage from
frames that are wrong; they do not tell who made it.

Exit status: 0 when all frames agree, 1 when they do not or could not be
checked, 2 on bad usage.

Flags:
`

// A config is what the flags say.
type config struct {
	first  uint64
	count  int
	detail int
	digest bool
	print  bool

	engines []string // in the order asked for
	ledger  string   // the file's name; empty for none

	url     *url.URL // of the server to watch; nil for none
	seconds time.Duration
	record  string // the name of the file to keep it in; empty for none

	file string // the name of the recording to check; empty for none

	cacheDir string
}

// parse reads the flags. It prints the help that they may ask for, and then the error is flag.ErrHelp; every other one
// wraps exit.ErrUsage.
func parse(args []string, stdout io.Writer) (config, error) {
	var cfg config
	var server, engines string
	var seconds float64
	flags := exit.Flags("framecheck")
	flags.Uint64Var(&cfg.first, "first", 0, "the number of the first `frame`")
	flags.IntVar(&cfg.count, "count", 600, "how many `frames`")
	flags.IntVar(&cfg.detail, "detail", 1, fmt.Sprintf("the frames' `detail`, 1 to %d", donut.MaxDetail))
	flags.BoolVar(&cfg.digest, "digest", false, "print the SHA-256 of the frames' text, as the module renders them")
	flags.BoolVar(&cfg.print, "print", false, "print the frames' text, as the module renders them")
	flags.StringVar(&engines, "engines", "native,wazero", "the `engines` to compare, at least two, or one with -ledger")
	flags.StringVar(&cfg.ledger, "ledger", "", "compare by way of this `file`")
	flags.StringVar(&server, "url", "", "the `URL` of a server to watch instead")
	flags.Float64Var(&seconds, "seconds", 10, "how many `seconds` to watch it")
	flags.StringVar(&cfg.record, "record", "", "keep what is watched in this new or empty `file`")
	flags.StringVar(&cfg.file, "file", "", "the `file` with a recording to check instead")
	flags.StringVar(&cfg.cacheDir, "cache-dir", verify.DefaultCacheDir(),
		"keep the compiled module in this `folder`, which must be yours alone; empty means nowhere")
	if err := exit.Parse(flags, args, usage, stdout); err != nil {
		return config{}, err
	}

	cfg.engines = strings.Split(engines, ",")
	set := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if err := cfg.complete(server, seconds, set); err != nil {
		return config{}, fmt.Errorf("%w: %w", exit.ErrUsage, err)
	}
	return cfg, nil
}

// complete checks the values, takes in those that need parsing, and refuses flags of one use in another.
func (cfg *config) complete(server string, seconds float64, set map[string]bool) error {
	if err := separate(set); err != nil {
		return err
	}
	switch {
	case cfg.count < 1:
		return fmt.Errorf("-count: got %d, want at least 1", cfg.count)
	case cfg.first > math.MaxUint64-uint64(cfg.count):
		return fmt.Errorf("-first: got %d, want room for %d frames", cfg.first, cfg.count)
	case cfg.detail < 1 || cfg.detail > donut.MaxDetail:
		return fmt.Errorf("-detail: got %d, want 1 to %d", cfg.detail, donut.MaxDetail)
	case cfg.digest && cfg.print:
		return errors.New("-digest and -print: got both, want one of them")
	case set["ledger"] && cfg.ledger == "":
		return errors.New("-ledger: got no name, want a file's")
	case set["record"] && cfg.record == "":
		return errors.New("-record: got no name, want a file's")
	case set["file"] && cfg.file == "":
		return errors.New("-file: got no name, want a file's")
	case cfg.ledger != "" && (cfg.digest || cfg.print):
		return errors.New("-ledger: it does not go with -digest or -print")
	case !(seconds > 0 && seconds <= time.Duration(math.MaxInt64).Seconds()):
		return fmt.Errorf("-seconds: got %v, want more than 0", seconds)
	}
	if err := cfg.checkEngines(); err != nil {
		return fmt.Errorf("-engines: %w", err)
	}
	cfg.seconds = time.Duration(seconds * float64(time.Second))
	if !set["url"] {
		return nil
	}
	u, err := parseServer(server)
	if err != nil {
		return fmt.Errorf("-url: %w", err)
	}
	cfg.url = u
	return nil
}

// separate refuses flags of one use in another. What it does not name goes with all.
func separate(set map[string]bool) error {
	rendering := []string{"first", "count", "detail", "digest", "print", "engines", "ledger"}
	watching := []string{"seconds", "record"}
	refuse := func(how string, names ...string) error {
		for _, name := range names {
			if set[name] {
				return fmt.Errorf("-%s: it does not go %s", name, how)
			}
		}
		return nil
	}
	switch {
	case set["file"]:
		return refuse("with -file", slices.Concat([]string{"url"}, watching, rendering)...)
	case set["url"]:
		return refuse("with -url", rendering...)
	}
	return refuse("without -url", watching...)
}

// parseServer parses the URL of a server.
func parseServer(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("got %q, want http://host:port", text)
	}
	return u, nil
}

func (cfg *config) checkEngines() error {
	for i, name := range cfg.engines {
		if !slices.Contains(engineNames, name) {
			return fmt.Errorf("got %q, want some of %s", name, strings.Join(engineNames, ", "))
		}
		if slices.Contains(cfg.engines[:i], name) {
			return fmt.Errorf("got %s twice", name)
		}
	}
	switch {
	case len(cfg.engines) < 2 && cfg.ledger == "":
		return fmt.Errorf("got %s alone, want at least two without -ledger", cfg.engines[0])
	case (cfg.digest || cfg.print) && !slices.Contains(cfg.engines, "wazero"):
		return errors.New("got no wazero, want it with -digest and -print")
	}
	return nil
}
