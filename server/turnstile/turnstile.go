// Package turnstile bounds the connections of an HTTP server on which there is no socket: those that have sent nothing
// yet, that wait for another request, and that are being answered. Sockets are counted by whoever takes them over, and
// leave the turnstile as they do.
//
// Over a limit, who has waited longest without asking for anything makes room for who comes: a browser whose idle
// connection is closed opens another, and a crowd that opens connections and says nothing pushes out itself. Who is
// being answered is never disturbed; where all are, who comes is closed at once.
package turnstile

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"

	"github.com/distributed-donut/donut/server/trust"
)

// Limits say how many connections there may be at once.
type Limits struct {
	Connections int // 1 or more
	PerAddress  int // of these from one IPv4 address or IPv6 /64, 1 or more
	// Exempt reports whether an address speaks for many, so that PerAddress does not hold for it; nil is for none. For
	// 127.0.0.1 and ::1 it never does. It is called for one connection after the other.
	Exempt func(netip.Addr) bool
}

// Stats are what a listener counts.
type Stats struct {
	Open int // connections without a socket, now
	// Dropped are those that were closed for one of the limits, by which one: they waited, or had just come.
	Dropped map[string]uint64
}

// The reasons of Stats.Dropped.
const (
	full    = "full"
	address = "address"
)

// A Listener closes what is over the limits. Its Accept is for http.Server.Serve, and its ConnState for the field of
// http.Server that is called so. It may be used concurrently.
type Listener struct {
	net.Listener
	limits Limits

	mu      sync.Mutex
	guests  map[net.Conn]*guest
	origins map[netip.Prefix]*origin // of guests whose address counts
	waiting *list.List               // of *guest; the first has waited for longest
	dropped map[string]uint64
}

// A guest is a connection. It waits unless it is being answered.
type guest struct {
	conn   net.Conn
	prefix netip.Prefix
	origin *origin // nil where the address does not count

	inAll, inOrigin *list.Element // in both lists of who waits; nil while it does not
}

// An origin is an address with guests.
type origin struct {
	guests  int
	waiting *list.List // of *guest, as in Listener
}

// New returns a listener for which another one listens.
func New(l net.Listener, limits Limits) *Listener {
	return &Listener{
		Listener: l, limits: limits, guests: make(map[net.Conn]*guest), origins: make(map[netip.Prefix]*origin),
		waiting: list.New(), dropped: map[string]uint64{full: 0, address: 0},
	}
}

// Accept implements net.Listener: it returns the next connection for which there is room.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		over := l.admit(c)
		if over != nil {
			over.Close()
		}
		if over != c {
			return c, nil
		}
	}
}

// ConnState follows a connection that Accept returned, or TLS on top of one.
func (l *Listener) ConnState(c net.Conn, state http.ConnState) {
	if above, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = above.NetConn()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	g, ok := l.guests[c]
	if !ok {
		return // it was closed for another one
	}
	switch state {
	case http.StateActive:
		l.unqueue(g)
	case http.StateIdle:
		l.queue(g)
	case http.StateHijacked, http.StateClosed:
		l.remove(g)
	}
}

// Stats returns what has been counted.
func (l *Listener) Stats() Stats {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := Stats{Open: len(l.guests), Dropped: make(map[string]uint64)}
	for reason, n := range l.dropped {
		s.Dropped[reason] = n
	}
	return s
}

// admit counts a connection. It returns what is to be closed for it, if anything: one that is no guest any more, or the
// connection itself.
func (l *Listener) admit(c net.Conn) (over net.Conn) {
	g := &guest{conn: c}
	if addr, ok := l.counted(c); ok {
		g.prefix = trust.Origin(addr)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.origins[g.prefix]
	switch {
	case known != nil && known.guests >= l.limits.PerAddress:
		over = l.drop(known.waiting, address)
	case len(l.guests) >= l.limits.Connections:
		over = l.drop(l.waiting, full)
	default:
		l.add(g)
		return nil
	}
	if over == nil {
		return c
	}
	l.add(g)
	return over
}

// counted returns the address that a connection counts for, if it does for any.
func (l *Listener) counted(c net.Conn) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}, false
	}
	addr := peer.Addr().Unmap()
	return addr, !trust.Local(addr) && (l.limits.Exempt == nil || !l.limits.Exempt(addr))
}

// drop counts that a limit was reached, and removes the guest that has waited longest of those who wait. It returns its
// connection, nil where nobody waits.
func (l *Listener) drop(waiting *list.List, reason string) net.Conn {
	l.dropped[reason]++
	longest := waiting.Front()
	if longest == nil {
		return nil
	}
	g := longest.Value.(*guest)
	l.remove(g)
	return g.conn
}

func (l *Listener) add(g *guest) {
	l.guests[g.conn] = g
	if g.prefix.IsValid() {
		if g.origin = l.origins[g.prefix]; g.origin == nil {
			g.origin = &origin{waiting: list.New()}
			l.origins[g.prefix] = g.origin
		}
		g.origin.guests++
	}
	l.queue(g)
}

func (l *Listener) remove(g *guest) {
	l.unqueue(g)
	delete(l.guests, g.conn)
	if g.origin == nil {
		return
	}
	if g.origin.guests--; g.origin.guests == 0 {
		delete(l.origins, g.prefix)
	}
}

// queue notes that a guest waits from now on.
func (l *Listener) queue(g *guest) {
	g.inAll = l.waiting.PushBack(g)
	if g.origin != nil {
		g.inOrigin = g.origin.waiting.PushBack(g)
	}
}

// unqueue notes that a guest does not wait, or no more.
func (l *Listener) unqueue(g *guest) {
	if g.inAll == nil {
		return
	}
	l.waiting.Remove(g.inAll)
	if g.origin != nil {
		g.origin.waiting.Remove(g.inOrigin)
	}
	g.inAll, g.inOrigin = nil, nil
}
