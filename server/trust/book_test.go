package trust

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/seeds"
)

// client returns the n-th of many addresses.
func client(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func TestOrigin(t *testing.T) {
	for _, c := range []struct{ name, addr, want string }{
		{"an IPv4 address is its own", "192.0.2.7", "192.0.2.7/32"},
		{"an IPv4 address in IPv6's clothes is the same", "::ffff:192.0.2.7", "192.0.2.7/32"},
		{"with a zone as well", "::ffff:192.0.2.7%eth0", "192.0.2.7/32"},
		{"an IPv6 address is its /64", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"},
		{"so is another one of it", "2001:db8:1:2:ffff::", "2001:db8:1:2::/64"},
		{"the next /64 is another", "2001:db8:1:3::", "2001:db8:1:3::/64"},
		{"a zone says nothing", "fe80::1%eth0", "fe80::/64"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Origin(netip.MustParseAddr(c.addr)); got != netip.MustParsePrefix(c.want) {
				t.Errorf("the origin of %s is %v, want %s", c.addr, got, c.want)
			}
		})
	}
	t.Run("the invalid address has one of its own", func(t *testing.T) {
		if got := Origin(netip.Addr{}); got != (netip.Prefix{}) {
			t.Errorf("the origin of the invalid address is %v", got)
		}
	})
}

func TestBanShutsOutItsOriginAlone(t *testing.T) {
	for _, c := range []struct {
		struck string
		banned []string
		others []string
	}{
		{"192.0.2.7", []string{"192.0.2.7", "::ffff:192.0.2.7"}, []string{"192.0.2.6", "2001:db8::7", ""}},
		{"::ffff:192.0.2.7", []string{"192.0.2.7"}, []string{"192.0.2.6", "::ffff:192.0.2.6"}},
		{"2001:db8:1:2::3", []string{"2001:db8:1:2::3", "2001:db8:1:2:ffff::"}, []string{"2001:db8:1:3::3", "192.0.2.7"}},
		{"fe80::1%eth0", []string{"fe80::1", "fe80::2%eth1"}, []string{"fe80:0:0:1::1"}},
		{"", []string{""}, []string{"0.0.0.0", "::", "192.0.2.7"}},
		{"127.0.0.2", []string{"127.0.0.2", "::ffff:127.0.0.2"}, []string{"127.0.0.1", "::1", "127.0.0.3"}},
		{"::2", []string{"::2"}, []string{"::1", "::1%lo", "127.0.0.1"}}, // in the same /64 as ::1
	} {
		t.Run("of "+c.struck, func(t *testing.T) {
			addr := func(s string) netip.Addr {
				if s == "" {
					return netip.Addr{}
				}
				return netip.MustParseAddr(s)
			}
			b := NewBook()
			if got := b.Strike(0, addr(c.struck)); got != firstBan {
				t.Errorf("banned for %v, want %v", got, firstBan)
			}
			for _, s := range c.banned {
				if b.MayRender(0, addr(s)) {
					t.Errorf("%q may render", s)
				}
			}
			for _, s := range c.others {
				if !b.MayRender(0, addr(s)) {
					t.Errorf("%q may not render", s)
				}
			}
		})
	}
}

func TestLocalAddressIsNeverBanned(t *testing.T) {
	for _, s := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "::1%lo"} {
		addr := netip.MustParseAddr(s)
		b := NewBook()
		for range 5 {
			if got := b.Strike(0, addr); got != 0 || !b.MayRender(0, addr) {
				t.Errorf("%s is banned for %v", s, got)
			}
		}
		if len(b.bans) != 0 {
			t.Errorf("the book remembers %s", s)
		}
	}
}

func TestBanGrowsFourfoldToADay(t *testing.T) {
	want := []time.Duration{15 * time.Minute, time.Hour, 4 * time.Hour, 16 * time.Hour}
	b := NewBook()
	now := timeline.Instant(0)
	for i := range 200 {
		length := 24 * time.Hour
		if i < len(want) {
			length = want[i]
		}
		if got := b.Strike(now, client(1)); got != length {
			t.Fatalf("strike %d: banned for %v, want %v", i+1, got, length)
		}
		now = now.Add(length)
	}
	if got := b.Strike(now, client(2)); got != firstBan {
		t.Errorf("another's first strike: banned for %v, want %v", got, firstBan)
	}
}

func TestBanExpires(t *testing.T) {
	b := NewBook()
	const from = timeline.Instant(1 << 50)
	length := b.Strike(from, client(1))
	for _, c := range []struct {
		at   timeline.Instant
		want bool
	}{
		{from, false},
		{from.Add(length) - 1, false},
		{from.Add(length), true},
		{from.Add(2 * length), true},
	} {
		if got := b.MayRender(c.at, client(1)); got != c.want {
			t.Errorf("%v after the strike: may render %v, want %v", c.at.Sub(from), got, c.want)
		}
	}
	t.Run("and is remembered", func(t *testing.T) {
		if got := b.Strike(from.Add(1000*time.Hour), client(1)); got != banGrowth*firstBan {
			t.Errorf("the second strike, much later: banned for %v, want %v", got, banGrowth*firstBan)
		}
	})
}

func TestSecondStrikeExtendsARunningBan(t *testing.T) {
	b := NewBook()
	b.Strike(0, client(1))
	length := b.Strike(1000, client(1))
	if end := timeline.Instant(1000).Add(length); b.MayRender(end-1, client(1)) || !b.MayRender(end, client(1)) {
		t.Errorf("the ban does not end %v after the second strike", length)
	}
}

func TestFullBookForgetsTheBanThatEndsFirst(t *testing.T) {
	b := NewBook()
	for n := range uint32(maxBans) {
		b.Strike(timeline.Instant(n), client(n))
	}
	b.Strike(maxBans, client(0)) // which now ends last
	for n := range uint32(100) {
		b.Strike(maxBans, client(maxBans+n))
	}
	if len(b.bans) != maxBans || len(b.ends) != maxBans {
		t.Errorf("the book has %d and %d entries, want %d", len(b.bans), len(b.ends), maxBans)
	}
	for n := range uint32(maxBans + 100) {
		if forgotten := n >= 1 && n <= 100; b.MayRender(maxBans, client(n)) != forgotten {
			t.Errorf("client %d: forgotten %v, want %v", n, !forgotten, forgotten)
		}
	}
	if got := b.Strike(maxBans, client(1)); got != firstBan {
		t.Errorf("a forgotten client is banned for %v, want %v", got, firstBan)
	}
}

func TestKnownAddressMakesNobodyForgotten(t *testing.T) {
	b := NewBook()
	for n := range uint32(maxBans) {
		b.Strike(timeline.Instant(n), client(n))
	}
	b.Strike(maxBans, client(maxBans-1))
	if b.MayRender(maxBans, client(0)) {
		t.Error("a ban is forgotten although the book got no entry more")
	}
}

// TestRandomStrikes holds the book against a map that is searched for the ban that ends first.
func TestRandomStrikes(t *testing.T) {
	for seed := range seeds.Count(t, 3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			type entry struct {
				until   timeline.Instant
				strikes int
			}
			model := make(map[netip.Addr]entry)
			b := NewBook()
			now := timeline.Instant(0)
			strike := func(addr netip.Addr) {
				now += timeline.Instant(1 + rng.Int64N(int64(time.Minute/time.Microsecond)))
				e, known := model[addr]
				if !known && len(model) == maxBans {
					var first netip.Addr
					for a, other := range model {
						if e, ok := model[first]; !ok || other.until < e.until {
							first = a
						}
					}
					delete(model, first)
				}
				want := min(24*time.Hour, 15*time.Minute<<(2*min(e.strikes, 4)))
				if got := b.Strike(now, addr); got != want {
					t.Fatalf("strike %d of %v: banned for %v, want %v", e.strikes+1, addr, got, want)
				}
				model[addr] = entry{now.Add(want), e.strikes + 1}
			}
			for n := range uint32(maxBans) {
				strike(client(n))
			}
			for range 300 {
				strike(client(rng.Uint32N(maxBans * 11 / 10)))
			}
			if len(b.bans) != len(model) {
				t.Fatalf("the book has %d entries, want %d", len(b.bans), len(model))
			}
			for n := range uint32(maxBans * 11 / 10) {
				e, known := model[client(n)]
				if got, want := b.MayRender(now, client(n)), !known || now >= e.until; got != want {
					t.Errorf("client %d may render: %v, want %v", n, got, want)
				}
			}
			for i, e := range b.ends {
				if e.index != i || b.bans[e.origin] != e {
					t.Fatalf("entry %d of the heap thinks that it is entry %d", i, e.index)
				}
			}
		})
	}
}

// BenchmarkStrikeFullBook is the cost of a strike that makes the book forget.
func BenchmarkStrikeFullBook(b *testing.B) {
	book := NewBook()
	n := uint32(0)
	for ; n < maxBans; n++ {
		book.Strike(timeline.Instant(n), client(n))
	}
	b.ReportAllocs()
	for b.Loop() {
		book.Strike(timeline.Instant(n), client(n&0xffffff))
		n++
	}
}
