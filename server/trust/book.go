package trust

import (
	"container/heap"
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
	bans map[netip.Prefix]*ban
	ends ending // the same bans
}

type ban struct {
	origin  netip.Prefix
	until   timeline.Instant
	strikes int
	index   int // in Book.ends
}

// NewBook returns a book without entries.
func NewBook() *Book { return &Book{bans: make(map[netip.Prefix]*ban)} }

// Origin returns the unit by which addresses are held responsible: an IPv4 address itself, or an IPv6 /64, which one
// customer commonly gets whole.
func Origin(addr netip.Addr) netip.Prefix {
	addr = addr.Unmap()
	bits := 32
	if addr.Is6() {
		bits = 64
	}
	// It has that many, so there is no error; the zone goes. The invalid address has none: an origin of its own.
	p, _ := addr.Prefix(bits)
	return p
}

// Local reports whether an address stands for a developer's own tabs, or for a proxy that nobody named: strangers and
// friends alike, so that banning it would punish all for one.
func Local(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return addr == netip.AddrFrom4([4]byte{127, 0, 0, 1}) || addr == netip.IPv6Loopback()
}

// MayRender reports whether connections from addr may be lent to. Watching is everybody's right.
func (b *Book) MayRender(now timeline.Instant, addr netip.Addr) bool {
	entry, ok := b.bans[Origin(addr)]
	return !ok || now >= entry.until || Local(addr)
}

// Strike notes a proven forgery from addr, and returns for how long it may not render: 0 for 127.0.0.1 and ::1, of
// which only the connection is to be closed.
func (b *Book) Strike(now timeline.Instant, addr netip.Addr) time.Duration {
	if Local(addr) {
		return 0
	}
	entry, ok := b.bans[Origin(addr)]
	if !ok {
		entry = b.open(Origin(addr))
	}
	length := sentence(entry.strikes)
	entry.strikes++
	entry.until = now.Add(length)
	heap.Fix(&b.ends, entry.index)
	return length
}

// sentence is how long a ban lasts after so many earlier strikes.
func sentence(strikes int) time.Duration {
	length := firstBan
	for ; strikes > 0 && length < maxBan; strikes-- {
		length *= banGrowth
	}
	return min(length, maxBan)
}

// open adds an entry, and forgets the one whose ban ends first where there are too many.
func (b *Book) open(origin netip.Prefix) *ban {
	if len(b.bans) >= maxBans {
		delete(b.bans, heap.Pop(&b.ends).(*ban).origin)
	}
	entry := &ban{origin: origin}
	b.bans[origin] = entry
	heap.Push(&b.ends, entry)
	return entry
}

// An ending is a heap of bans; the first one ends first.
type ending []*ban

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (e ending) Len() int { return len(e) }

func (e ending) Less(i, j int) bool { return e[i].until < e[j].until }

func (e ending) Swap(i, j int) {
	e[i], e[j] = e[j], e[i]
	e[i].index, e[j].index = i, j
}

func (e *ending) Push(x any) {
	entry := x.(*ban)
	entry.index = len(*e)
	*e = append(*e, entry)
}

func (e *ending) Pop() any {
	last := len(*e) - 1
	entry := (*e)[last]
	(*e)[last] = nil
	*e = (*e)[:last]
	return entry
}
