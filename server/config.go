package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path"
	"strings"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/donut"
)

// config is all that can be set. Each field has a flag, and each flag a variable of the environment behind it.
type config struct {
	addr      string        // of the public listener
	adminAddr string        // of the admin listener; empty for none
	epoch     time.Time     // the moment of frame 0, in the past
	detail    int           // 1 to donut.MaxDetail
	lead      time.Duration // orchestrator.MinLead to MaxLead
	cacheDir  string        // for compiled modules; empty for none

	limits     gate.Limits  // of connections
	proxies    gate.Proxies // whose X-Forwarded-For counts
	maxStreams int          // for terminals, at once

	auditBudget float64 // cores for audits that nobody must make, 0 to orchestrator.MaxAuditBudget
	auditFloor  float64 // share of anybody's frames that must be audited, above 0 and up to 1

	origins  []string      // patterns of hosts
	drain    time.Duration // how long a shutdown may take
	logLevel slog.Level
	logJSON  bool
}

// defaultEpoch is the same everywhere, so that restarts and other servers agree by themselves.
var defaultEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const usage = `donut-server runs a fleet of browser tabs that render the spinning donut together.

usage: donut-server [flags]

Each flag can also be set by a variable of the environment: -max-clients by DONUT_MAX_CLIENTS, and so on. A flag wins
over its variable. PORT sets the port of -addr where neither -addr nor DONUT_ADDR is given.

`

// variable is the name of the environment's variable behind a flag.
func variable(flag string) string {
	return "DONUT_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// parseConfig reads the command line and the environment. The error is flag.ErrHelp after -h, when the help has been
// written to output, and else says which setting has which value, and what was wanted.
func parseConfig(args []string, getenv func(string) string, output io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("donut-server", flag.ContinueOnError)
	flags.SetOutput(io.Discard)

	flags.StringVar(&c.addr, "addr", ":8080", "listen on this `address` for tabs")
	flags.StringVar(&c.adminAddr, "admin-addr", "127.0.0.1:9464", "listen on this `address` for operators; empty for not at all")
	c.epoch = defaultEpoch
	flags.Func("epoch", "the `moment` of frame 0, as in 2026-01-01T00:00:00Z, which is the default", func(s string) (err error) {
		c.epoch, err = time.Parse(time.RFC3339, s)
		return err
	})
	flags.IntVar(&c.detail, "detail", 1, fmt.Sprintf("sample the torus `K` times finer than donut.c, 1 to %d; the cost grows with its square", donut.MaxDetail))
	flags.DurationVar(&c.lead, "lead", 10*time.Second, fmt.Sprintf("render this far ahead, %v to %v", orchestrator.MinLead, orchestrator.MaxLead))
	flags.StringVar(&c.cacheDir, "cache-dir", verify.DefaultCacheDir(), "keep compiled modules in this `folder`; empty for nowhere")
	flags.Float64Var(&c.auditBudget, "audit-budget", 0.10, "spend so many `cores` on audits; beyond that only those are made that must be")
	flags.Float64Var(&c.auditFloor, "audit-floor", 0.05, "audit at least this `share` of anybody's frames, whatever it costs")
	flags.IntVar(&c.limits.Clients, "max-clients", 10_000, "let in so many `connections` at once")
	flags.IntVar(&c.limits.PerAddress, "max-per-address", 100,
		"let in so many `connections` at once from one IPv4 address or IPv6 /64; 127.0.0.1 and ::1 are exempt, also below")
	flags.Float64Var(&c.limits.JoinsPerAddress, "joins-per-address", 5,
		"let in so many new `connections` a second from one such address, and what it saved up in ten seconds at once")
	flags.IntVar(&c.maxStreams, "max-streams", 1000,
		"send so many `streams` to terminals at once, beside the connections; 0 for none")
	flags.Func("trusted-proxies", "comma-separated `addresses` and prefixes, as in 10.0.0.0/8, of proxies whose "+gate.ForwardedFor+
		" says where a connection comes from", func(s string) (err error) {
		c.proxies, err = gate.ParseProxies(s)
		return err
	})
	flags.Func("origins", "comma-separated `patterns` of hosts whose pages may connect beside our own, as in *.example.com", func(s string) error {
		c.origins = nil
		for pattern := range strings.SplitSeq(s, ",") {
			if pattern = strings.TrimSpace(pattern); pattern == "" {
				continue
			}
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("pattern %q: %w", pattern, err)
			}
			c.origins = append(c.origins, pattern)
		}
		return nil
	})
	flags.DurationVar(&c.drain, "drain", 5*time.Second, "take at most this long to shut down")
	flags.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "log from this `level` on: debug, info, warn or error")
	flags.Func("log-format", "log as `text`, which is the default, or json", func(s string) error {
		if s != "text" && s != "json" {
			return fmt.Errorf("want text or json")
		}
		c.logJSON = s == "json"
		return nil
	})

	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(output, usage)
			flags.SetOutput(output)
			flags.PrintDefaults()
		}
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	}
	if err := applyEnvironment(flags, getenv); err != nil {
		return config{}, err
	}
	return c, c.validate()
}

// applyEnvironment sets the flags that the command line left alone.
func applyEnvironment(flags *flag.FlagSet, getenv func(string) string) (err error) {
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	flags.VisitAll(func(f *flag.Flag) {
		name, value := variable(f.Name), getenv(variable(f.Name))
		if port := getenv("PORT"); f.Name == "addr" && value == "" && port != "" {
			name, value = "PORT", ":"+port
		}
		if given[f.Name] || value == "" || err != nil {
			return
		}
		if e := f.Value.Set(value); e != nil {
			err = fmt.Errorf("invalid value %q for %s: %w", value, name, e)
		}
	})
	return err
}

func (c config) validate() error {
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		return fmt.Errorf("invalid -addr: got %q, want host:port: %w", c.addr, err)
	}
	if _, _, err := net.SplitHostPort(c.adminAddr); c.adminAddr != "" && err != nil {
		return fmt.Errorf("invalid -admin-addr: got %q, want host:port or nothing: %w", c.adminAddr, err)
	}
	switch {
	case c.epoch.After(time.Now()):
		return fmt.Errorf("invalid -epoch: got %s, want a moment in the past", c.epoch.Format(time.RFC3339))
	case c.detail < 1 || c.detail > donut.MaxDetail:
		return fmt.Errorf("invalid -detail: got %d, want 1 to %d", c.detail, donut.MaxDetail)
	case c.lead < orchestrator.MinLead || c.lead > orchestrator.MaxLead:
		return fmt.Errorf("invalid -lead: got %v, want %v to %v", c.lead, orchestrator.MinLead, orchestrator.MaxLead)
	case !(c.auditBudget >= 0 && c.auditBudget <= orchestrator.MaxAuditBudget):
		return fmt.Errorf("invalid -audit-budget: got %v, want 0 to %d cores", c.auditBudget, orchestrator.MaxAuditBudget)
	case !(c.auditFloor > 0 && c.auditFloor <= 1):
		return fmt.Errorf("invalid -audit-floor: got %v, want above 0 and up to 1", c.auditFloor)
	case c.limits.Clients < 1:
		return fmt.Errorf("invalid -max-clients: got %d, want at least 1", c.limits.Clients)
	case c.limits.PerAddress < 1:
		return fmt.Errorf("invalid -max-per-address: got %d, want at least 1", c.limits.PerAddress)
	case !(c.limits.JoinsPerAddress >= gate.MinJoins && c.limits.JoinsPerAddress <= gate.MaxJoins):
		return fmt.Errorf("invalid -joins-per-address: got %v, want %v to %v", c.limits.JoinsPerAddress, gate.MinJoins, gate.MaxJoins)
	case c.maxStreams < 0:
		return fmt.Errorf("invalid -max-streams: got %d, want 0 or more", c.maxStreams)
	case c.drain <= 0:
		return fmt.Errorf("invalid -drain: got %v, want more than 0s", c.drain)
	}
	return nil
}
