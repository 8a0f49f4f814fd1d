package gate

import (
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseProxies(t *testing.T) {
	for _, test := range []struct {
		list string
		want []string // as prefixes
	}{
		{"", nil},
		{" , ", nil},
		{"127.0.0.1", []string{"127.0.0.1/32"}},
		{"::1, 10.0.0.0/8,2001:db8::/32", []string{"::1/128", "10.0.0.0/8", "2001:db8::/32"}},
		{"::ffff:192.0.2.1,::ffff:10.0.0.0/104", []string{"192.0.2.1/32", "10.0.0.0/8"}},
		{"0.0.0.0/0,::/0", []string{"0.0.0.0/0", "::/0"}},
	} {
		var want Proxies
		for _, s := range test.want {
			want = append(want, netip.MustParsePrefix(s))
		}
		if got, err := ParseProxies(test.list); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is %v, %v; want %v", test.list, got, err, want)
		}
	}
	for list, want := range map[string]string{
		"proxy.example":       `got "proxy.example", want an address`,
		"10.0.0.0/8 10.0.0.1": `got "10.0.0.0/8 10.0.0.1", want`,
		"10.0.0.1:80":         `got "10.0.0.1:80", want`,
		"::1,10.0.0.0/33":     `got "10.0.0.0/33", want`,
		"10.0.0.1/8":          `got prefix "10.0.0.1/8", want 10.0.0.0/8`,
		"::ffff:10.0.0.0/90":  `got prefix "::ffff:10.0.0.0/90", want`,
		"fe80::1%eth0":        `got "fe80::1%eth0", want`,
	} {
		if got, err := ParseProxies(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is %v, %v; want %q in the error", list, got, err, want)
		}
	}
}

func TestClient(t *testing.T) {
	proxies, err := ParseProxies("127.0.0.1,10.0.0.0/8,2001:db8:1::/48,fe80::/64")
	if err != nil {
		t.Fatal(err)
	}
	hops := func(n int) string { return strings.Repeat("10.0.0.9,", n-1) + "10.0.0.9" }
	for name, test := range map[string]struct {
		peer   string
		header []string
		want   string
		err    error
	}{
		"no proxy":                        {"192.0.2.1", nil, "192.0.2.1", nil},
		"a stranger's header":             {"192.0.2.1", []string{"192.0.2.9"}, "192.0.2.1", ErrStranger},
		"a stranger's empty header":       {"192.0.2.1", []string{""}, "192.0.2.1", ErrStranger},
		"a proxy's client":                {"127.0.0.1", []string{"192.0.2.9"}, "192.0.2.9", nil},
		"a mapped proxy's client":         {"::ffff:127.0.0.1", []string{"192.0.2.9"}, "192.0.2.9", nil},
		"a proxy with a zone":             {"fe80::1%eth0", []string{"192.0.2.9"}, "192.0.2.9", nil},
		"another loopback is no proxy":    {"127.0.0.2", []string{"192.0.2.9"}, "127.0.0.2", ErrStranger},
		"what the client invented":        {"127.0.0.1", []string{"198.51.100.1, 192.0.2.9"}, "192.0.2.9", nil},
		"garbage that the client wrote":   {"127.0.0.1", []string{"x,,, 192.0.2.9"}, "192.0.2.9", nil},
		"a chain":                         {"127.0.0.1", []string{"198.51.100.1,192.0.2.9,10.1.1.1,2001:db8:1::5"}, "192.0.2.9", nil},
		"a trusted address invented":      {"127.0.0.1", []string{"10.0.0.1,192.0.2.9"}, "192.0.2.9", nil},
		"lines in order":                  {"127.0.0.1", []string{"198.51.100.1", "192.0.2.9,10.1.1.1", "10.1.1.2"}, "192.0.2.9", nil},
		"all are proxies":                 {"127.0.0.1", []string{"10.0.0.3,10.0.0.2", "10.0.0.1"}, "10.0.0.3", nil},
		"spaces and tabs":                 {"127.0.0.1", []string{" \t192.0.2.9\t , 10.0.0.1 "}, "192.0.2.9", nil},
		"with a port":                     {"127.0.0.1", []string{"192.0.2.9:4711"}, "192.0.2.9", nil},
		"IPv6":                            {"127.0.0.1", []string{"2001:db8::9"}, "2001:db8::9", nil},
		"IPv6 in brackets":                {"127.0.0.1", []string{"[2001:db8::9]"}, "2001:db8::9", nil},
		"IPv6 with a port":                {"127.0.0.1", []string{"[2001:db8::9]:80"}, "2001:db8::9", nil},
		"a client with a zone":            {"127.0.0.1", []string{"fe80:0:0:1::9%eth0"}, "fe80:0:0:1::9", nil},
		"a trusted hop with a zone":       {"127.0.0.1", []string{"192.0.2.9,fe80::9%eth0"}, "192.0.2.9", nil},
		"mapped":                          {"127.0.0.1", []string{"::ffff:192.0.2.9"}, "192.0.2.9", nil},
		"mapped in brackets":              {"127.0.0.1", []string{"[::ffff:192.0.2.9]:1"}, "192.0.2.9", nil},
		"a trusted hop that is mapped":    {"127.0.0.1", []string{"192.0.2.9,::ffff:10.0.0.1"}, "192.0.2.9", nil},
		"the longest entry":               {"127.0.0.1", []string{"[2001:0db8:0000:0000:0000:0000:255.255.255.255%0]:65535         "}, "2001:db8::ffff:ffff", nil},
		"as many hops as may be":          {"127.0.0.1", []string{"192.0.2.9," + hops(maxHops-1)}, "192.0.2.9", nil},
		"a huge invention":                {"127.0.0.1", []string{strings.Repeat("x", 1<<20) + ",192.0.2.9"}, "192.0.2.9", nil},
		"no header of a proxy":            {"127.0.0.1", nil, "127.0.0.1", ErrForwarded},
		"an empty header":                 {"127.0.0.1", []string{""}, "127.0.0.1", ErrForwarded},
		"an empty entry":                  {"127.0.0.1", []string{"192.0.2.9,"}, "127.0.0.1", ErrForwarded},
		"an empty line":                   {"127.0.0.1", []string{"192.0.2.9", ""}, "127.0.0.1", ErrForwarded},
		"garbage":                         {"127.0.0.1", []string{"192.0.2.9, unknown"}, "127.0.0.1", ErrForwarded},
		"garbage behind a trusted hop":    {"127.0.0.1", []string{"192.0.2.9,_x,10.0.0.1"}, "127.0.0.1", ErrForwarded},
		"a prefix":                        {"127.0.0.1", []string{"192.0.2.0/24"}, "127.0.0.1", ErrForwarded},
		"a port out of range":             {"127.0.0.1", []string{"192.0.2.9:65536"}, "127.0.0.1", ErrForwarded},
		"IPv4 in brackets":                {"127.0.0.1", []string{"[192.0.2.9]"}, "127.0.0.1", ErrForwarded},
		"a bracket open":                  {"127.0.0.1", []string{"[2001:db8::9"}, "127.0.0.1", ErrForwarded},
		"too many hops":                   {"127.0.0.1", []string{"192.0.2.9," + hops(maxHops)}, "127.0.0.1", ErrForwarded},
		"too many hops, all trusted":      {"127.0.0.1", []string{hops(maxHops + 1)}, "127.0.0.1", ErrForwarded},
		"an entry too long":               {"127.0.0.1", []string{"192.0.2.9" + strings.Repeat(" ", maxHop)}, "127.0.0.1", ErrForwarded},
		"an entry too long before others": {"127.0.0.1", []string{"192.0.2.9," + strings.Repeat(" ", maxHop) + "192.0.2.9,10.0.0.1"}, "127.0.0.1", ErrForwarded},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := proxies.Client(netip.MustParseAddr(test.peer), test.header)
			if got.String() != test.want || !errors.Is(err, test.err) || (err == nil) != (test.err == nil) {
				t.Errorf("%v, %v counts, want %v, %v", got, err, test.want, test.err)
			}
		})
	}
}

// trail is what Client is to do, in the obvious way: the entries from the right, as far as they can be read. It is nil
// where there is none or one that cannot.
func (p Proxies) trail(header []string) (read []netip.Addr) {
	if len(header) == 0 {
		return nil
	}
	entries := strings.Split(strings.Join(header, ","), ",")
	for i, entry := range slices.Backward(entries) {
		addr, err := parseHop(entry)
		if err != nil || len(entries)-i > maxHops {
			return nil
		}
		read = append(read, addr)
		if !p.Includes(addr) {
			break
		}
	}
	return read
}

// FuzzClient holds the address that counts against the obvious way to find it, and against what must be true of it. A
// newline parts the lines of a header.
func FuzzClient(f *testing.F) {
	f.Add("127.0.0.1", "127.0.0.1, 10.0.0.0/8", "192.0.2.9, 10.0.0.1\n10.0.0.2")
	f.Add("::1", "::/0", "[2001:db8::9%x]:80,::ffff:1.2.3.4")
	f.Add("192.0.2.1", "10.0.0.0/8", "x,,\n")
	f.Fuzz(func(t *testing.T, from, list, lines string) {
		peer, _ := netip.ParseAddr(from) // the one that is none is as good as any
		proxies, err := ParseProxies(list)
		if err != nil {
			return
		}
		var header []string
		if lines != "" {
			header = strings.Split(lines, "\n")
		}
		got, err := proxies.Client(peer, header)
		peer = plain(peer)
		read := proxies.trail(header)
		switch {
		case !proxies.Includes(peer):
			if got != peer || (len(header) > 0) != errors.Is(err, ErrStranger) {
				t.Fatalf("a stranger's %q makes %v of %v, %v", header, got, peer, err)
			}
		case read == nil:
			if got != peer || !errors.Is(err, ErrForwarded) {
				t.Fatalf("what cannot be read, %q, makes %v of %v, %v", header, got, peer, err)
			}
		case err != nil || got != read[len(read)-1]:
			t.Fatalf("%q is from %v, %v; want %v", header, got, err, read[len(read)-1])
		case proxies.Includes(got) && strings.Count(strings.Join(header, ","), ",") != len(read)-1:
			t.Fatalf("%q is from %v, which is a proxy, and not all are", header, got)
		}
	})
}

func BenchmarkClient(b *testing.B) {
	proxies, _ := ParseProxies("127.0.0.1,10.0.0.0/8")
	peer := netip.MustParseAddr("127.0.0.1")
	for name, line := range map[string]string{
		"one hop": "192.0.2.9", "all hops": "192.0.2.9" + strings.Repeat(",10.0.0.1", maxHops-1),
		"a megabyte": strings.Repeat("192.0.2.9,", 100_000) + strings.Repeat(" ", 1<<20),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				proxies.Client(peer, []string{line})
			}
		})
	}
}
