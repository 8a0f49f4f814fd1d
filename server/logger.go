package main

import (
	"io"
	"log"
	"log/slog"
	"net/netip"
	"regexp"
	"strings"
)

// newLogger returns the program's log, where addresses of clients are shortened unless they are asked for.
func newLogger(cfg config, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.logLevel}
	if !cfg.logAddresses {
		options.ReplaceAttr = shortenAttr
	}
	if cfg.logJSON {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// errorLog is for net/http, whose lines are about clients. They are passed on as errors are.
func errorLog(to *slog.Logger) *log.Logger { return log.New(complaints{to}, "", 0) }

// complaints logs what is written to it.
type complaints struct{ log *slog.Logger }

// Write implements io.Writer.
func (c complaints) Write(line []byte) (int, error) {
	c.log.Debug("net/http", "err", complaint(strings.TrimSuffix(string(line), "\n")))
	return len(line), nil
}

// A complaint is an error of which only the text is known.
type complaint string

func (c complaint) Error() string { return string(c) }

// shortenAttr shortens the addresses in addresses and errors. Text is left as it is: it says which addresses are ours.
func shortenAttr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case netip.Addr:
		a.Value = slog.StringValue(shorten(v))
	case error:
		a.Value = slog.StringValue(shortenIn(v.Error()))
	}
	return a
}

// shorten returns the network that an address is of, which tells apart those who have trouble, and nobody's household:
// the IPv4 /24, or the IPv6 /48.
func shorten(addr netip.Addr) string {
	addr = addr.Unmap()
	bits := 48
	if addr.Is4() {
		bits = 24
	}
	if !addr.IsValid() {
		return addr.String()
	}
	network, _ := addr.Prefix(bits) // it has that many; the zone goes
	return network.String()
}

// addresses is what may be one in a text.
var addresses = regexp.MustCompile(
	`(?i)(?:::ffff:)?[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?:%[0-9a-z._~-]+)?`)

// shortenIn shortens the addresses in a text.
func shortenIn(text string) string {
	return addresses.ReplaceAllStringFunc(text, func(found string) string {
		for _, end := range []string{"", ":"} { // one of IPv6 may be followed by a colon
			if addr, err := netip.ParseAddr(strings.TrimSuffix(found, end)); err == nil {
				return shorten(addr) + found[len(strings.TrimSuffix(found, end)):]
			}
		}
		return found
	})
}
