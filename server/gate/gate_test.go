package gate

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/tools/seeds"
)

const start = timeline.Instant(1e12)

// addr returns an IPv4 address of its own for each number.
func addr(n int) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, 0x0a000000+uint32(n))))
}

// admit has somebody come, and checks what comes of it.
func admit(t *testing.T, g *Gate, now timeline.Instant, from string, want Refusal) {
	t.Helper()
	if got := g.Admit(now, netip.MustParseAddr(from)); got != want {
		t.Errorf("%s at %v: %v, want %v", from, now.Sub(start), got, want)
	}
}

func TestAddressMayHaveSoManyConnections(t *testing.T) {
	g := New(Limits{Clients: 100, PerAddress: 2, JoinsPerAddress: 10})
	for _, test := range []struct {
		from string
		want Refusal
	}{
		{"192.0.2.1", Admitted}, {"192.0.2.1", Admitted}, {"192.0.2.1", Address}, {"::ffff:192.0.2.1", Address},
		{"192.0.2.2", Admitted},
		{"2001:db8::1", Admitted}, {"2001:db8::2", Admitted}, {"2001:db8::3", Address}, {"2001:db8:0:1::3", Admitted},
	} {
		admit(t, g, start, test.from, test.want)
	}
	g.Leave(netip.MustParseAddr("192.0.2.1"))
	admit(t, g, start, "192.0.2.1", Admitted)
	admit(t, g, start, "192.0.2.1", Address)
}

func TestAddressMayOpenSoManyConnectionsASecond(t *testing.T) {
	g := New(Limits{Clients: 1000, PerAddress: 1000, JoinsPerAddress: 5})
	come := func(now timeline.Instant, from string) (admitted int) {
		for range 200 {
			if g.Admit(now, netip.MustParseAddr(from)) == Admitted {
				g.Leave(netip.MustParseAddr(from)) // which gives nothing back
				admitted++
			}
		}
		return admitted
	}
	for _, test := range []struct {
		at   time.Duration
		from string
		want int
	}{
		{0, "192.0.2.1", 50}, {0, "192.0.2.2", 50}, {199 * time.Millisecond, "192.0.2.1", 0}, {200 * time.Millisecond, "192.0.2.1", 1},
		{3200 * time.Millisecond, "192.0.2.1", 15}, {time.Hour, "192.0.2.1", 50},
	} {
		if got := come(start.Add(test.at), test.from); got != test.want {
			t.Errorf("%d come from %s at %v, want %d", got, test.from, test.at, test.want)
		}
	}
	if got := g.Admit(start.Add(time.Hour), netip.MustParseAddr("192.0.2.1")); got != Rate {
		t.Errorf("who comes too quickly is refused for %v", got)
	}
}

func TestSlowestRateLetsOneInAtATime(t *testing.T) {
	g := New(Limits{Clients: 10, PerAddress: 10, JoinsPerAddress: MinJoins})
	admit(t, g, start, "192.0.2.1", Admitted)
	admit(t, g, start.Add(99*time.Second), "192.0.2.1", Rate)
	admit(t, g, start.Add(100*time.Second), "192.0.2.1", Admitted)
}

func TestFullForEverybody(t *testing.T) {
	g := New(Limits{Clients: 3, PerAddress: 3, JoinsPerAddress: 10})
	for _, from := range []string{"127.0.0.1", "::1", "192.0.2.1"} {
		admit(t, g, start, from, Admitted)
	}
	for _, from := range []string{"127.0.0.1", "192.0.2.1", "192.0.2.2"} {
		admit(t, g, start, from, Full)
	}
	g.Leave(netip.MustParseAddr("127.0.0.1"))
	admit(t, g, start, "192.0.2.2", Admitted)
	admit(t, g, start, "192.0.2.1", Full)
}

// TestExemptAreWhoIsNeverBanned asks package trust whom it never bans.
func TestExemptAreWhoIsNeverBanned(t *testing.T) {
	for _, from := range []string{
		"127.0.0.1", "::1", "::ffff:127.0.0.1", "::1%lo", "127.0.0.2", "127.1.2.3", "::2", "10.0.0.1", "0.0.0.0", "::", "fe80::1%eth0",
	} {
		a := netip.MustParseAddr(from)
		never := trust.NewBook().Strike(start, a) == 0
		g := New(Limits{Clients: 10, PerAddress: 1, JoinsPerAddress: MinJoins})
		g.Admit(start, a)
		if exempt := g.Admit(start, a) == Admitted; exempt != never {
			t.Errorf("%s is exempt: %v, and never banned: %v", from, exempt, never)
		}
	}
}

func TestGoodbyesAreRationed(t *testing.T) {
	g := New(Limits{Clients: 1, PerAddress: 1, JoinsPerAddress: 1})
	said := func(now timeline.Instant) (n int) {
		for range 500 {
			if g.Goodbye(now) {
				n++
			}
		}
		return n
	}
	for _, test := range []struct {
		at   time.Duration
		want int
	}{{0, goodbyesAtOnce}, {0, 0}, {time.Second, goodbyesPerSecond}, {time.Hour, goodbyesAtOnce}} {
		if got := said(start.Add(test.at)); got != test.want {
			t.Errorf("%d goodbyes are said at %v, want %d", got, test.at, test.want)
		}
	}
}

// TestForgetting has more addresses come and go than are remembered.
func TestForgetting(t *testing.T) {
	g := New(Limits{Clients: 10, PerAddress: 2, JoinsPerAddress: 0.1})
	g.maxIdle = 3
	pass := func(now timeline.Instant, n int) {
		t.Helper()
		if got := g.Admit(now, addr(n)); got != Admitted {
			t.Fatalf("address %d at %v: %v", n, now.Sub(start), got)
		}
		g.Leave(addr(n))
	}
	stays := addr(99)
	g.Admit(start, stays)
	for n := range 3 {
		pass(start, n)
	}
	if got := g.Admit(start, addr(0)); got != Rate {
		t.Errorf("who is remembered comes again: %v, want %v", got, Rate)
	}
	pass(start, 3) // the fourth: the first is forgotten
	pass(start, 0)
	if got := len(g.origins); got != 4 {
		t.Errorf("%d addresses are remembered, want 3 and the one that stays", got)
	}
	if got := g.Admit(start.Add(10*time.Second), stays); got != Admitted {
		t.Errorf("the one that stays opens a second connection: %v", got)
	}
	if got := g.Admit(start.Add(time.Hour), stays); got != Address {
		t.Errorf("the one that stays opens a third connection: %v", got)
	}
	for range 3 { // whose joins count no more are forgotten as somebody comes
		pass(start.Add(time.Hour), 50)
		g.joins.interval = 0
	}
	if got := len(g.origins); got != 2 {
		t.Errorf("after an hour %d addresses are remembered, want the one that stays and the one that came", got)
	}
}

// A model is the gate as it is told: it remembers everything for ever.
type model struct {
	limits Limits
	here   []netip.Prefix
	joins  map[netip.Prefix][]timeline.Instant
}

func (m *model) count(p netip.Prefix) (n int) {
	for _, q := range m.here {
		if p == q {
			n++
		}
	}
	return n
}

// token reports whether an origin has one left, by its whole history. A token is as long as it takes to save it up.
func (m *model) token(p netip.Prefix, now timeline.Instant) bool {
	token := time.Duration(1e6/m.limits.JoinsPerAddress) * time.Microsecond
	most := max(10*time.Second, token)
	level, at := most, timeline.Instant(0)
	for _, join := range m.joins[p] {
		level = min(most, level+join.Sub(at)) - token
		at = join
	}
	return min(most, level+now.Sub(at)) >= token
}

// judge says what is to become of somebody who comes.
func (m *model) judge(now timeline.Instant, a netip.Addr) Refusal {
	p := trust.Origin(a)
	exempt := a == netip.MustParseAddr("127.0.0.1")
	switch {
	case len(m.here) == m.limits.Clients:
		return Full
	case !exempt && m.count(p) == m.limits.PerAddress:
		return Address
	case !exempt && !m.token(p, now):
		return Rate
	}
	return Admitted
}

func (m *model) join(now timeline.Instant, a netip.Addr) {
	p := trust.Origin(a)
	m.joins[p] = append(m.joins[p], now)
	m.here = append(m.here, p)
}

// TestFire has a crowd come and go at random, and compares the gate with the model.
func TestFire(t *testing.T) {
	seen := make(map[Refusal]int)
	for seed := range seeds.Count(t, 300) {
		rng := rand.New(rand.NewPCG(seed, 9))
		limits := Limits{
			Clients: 1 + rng.IntN(20), PerAddress: 1 + rng.IntN(6), JoinsPerAddress: []float64{MinJoins, 0.3, 1, 2.5, 50}[rng.IntN(5)],
		}
		g, m := New(limits), &model{limits: limits, joins: make(map[netip.Prefix][]timeline.Instant)}
		forgetful := seed%3 == 0
		if forgetful {
			g.maxIdle = rng.IntN(4)
		}
		addresses := []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		for i := range 1 + rng.IntN(12) {
			addresses = append(addresses, addr(i))
		}
		pace := []time.Duration{0, 10 * time.Millisecond, 300 * time.Millisecond, 5 * time.Second}[rng.IntN(4)]
		now := start
		var here []netip.Addr
		for step := range 600 {
			now = now.Add(time.Duration(rng.Float64() * float64(pace)))
			if len(here) > 0 && rng.IntN(5) < 2 {
				i := rng.IntN(len(here))
				g.Leave(here[i])
				here[i] = here[len(here)-1]
				here = here[:len(here)-1]
				m.here[i] = m.here[len(m.here)-1]
				m.here = m.here[:len(m.here)-1]
			} else {
				a := addresses[rng.IntN(len(addresses))]
				got := g.Admit(now, a)
				seen[got]++
				want := m.judge(now, a)
				// Who is forgotten may come more quickly, and that is all.
				if got != want && !(forgetful && got == Admitted && want == Rate) {
					t.Fatalf("seed %d, step %d: %v is %v, want %v", seed, step, a, got, want)
				}
				if got == Admitted {
					m.join(now, a)
					here = append(here, a)
				}
			}
			if g.here != len(here) || g.idle.Len() > g.maxIdle || len(g.origins) > len(here)+g.idle.Len() {
				t.Fatalf("seed %d, step %d: %d are here, want %d; %d of %d origins are idle", seed, step, g.here, len(here),
					g.idle.Len(), len(g.origins))
			}
		}
		for _, a := range here {
			g.Leave(a)
		}
		if g.here != 0 || len(g.origins) != g.idle.Len() {
			t.Fatalf("seed %d: with nobody left %d are here, and %d of %d origins idle", seed, g.here, g.idle.Len(), len(g.origins))
		}
	}
	for _, r := range append(Refusals[:], Admitted) {
		if seen[r] < 1000 {
			t.Errorf("only %d of those who came were %v, so that little was tried", seen[r], r)
		}
	}
}

func TestRefusalsHaveNames(t *testing.T) {
	names := map[string]bool{Admitted.String(): true}
	for _, r := range Refusals {
		names[r.String()] = true
	}
	if len(names) != int(refusalEnd) || names[""] {
		t.Errorf("the refusals' names are %v", names)
	}
}

// BenchmarkJoin takes a connection in and out again, or turns it away.
func BenchmarkJoin(b *testing.B) {
	for name, test := range map[string]struct {
		clients, addresses int
		joins              float64
		pace               time.Duration
	}{
		"the same address": {1000, 1, MaxJoins, time.Millisecond}, "new addresses, the table full": {1000, 1 << 22, 5, time.Microsecond},
		"too quickly": {1000, 1, 5, 0}, "full": {0, 1, 5, 0},
	} {
		b.Run(name, func(b *testing.B) {
			g := New(Limits{Clients: test.clients, PerAddress: 100, JoinsPerAddress: test.joins})
			n := 0
			join := func(now timeline.Instant) {
				n = (n + 1) % test.addresses
				if g.Admit(now, addr(n)) == Admitted {
					g.Leave(addr(n))
				}
			}
			for range maxIdle {
				join(start)
			}
			now := start
			b.ReportAllocs()
			for b.Loop() {
				now = now.Add(test.pace)
				join(now)
			}
			b.ReportMetric(float64(len(g.origins)), "addresses")
		})
	}
}
