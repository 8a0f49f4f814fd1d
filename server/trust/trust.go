// Package trust decides who may render. It is pure: time is an argument.
//
// An audit renders a frame once more with the same module, and compares. The check is exact to the bit, so it has no
// false alarm, and one wrong cell is proof of forgery: a strike. A strike shuts the address out from rendering, for
// longer each time. Nothing else is a strike.
package trust

import (
	"net/netip"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

const (
	// firstBan is how long an address may not render after its first strike; each further one makes it banGrowth times
	// as long, up to maxBan.
	firstBan  = 15 * time.Minute
	banGrowth = 4
	maxBan    = 24 * time.Hour
	// maxBans is how many addresses are remembered. Beyond that the ban that ends first is forgotten.
	maxBans = 10_000
)

// A Book remembers who forged. It is not safe for concurrent use. The instants that it is given must not go back.
type Book struct {
	bans map[netip.Prefix]ban
}

type ban struct {
	until   timeline.Instant
	strikes int
}

// NewBook returns a book without entries.
func NewBook() *Book { return &Book{bans: make(map[netip.Prefix]ban)} }

// Origin returns the unit by which addresses are held responsible: an IPv4 address itself, or an IPv6 /64, which one
// customer commonly gets whole.
func Origin(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap().WithZone("")
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	p, err := addr.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // of the invalid address, which is one origin of its own
	}
	return p
}

// local reports whether an address stands for a developer's own tabs, or for a proxy that nobody named: strangers and
// friends alike, so that banning it would punish all for one.
func local(addr netip.Addr) bool {
	addr = addr.Unmap()
	return addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || addr == netip.IPv6Loopback()
}

// MayRender reports whether connections from addr may be lent to. Watching is everybody's right.
func (b *Book) MayRender(now timeline.Instant, addr netip.Addr) bool {
	entry, ok := b.bans[Origin(addr)]
	return !ok || now >= entry.until
}

// Strike notes a proven forgery from addr, and returns for how long it may not render: 0 for 127.0.0.1 and ::1, of
// which only the connection is to be closed.
func (b *Book) Strike(now timeline.Instant, addr netip.Addr) time.Duration {
	if local(addr) {
		return 0
	}
	origin := Origin(addr)
	entry := b.bans[origin]
	length := firstBan
	for range min(entry.strikes, 8) {
		length = min(maxBan, length*banGrowth)
	}
	if entry.strikes == 0 && len(b.bans) >= maxBans {
		b.forget()
	}
	b.bans[origin] = ban{until: now.Add(length), strikes: entry.strikes + 1}
	return length
}

// forget removes the entry whose ban ends first.
func (b *Book) forget() {
	var first netip.Prefix
	until := timeline.Forever
	for origin, entry := range b.bans {
		if entry.until < until {
			first, until = origin, entry.until
		}
	}
	delete(b.bans, first)
}
