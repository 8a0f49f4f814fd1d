package main

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func TestAddressesAreShortened(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.77":           "192.0.2.0/24",
		"::ffff:192.0.2.77":    "192.0.2.0/24",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1::/48",
		"fe80::1%eth0":         "fe80::/48",
		"::1":                  "::/48",
		"read tcp 127.0.0.1:80->192.0.2.77:4711: EOF":    "read tcp 127.0.0.0/24:80->192.0.2.0/24:4711: EOF",
		"error from [2001:db8:1:2::3]:443: remote error": "error from [2001:db8:1::/48]:443: remote error",
		"from:192.0.2.77":                                     "from:192.0.2.0/24",
		"from 2001:db8:1:2::3: gone":                          "from 2001:db8:1::/48: gone",
		"at 12:30:59, frame 1234567890, go1.26.1 got 10.20.3": "at 12:30:59, frame 1234567890, go1.26.1 got 10.20.3",
		"1.2.3.4.5": "1.2.3.0/24.5",
		"999.1.1.1": "999.1.1.1",
	} {
		if got := shortenIn(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
		if addr, err := netip.ParseAddr(text); err == nil && shorten(addr) != want {
			t.Errorf("%v became %q, want %q", addr, shorten(addr), want)
		}
	}
	if got := shorten(netip.Addr{}); got != "invalid IP" {
		t.Errorf("no address became %q", got)
	}
}

func TestLogShortensAddressesUnlessAskedFor(t *testing.T) {
	const secret = "192.0.2.77"
	client := &net.TCPAddr{IP: net.ParseIP(secret), Port: 4711}
	for name, args := range map[string][]string{
		"text": {}, "json": {"-log-format", "json"},
		"whole": {"-log-addresses"}, "whole json": {"-log-addresses", "-log-format", "json"},
	} {
		cfg, err := parseConfig(append(args, "-log-level", "debug"), nil, new(bytes.Buffer))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		log := newLogger(cfg, &out)
		log.Info("listening", "addr", "192.0.2.1:80")
		log.Warn("evicted", "addr", netip.MustParseAddr(secret))
		log = log.With("peer", netip.MustParseAddr(secret))
		log.Debug("left", "err", &net.OpError{Op: "read", Addr: client, Err: errors.New("reset")})
		newServer(nil, config{}, log).ErrorLog.Printf("http: TLS handshake error from %v: EOF", client)
		shown, want := strings.Count(out.String(), secret), 0 // With shows it in the lines that follow
		if cfg.logAddresses {
			want = 5
		}
		if shown != want {
			t.Errorf("%s: the address is shown %d times, want %d:\n%s", name, shown, want, &out)
		}
		if shortened := strings.Count(out.String(), "192.0.2.0/24"); shortened != 5-want {
			t.Errorf("%s: the address is shortened %d times, want %d:\n%s", name, shortened, 5-want, &out)
		}
		if !strings.Contains(out.String(), "192.0.2.1:80") {
			t.Errorf("%s: our own address is shortened:\n%s", name, &out)
		}
	}
}
