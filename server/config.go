package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/donut"
)

// config is all that can be set. Each field has a flag, and each flag a variable of the environment behind it.
type config struct {
	addr      string        // of the public listener
	adminAddr string        // of the admin listener; empty for none
	tlsCert   string        // file of the public listener's certificate; empty for plain HTTP
	tlsKey    string        // file of its key
	epoch     time.Time     // the moment of frame 0, in the past
	detail    int           // 1 to donut.MaxDetail
	lead      time.Duration // orchestrator.MinLead to MaxLead
	cacheDir  string        // for compiled modules; empty for none

	limits        gate.Limits   // of connections
	streams       gate.Limits   // of streams for terminals; as many joins as connections
	proxies       gate.Proxies  // whose X-Forwarded-For counts
	messages      int           // a second, of a connection
	maxLease      int           // frames, orchestrator.MinLease to orchestrator.MaxLease
	sendBuffer    int           // bytes, hub.MinSendBuffer to MaxSendBuffer
	timeouts      hub.Timeouts  // of connections; Write is of streams, too
	headerTimeout time.Duration // of requests

	auditBudget float64 // cores for audits that nobody must make, 0 to orchestrator.MaxAuditBudget
	auditFloor  float64 // share of anybody's frames that must be audited, above 0 and up to 1

	origins      []string      // patterns of hosts
	drain        time.Duration // how long a shutdown may take
	drainDelay   time.Duration // how much of that is spent unready, before anybody is told; 0 or more, and less than drain
	returns      int           // a second, of those who are said goodbye to
	logLevel     slog.Level
	logJSON      bool
	logAddresses bool // of clients, whole

	nats            natsURLs // of NATS servers, comma-separated; empty for a server alone
	natsCredentials string   // a file; empty for none
	natsCA          string   // a PEM file; empty for the system's
	serverName      string   // of this server among others; empty for the host's

	rig rig // of a build for trials

	dev string // folder that the page is served from; empty for the page that is built in

	version bool // is all that is wanted

	effective []slog.Attr // every flag's value as text, by name
	unknown   []string    // variables that look like ours and set nothing, by name
}

// defaultEpoch is the same everywhere, so that restarts and other servers agree by themselves.
var defaultEpoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const usage = `donut-server runs a fleet of browser tabs that render the spinning donut together.

usage: donut-server [flags]

Each flag can also be set by a variable of the environment: -max-clients by DONUT_MAX_CLIENTS, and so on. A flag wins
over its variable. PORT sets the port of -addr where neither -addr nor DONUT_ADDR is given.
`

const (
	versionFlag = "version" // which has no variable: it is an order and no setting
	prefix      = "DONUT_"  // of the environment's variables
)

// variable is the name of the environment's variable behind a flag.
func variable(flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// flags are all flags, and the same by what they are about, in the order of the help.
type flags struct {
	*flag.FlagSet
	groups []*flag.FlagSet
}

// group adds a group, whose flags define defines.
func (f *flags) group(title string, define func(*flag.FlagSet)) {
	group := flag.NewFlagSet(title, flag.ContinueOnError)
	define(group)
	group.VisitAll(func(defined *flag.Flag) { f.Var(defined.Value, defined.Name, defined.Usage) })
	f.groups = append(f.groups, group)
}

// help writes what -h does.
func (f *flags) help(output io.Writer) {
	fmt.Fprint(output, usage)
	for _, group := range f.groups {
		fmt.Fprintf(output, "\n%s:\n", group.Name())
		group.SetOutput(output)
		group.PrintDefaults()
	}
}

// parsed is a flag.Value that a function reads.
type parsed struct {
	parse func(string) error
	text  string // that was read last, or stands for the default
}

// String implements flag.Value.
func (p *parsed) String() string { return p.text }

// Set implements flag.Value.
func (p *parsed) Set(text string) error {
	if err := p.parse(text); err != nil {
		return err
	}
	p.text = text
	return nil
}

// natsURLs are comma-separated URLs, which may hold passwords.
type natsURLs string

// String implements flag.Value: without passwords and tokens, since settings are logged.
func (a *natsURLs) String() string {
	var shown []string
	for text := range strings.SplitSeq(string(*a), ",") {
		if u, err := url.Parse(strings.TrimSpace(text)); err == nil {
			if _, ok := u.User.Password(); !ok && u.User != nil {
				u.User = url.User("xxxxx") // a token
			}
			text = u.Redacted()
		}
		shown = append(shown, text)
	}
	return strings.Join(shown, ",")
}

// Set implements flag.Value.
func (a *natsURLs) Set(list string) error {
	for text := range strings.SplitSeq(list, ",") {
		if u, err := url.Parse(strings.TrimSpace(text)); err != nil || u.Host == "" {
			return errors.New("want URLs as in nats://host:4222") // which does not repeat a password
		}
	}
	*a = natsURLs(list)
	return nil
}

// define defines the flags of all settings, which are written into c.
func define(c *config) *flags {
	all := &flags{FlagSet: flag.NewFlagSet("donut-server", flag.ContinueOnError)}
	all.SetOutput(io.Discard)

	all.group("Listening", func(f *flag.FlagSet) {
		f.StringVar(&c.addr, "addr", ":8080", "listen on this `address` for tabs")
		f.StringVar(&c.adminAddr, "admin-addr", "127.0.0.1:9464",
			"listen on this `address` for operators; empty for not at all")
		f.StringVar(&c.tlsCert, "tls-cert", "",
			"answer tabs over TLS, with the certificate and its chain in this PEM `file`; it may be renewed in place")
		f.StringVar(&c.tlsKey, "tls-key", "", "the PEM `file` of the key of -tls-cert")
		f.Var(&parsed{parse: c.setProxies}, "trusted-proxies", "comma-separated `addresses` and prefixes, as in "+
			"10.0.0.0/8, of proxies whose "+gate.ForwardedFor+" says where a connection comes from")
		f.Var(&parsed{parse: c.setOrigins}, "origins",
			"comma-separated `patterns` of hosts whose pages may connect beside our own, as in *.example.com")
	})
	all.group("Picture and schedule", func(f *flag.FlagSet) {
		f.TextVar(&c.epoch, "epoch", defaultEpoch, "the `moment` of frame 0, in RFC 3339's format")
		f.IntVar(&c.detail, "detail", 1, fmt.Sprintf(
			"sample the torus `K` times finer than donut.c, 1 to %d; the cost grows with its square", donut.MaxDetail))
		f.DurationVar(&c.lead, "lead", 10*time.Second,
			fmt.Sprintf("render this far ahead, %v to %v", orchestrator.MinLead, orchestrator.MaxLead))
		f.StringVar(&c.cacheDir, "cache-dir", verify.DefaultCacheDir(),
			"keep compiled modules in this `folder`; empty for nowhere")
	})
	all.group("Trust", func(f *flag.FlagSet) {
		f.Float64Var(&c.auditBudget, "audit-budget", 0.10,
			"spend so many `cores` on audits; beyond that only those are made that must be")
		f.Float64Var(&c.auditFloor, "audit-floor", 0.05,
			"audit at least this `share` of anybody's frames, whatever it costs")
	})
	all.group("Limits", func(f *flag.FlagSet) {
		f.IntVar(&c.limits.Clients, "max-clients", 10_000, "let in so many `connections` at once")
		f.IntVar(&c.limits.PerAddress, "max-per-address", 100,
			"let in so many `connections` at once from one IPv4 address or IPv6 /64; 127.0.0.1 and ::1 are exempt, also below")
		f.Float64Var(&c.limits.JoinsPerAddress, "joins-per-address", 5,
			"let in so many new `connections` a second from one such address, and what it saved up in ten seconds at once; "+
				"streams are counted alike, apart from them")
		f.IntVar(&c.messages, "messages-per-connection", 20, "take so many `messages` a second of a connection, pings and "+
			"pongs included, and what it saved up in ten seconds at once; answers to leases are beside that")
		f.IntVar(&c.maxLease, "max-lease", orchestrator.MaxLease,
			"lend so many `frames` to a thread at once at most: its answer is the longest message that is taken of a connection")
		f.IntVar(&c.sendBuffer, "send-buffer", hub.DefaultSendBuffer, "have the kernel hold at most so many `bytes` for a "+
			"connection that are under way to it; they take twice the memory")
		f.IntVar(&c.streams.Clients, "max-streams", 1000,
			"send so many `streams` to terminals at once, beside the connections; 0 for none")
		f.IntVar(&c.streams.PerAddress, "max-streams-per-address", 20,
			"send so many of these `streams` at once to one address")
		f.DurationVar(&c.headerTimeout, "header-timeout", 5*time.Second,
			"the longest that a request, or the start of TLS, may take to arrive")
		f.DurationVar(&c.timeouts.Hello, "hello-timeout", 5*time.Second,
			"the longest that a connection may take to say hello")
		f.DurationVar(&c.timeouts.Message, "message-timeout", 2*time.Second,
			"the longest that a message may take to arrive once it has begun")
		f.DurationVar(&c.timeouts.Write, "write-timeout", 10*time.Second,
			"the longest that a connection or stream may take to let a message leave")
	})
	all.group("Several servers", func(f *flag.FlagSet) {
		f.Var(&c.nats, "nats", "render together with the servers that meet at these comma-separated `URLs` of NATS servers, as in "+
			"tls://user:password@nats.example.com:4222; empty for alone")
		f.StringVar(&c.natsCredentials, "nats-credentials", "", "show NATS the credentials in this `file`")
		f.StringVar(&c.natsCA, "nats-ca", "", "trust the authorities in this PEM `file` to vouch for NATS; empty for the system's")
		f.StringVar(&c.serverName, "server-name", "", "be called by this `name` among the others; empty for the host's")
	})
	all.group("Logs", func(f *flag.FlagSet) {
		f.TextVar(&c.logLevel, "log-level", slog.LevelInfo, "log from this `level` on: debug, info, warn or error")
		f.Var(&parsed{parse: c.setLogFormat, text: "text"}, "log-format", "log in this `format`: text or json")
		f.BoolVar(&c.logAddresses, "log-addresses", false,
			"log clients' addresses whole; else only the IPv4 /24 or IPv6 /48 that they are of")
	})
	all.group("Shutdown and other things", func(f *flag.FlagSet) {
		f.DurationVar(&c.drain, "drain", 5*time.Second, "take at most this long to shut down")
		f.DurationVar(&c.drainDelay, "drain-delay", 0, "of that spend this long unready, and else as ever, so that balancers "+
			"send nobody any more when everybody is said goodbye to")
		f.IntVar(&c.returns, "returns-per-second", 500,
			"ask so many `tabs` back a second, each at a moment of its own, when they are said goodbye to")
		f.StringVar(&c.dev, "dev", "", "serve the page from this `folder`, as in web/static, and have no browser keep it")
		f.BoolVar(&c.version, versionFlag, false, "print the version of the program and of its module, and exit")
	})
	c.rig.define(all)
	return all
}

// parseConfig reads the command line and the environment, whose entries are as in os.Environ. The error is flag.ErrHelp
// after -h, when the help has been written to output, and else says which setting has which value, and what was wanted.
// Where -version is given nothing else counts.
func parseConfig(args, environment []string, output io.Writer) (config, error) {
	var c config
	flags := define(&c)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.help(output)
		}
		return config{}, err
	}
	if flags.NArg() > 0 {
		return config{}, fmt.Errorf("unexpected argument %q; see -h", flags.Arg(0))
	}
	if c.version {
		return c, nil
	}
	if err := c.applyEnvironment(flags.FlagSet, environment); err != nil {
		return config{}, err
	}
	flags.VisitAll(func(f *flag.Flag) {
		if f.Name != versionFlag {
			c.effective = append(c.effective, slog.String(strings.ReplaceAll(f.Name, "-", "_"), f.Value.String()))
		}
	})
	c.streams.JoinsPerAddress = c.limits.JoinsPerAddress
	return c, c.validate()
}

// applyEnvironment sets the flags that the command line left alone, and notes the variables that belong to none.
func (c *config) applyEnvironment(flags *flag.FlagSet, environment []string) (err error) {
	values := make(map[string]string)
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
		if strings.HasPrefix(name, prefix) {
			c.unknown = append(c.unknown, name)
		}
	}
	slices.Sort(c.unknown)
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	flags.VisitAll(func(f *flag.Flag) {
		if f.Name == versionFlag {
			return
		}
		name := variable(f.Name)
		c.unknown = slices.DeleteFunc(c.unknown, func(unknown string) bool { return unknown == name })
		value := values[name]
		if port := values["PORT"]; f.Name == "addr" && value == "" && port != "" {
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

func (c *config) setProxies(list string) (err error) {
	c.proxies, err = gate.ParseProxies(list)
	return err
}

func (c *config) setOrigins(list string) error {
	c.origins = nil
	for pattern := range strings.SplitSeq(list, ",") {
		if pattern = strings.TrimSpace(pattern); pattern == "" {
			continue
		}
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("pattern %q: %w", pattern, err)
		}
		c.origins = append(c.origins, pattern)
	}
	return nil
}

func (c *config) setLogFormat(format string) error {
	if format != "text" && format != "json" {
		return errors.New("want text or json")
	}
	c.logJSON = format == "json"
	return nil
}

func (c config) validate() error {
	if _, _, err := net.SplitHostPort(c.addr); err != nil {
		return fmt.Errorf("invalid -addr: got %q, want host:port: %w", c.addr, err)
	}
	if _, _, err := net.SplitHostPort(c.adminAddr); c.adminAddr != "" && err != nil {
		return fmt.Errorf("invalid -admin-addr: got %q, want host:port or nothing: %w", c.adminAddr, err)
	}
	switch {
	case (c.tlsCert == "") != (c.tlsKey == ""):
		return fmt.Errorf("invalid -tls-cert and -tls-key: got %q and %q, want both or neither", c.tlsCert, c.tlsKey)
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
		return fmt.Errorf("invalid -joins-per-address: got %v, want %v to %v",
			c.limits.JoinsPerAddress, gate.MinJoins, gate.MaxJoins)
	case c.messages < hub.MinMessages || c.messages > hub.MaxMessages:
		return fmt.Errorf("invalid -messages-per-connection: got %d, want %d to %d",
			c.messages, hub.MinMessages, hub.MaxMessages)
	case c.maxLease < orchestrator.MinLease || c.maxLease > orchestrator.MaxLease:
		return fmt.Errorf("invalid -max-lease: got %d, want %d to %d", c.maxLease, orchestrator.MinLease, orchestrator.MaxLease)
	case c.sendBuffer < hub.MinSendBuffer || c.sendBuffer > hub.MaxSendBuffer:
		return fmt.Errorf("invalid -send-buffer: got %d, want %d to %d", c.sendBuffer, hub.MinSendBuffer, hub.MaxSendBuffer)
	case c.streams.Clients < 0:
		return fmt.Errorf("invalid -max-streams: got %d, want 0 or more", c.streams.Clients)
	case c.streams.PerAddress < 1:
		return fmt.Errorf("invalid -max-streams-per-address: got %d, want at least 1", c.streams.PerAddress)
	}
	for _, d := range []struct {
		flag string
		got  time.Duration
	}{
		{"header-timeout", c.headerTimeout}, {"hello-timeout", c.timeouts.Hello}, {"message-timeout", c.timeouts.Message},
		{"write-timeout", c.timeouts.Write}, {"drain", c.drain},
	} {
		if d.got <= 0 {
			return fmt.Errorf("invalid -%s: got %v, want more than 0s", d.flag, d.got)
		}
	}
	switch {
	case c.drainDelay < 0 || c.drainDelay >= c.drain:
		return fmt.Errorf("invalid -drain-delay: got %v, want 0s or more, and less than -drain", c.drainDelay)
	case c.returns < 1:
		return fmt.Errorf("invalid -returns-per-second: got %d, want at least 1", c.returns)
	}
	if c.dev != "" {
		if _, err := pageIn(c.dev); err != nil {
			return fmt.Errorf("invalid -dev: %w", err)
		}
	}
	return nil
}
