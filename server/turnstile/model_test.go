package turnstile

import (
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"

	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/tools/seeds"
)

// A stub is a connection from somewhere.
type stub struct {
	net.Conn // nil: it is never used
	from     net.Addr
	waits    bool // in the model
}

func (s *stub) RemoteAddr() net.Addr { return s.from }

// A model is what a listener should do, in the plainest way: all that are open, those that wait in the order in which
// they began to.
type model struct {
	limits Limits
	open   []*stub
}

// admit returns what is to be closed for c.
func (m *model) admit(c *stub) *stub {
	origin := func(s *stub) netip.Prefix { return trust.Origin(s.from.(*net.TCPAddr).AddrPort().Addr()) }
	same := func(s *stub) bool { return origin(s) == origin(c) }
	var mates int
	for _, s := range m.open {
		if same(s) {
			mates++
		}
	}
	over := (*stub)(nil)
	switch {
	case mates >= m.limits.PerAddress:
		over = m.longest(c, same)
	case len(m.open) >= m.limits.Connections:
		over = m.longest(c, func(*stub) bool { return true })
	}
	if over != c {
		m.leave(over)
		c.waits = true
		m.open = append(m.open, c)
	}
	return over
}

// longest returns who waits first of some, or else c.
func (m *model) longest(c *stub, of func(*stub) bool) *stub {
	for _, s := range m.open {
		if s.waits && of(s) {
			return s
		}
	}
	return c
}

func (m *model) leave(s *stub) {
	m.open = slices.DeleteFunc(m.open, func(other *stub) bool { return other == s })
}

// TestListenerFollowsTheModel lets connections come, ask, wait and go by chance.
func TestListenerFollowsTheModel(t *testing.T) {
	for seed := range seeds.Count(t, 20) {
		random := rand.New(rand.NewPCG(seed, 0))
		limits := Limits{Connections: 1 + random.IntN(12), PerAddress: 1 + random.IntN(4)}
		l, m := New(nil, limits), &model{limits: limits}
		var all []*stub
		for range 500 {
			if len(all) == 0 || random.IntN(2) == 0 {
				from := netip.AddrFrom4([4]byte{192, 0, 2, byte(random.IntN(5))})
				c := &stub{from: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 1))}
				all = append(all, c)
				want, got := m.admit(c), l.admit(c)
				if (want == nil) != (got == nil) || want != nil && got != net.Conn(want) {
					t.Fatalf("seed %d: closes %v, want %v", seed, got, want)
				}
				continue
			}
			c := all[random.IntN(len(all))]
			here := slices.Contains(m.open, c)
			switch random.IntN(3) {
			case 0:
				c.waits = false
				l.ConnState(c, http.StateActive)
			case 1:
				if !here || c.waits {
					continue // net/http has nothing idle that was not active
				}
				m.leave(c)
				m.open = append(m.open, c)
				c.waits = true
				l.ConnState(c, http.StateIdle)
			default:
				m.leave(c)
				l.ConnState(c, []http.ConnState{http.StateClosed, http.StateHijacked}[random.IntN(2)])
			}
			if got := l.Stats().Open; got != len(m.open) {
				t.Fatalf("seed %d: %d are open, want %d", seed, got, len(m.open))
			}
		}
		for _, c := range m.open {
			l.ConnState(c, http.StateClosed)
		}
		if len(l.guests) > 0 || len(l.origins) > 0 || l.waiting.Len() > 0 {
			t.Errorf("seed %d: %d connections, %d addresses and %d who wait are left when nobody is",
				seed, len(l.guests), len(l.origins), l.waiting.Len())
		}
	}
}
