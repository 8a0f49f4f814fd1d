package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/distributed-donut/donut/wasm/wire"
)

// A target is the server's base URL, on this machine.
type target struct{ url.URL }

func parseTarget(s string) (target, error) {
	u, err := url.Parse(s)
	if err != nil {
		return target{}, err
	}
	if u.Scheme != "http" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return target{}, fmt.Errorf("got %q, want http://host:port", s)
	}
	if host := u.Hostname(); host != "localhost" {
		if addr, err := netip.ParseAddr(host); err != nil || !addr.IsLoopback() {
			return target{}, fmt.Errorf("got host %q, want localhost or a loopback address: this is a load generator", host)
		}
	}
	return target{*u}, nil
}

func (t target) endpoint(path string) string { return t.JoinPath(path).String() }

// addresses gives people addresses of their own, so that what the server counts by address is counted for each.
type addresses struct {
	own  bool   // false where the system allows no address but the usual one
	base uint32 // the first one's lower 24 bits
}

// pickAddresses starts at least 65,536 away from 127.0.0.1, and at the same place for the same seed.
func pickAddresses(rng *rand.Rand) addresses {
	const some = 1 << 16
	return addresses{own: true, base: some + rng.Uint32N(1<<24-2*some)}
}

// client returns an HTTP client for person i. It follows no redirect and knows no proxy: neither leads off this machine.
func (a addresses) client(i int) *http.Client {
	var dialer net.Dialer
	if a.own {
		n := a.base + uint32(i)
		dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, byte(n>>16), byte(n>>8), byte(n))}
	}
	return &http.Client{
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask returns an error unless a server is there to take a socket.
func (t target) ask(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, t.endpoint("readyz"), nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	response.Body.Close()
	if response.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("ask: %s: got status %s", request.URL, response.Status)
	}
	return nil
}

// maxModule is the most of a module that is read, in bytes.
const maxModule = 64 << 20

// digest returns the SHA-256 of the module that the server runs and hands to tabs.
func (t target) digest(ctx context.Context, client *http.Client) (wire.Digest, error) {
	fail := func(err error) (wire.Digest, error) { return wire.Digest{}, fmt.Errorf("fetch module: %w", err) }
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, t.endpoint("donut.wasm"), nil)
	if err != nil {
		return fail(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return fail(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fail(fmt.Errorf("%s: got status %s, want 200", request.URL, response.Status))
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.LimitReader(response.Body, maxModule)); err != nil {
		return fail(err)
	}
	return wire.Digest(h.Sum(nil)), nil
}
