// Package gate says who may come in: which address a connection comes from, and whether there is room for it. It knows no
// socket, and time is an argument.
//
// Identities are free, so what is counted is addresses: an IPv4 address, or an IPv6 /64; see trust.Origin. The table of
// them is bounded. One with connections is never forgotten, and there are no more of those than connections are allowed.
// One without is kept only for the joins that still count against it, and forgotten once there are none, or when
// maxIdle others have left after it. That gives it a fresh start in joins a second, and none in connections at once.
package gate

import (
	"container/list"
	"math"
	"net/netip"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
)

const (
	// saved is how long an address saves up joins: so many may come at once.
	saved = 10 * time.Second
	// goodbyesPerSecond is how many of those who are turned away are told why, and goodbyesAtOnce how many at once. An
	// upgrade and a goodbye cost several times what a plain answer costs.
	goodbyesPerSecond = 20
	goodbyesAtOnce    = 100
	// maxIdle is how many addresses without connections are remembered: some 3 MB.
	maxIdle = 16_384
)

// A Refusal says why a connection is not let in.
type Refusal uint8

// The refusals.
const (
	// Admitted: it is let in.
	Admitted Refusal = iota
	// Full: there are as many connections as are allowed.
	Full
	// Address: there are as many from its address.
	Address
	// Rate: its address opens them too quickly.
	Rate

	refusalEnd
)

// Refusals are all reasons to refuse somebody.
var Refusals = [...]Refusal{Full, Address, Rate}

var refusalNames = [refusalEnd]string{Admitted: "admitted", Full: "full", Address: "address", Rate: "rate"}

// String returns the refusal in lower case, as in metrics.
func (r Refusal) String() string { return refusalNames[r] }

// Limits say how much room there is.
type Limits struct {
	// Clients is how many connections there may be at once, 1 or more.
	Clients int
	// PerAddress is how many of them from one address, 1 or more.
	PerAddress int
	// JoinsPerAddress is how many connections an address may open a second, MinJoins to MaxJoins. What it does not use
	// it saves up for ten seconds.
	JoinsPerAddress float64
}

// The range of Limits.JoinsPerAddress.
const (
	MinJoins = 0.01
	MaxJoins = 10_000
)

// A Gate keeps count of who is here. It is not safe for concurrent use. The instants that it is given must not go back.
type Gate struct {
	limits  Limits
	joins   rate
	maxIdle int

	goodbyes *Ration
	here     int
	origins  map[netip.Prefix]*origin
	idle     *list.List // of origins without connections; the first has been so for longest
}

// An origin is an address with connections, or with joins that still count.
type origin struct {
	prefix netip.Prefix
	here   int
	joins  bucket
	idle   *list.Element // in Gate.idle; nil while there are connections
}

// New returns a gate that nobody has passed.
func New(l Limits) *Gate {
	return &Gate{
		limits: l, joins: newRate(l.JoinsPerAddress, saved), maxIdle: maxIdle,
		goodbyes: NewRation(goodbyesPerSecond, goodbyesAtOnce), origins: make(map[netip.Prefix]*origin), idle: list.New(),
	}
}

// Admit lets a connection in, unless it returns why not. Whoever was let in must Leave. 127.0.0.1 and ::1 may be a
// developer's tabs or a proxy that nobody named, so that they are refused only where it is full.
func (g *Gate) Admit(now timeline.Instant, addr netip.Addr) Refusal {
	if g.here >= g.limits.Clients {
		return Full
	}
	if trust.Local(addr) {
		g.here++
		return Admitted
	}
	g.expire(now)
	prefix := trust.Origin(addr)
	o, known := g.origins[prefix]
	if !known {
		o = &origin{prefix: prefix}
	}
	switch {
	case o.here >= g.limits.PerAddress:
		return Address
	case !g.joins.take(&o.joins, now):
		return Rate
	}
	if !known {
		g.origins[prefix] = o
	}
	if o.idle != nil {
		g.idle.Remove(o.idle)
		o.idle = nil
	}
	o.here++
	g.here++
	return Admitted
}

// Leave notes that a connection has ended that was let in from addr.
func (g *Gate) Leave(addr netip.Addr) {
	g.here--
	if trust.Local(addr) {
		return
	}
	o := g.origins[trust.Origin(addr)]
	if o.here--; o.here > 0 {
		return
	}
	o.idle = g.idle.PushBack(o)
	if g.idle.Len() > g.maxIdle {
		g.forget(g.idle.Front())
	}
}

// Goodbye reports whether somebody who is turned away may be told why at the cost of an upgrade. Where it may not, a
// plain answer has to do.
func (g *Gate) Goodbye(now timeline.Instant) bool { return g.goodbyes.Take(now) }

// expire forgets those in front whose joins count no more. Each join leaves at most one behind, so two at a time is
// enough to get ahead of them.
func (g *Gate) expire(now timeline.Instant) {
	for range 2 {
		first := g.idle.Front()
		if first == nil || first.Value.(*origin).joins.full > now {
			return
		}
		g.forget(first)
	}
}

func (g *Gate) forget(e *list.Element) {
	delete(g.origins, g.idle.Remove(e).(*origin).prefix)
}

// A Ration says how often something may be done, whoever it is for. It is not safe for concurrent use.
type Ration struct {
	rate   rate
	bucket bucket
}

// NewRation returns a ration of so many a second, of which what is not used is saved up to so many at once; both are 1 or
// more.
func NewRation(perSecond, atOnce int) *Ration {
	return &Ration{rate: newRate(float64(perSecond), time.Duration(atOnce)*time.Second/time.Duration(perSecond))}
}

// Take takes one of the ration, and reports whether there was one. The instants that it is given must not go back.
func (r *Ration) Take(now timeline.Instant) bool { return r.rate.take(&r.bucket, now) }

// A rate says how token buckets fill: by one token an interval, up to as many as fit into span.
type rate struct{ interval, span time.Duration }

func newRate(perSecond float64, span time.Duration) rate {
	interval := time.Duration(math.Round(1e6/perSecond)) * time.Microsecond // as exact as instants are
	return rate{interval, max(span, interval)}
}

// A bucket of tokens. The zero value is full.
type bucket struct{ full timeline.Instant } // when it is, or was, full

// take takes a token, and reports whether there was one.
func (r rate) take(b *bucket, now timeline.Instant) bool {
	full := max(b.full, now).Add(r.interval)
	if full.Sub(now) > r.span {
		return false
	}
	b.full = full
	return true
}
