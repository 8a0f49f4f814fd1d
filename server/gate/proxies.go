package gate

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// ForwardedFor is the header, in its canonical form, in which each proxy appends the address that a request came from.
const ForwardedFor = "X-Forwarded-For"

const (
	// maxHops is how many proxies a request may have passed, and maxHop how many bytes an entry of the header may have,
	// with the space around it. The longest address in brackets with a port has 53. So a header is looked at for
	// microseconds, however long it is.
	maxHops = 32
	maxHop  = 64
)

var (
	// ErrStranger is the error for a header of a peer whose word is not taken.
	ErrStranger = errors.New("gate: " + ForwardedFor + " of a peer that is no trusted proxy")
	// ErrForwarded is the error for a trusted proxy that does not say whom it speaks for, or not so that it can be read.
	ErrForwarded = errors.New("gate: unusable " + ForwardedFor + " of a trusted proxy")
)

// Proxies are the addresses whose word is taken for where a request comes from. The zero value is nobody. They are
// immutable.
type Proxies []netip.Prefix

// ParseProxies parses comma-separated addresses and CIDR prefixes. IPv4 that is mapped into IPv6 is IPv4. A prefix with
// bits behind its length is refused, since it is not clear what was meant. The error says what was got and wanted.
func ParseProxies(list string) (Proxies, error) {
	var p Proxies
	for entry := range strings.SplitSeq(list, ",") {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		prefix, err := parseProxy(entry)
		if err != nil {
			return nil, err
		}
		p = append(p, prefix)
	}
	return p, nil
}

func parseProxy(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("got %q, want an address, as in 192.0.2.1, or a prefix, as in 10.0.0.0/8", s)
	}
	if masked := prefix.Masked(); prefix != masked {
		return netip.Prefix{}, fmt.Errorf("got prefix %q, want %v, or the address alone", s, masked)
	}
	if addr := prefix.Addr(); addr.Is4In6() {
		return netip.PrefixFrom(addr.Unmap(), prefix.Bits()-(128-32)), nil
	}
	return prefix, nil
}

// Client returns the address that counts for a request: that of the peer at the other end of the connection, or, where
// that is a trusted proxy, one from the lines of the request's ForwardedFor header. It is the rightmost that is no trusted
// proxy's, since what is left of it may be anybody's invention, and the leftmost where all are. Ports and zones are
// dropped, which mean nothing on another machine, and mapped IPv4 is IPv4.
//
// The error says why a header was not heeded, or that there is none where there should be, and wraps ErrStranger or
// ErrForwarded. The address is the peer's then.
func (p Proxies) Client(peer netip.Addr, header []string) (netip.Addr, error) {
	peer = plain(peer)
	if !p.Includes(peer) {
		if len(header) > 0 {
			return peer, ErrStranger
		}
		return peer, nil
	}
	var leftmost netip.Addr
	hops := 0
	for _, line := range slices.Backward(header) {
		for more := true; more; hops++ {
			if hops == maxHops {
				return peer, fmt.Errorf("%w: got more than %d trusted hops", ErrForwarded, maxHops)
			}
			var hop string
			hop, line, more = cutLast(line)
			addr, err := parseHop(hop)
			if err != nil {
				return peer, err
			}
			if !p.Includes(addr) {
				return addr, nil
			}
			leftmost = addr
		}
	}
	if hops == 0 {
		return peer, fmt.Errorf("%w: got none", ErrForwarded)
	}
	return leftmost, nil
}

// cutLast cuts the last entry from a line. One that is too long is returned in part, and still too long.
func cutLast(line string) (last, rest string, more bool) {
	start := max(0, len(line)-maxHop-1)
	if i := strings.LastIndexByte(line[start:], ','); i >= 0 {
		return line[start+i+1:], line[:start+i], true
	}
	return line[start:], "", false
}

func parseHop(s string) (netip.Addr, error) {
	if len(s) > maxHop {
		return netip.Addr{}, fmt.Errorf("%w: got an entry that ends in %q, want at most %d bytes", ErrForwarded, s, maxHop)
	}
	s = strings.Trim(s, " \t")
	if addr, err := netip.ParseAddr(s); err == nil {
		return plain(addr), nil
	}
	if port, err := netip.ParseAddrPort(s); err == nil {
		return plain(port.Addr()), nil
	}
	if inner, ok := strings.CutPrefix(s, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		if addr, err := netip.ParseAddr(inner); ok && err == nil && addr.Is6() {
			return plain(addr), nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%w: got entry %q, want an address", ErrForwarded, s)
}

// plain returns an address as it is compared.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// Includes reports whether an address is a proxy's.
func (p Proxies) Includes(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}
