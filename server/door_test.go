package main

import (
	"bufio"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// counters reads an object of /api/stats.
func (p program) counters(t *testing.T, name string) map[string]uint64 {
	t.Helper()
	_, body := get(t, p.url+"/api/stats")
	stats := make(map[string]json.RawMessage)
	counters := make(map[string]uint64)
	if err := json.Unmarshal([]byte(body), &stats); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(stats[name], &counters); err != nil {
		t.Fatalf("/api/stats has no object %q: %v", name, err)
	}
	return counters
}

// TestBanGoesByForwardedAddress has one of a proxy's clients forge a frame.
func TestBanGoesByForwardedAddress(t *testing.T) {
	p := start(t, "-trusted-proxies", "127.0.0.1,10.0.0.0/8")
	const forgers, neighbours = "192.0.2.1", "192.0.2.2"
	honest := joinFrom(t, p, 1, neighbours)
	go honest.play()
	p.gathered(t)

	forger := joinFrom(t, p, 1, forgers)
	forger.spoil = func(p *donut.Picture, _ uint64) { p[100] = (p[100] + 1) % uint8(donut.Levels) }
	forger.play()
	if forger.goodbye.Reason != wire.ReasonEvicted {
		t.Fatalf("the forger was told %v, want evicted", forger.goodbye.Reason)
	}
	for _, test := range []struct {
		from    string
		threads uint8
	}{
		{forgers, 0}, {"[::ffff:" + forgers + "]:4711", 0}, {neighbours + ", " + forgers + ", 10.0.0.1", 0},
		{neighbours, 1}, {forgers + ", " + neighbours, 1}, {"", 1}, {"127.0.0.1", 1},
	} {
		if tab := joinFrom(t, p, 1, test.from); tab.welcome.Threads != test.threads {
			t.Errorf("who comes from %q may render with %d threads, want %d", test.from, tab.welcome.Threads, test.threads)
		}
	}
	if honest.goodbye.Reason != 0 {
		t.Errorf("the neighbour was told %v", honest.goodbye.Reason)
	}
	if want := "addr=192.0.2.0/24"; !strings.Contains(p.log.String(), want) || strings.Contains(p.log.String(), forgers) {
		t.Errorf("the log does not say %s, or more than that", want)
	}
}

// TestForwardedAddressOfStrangersIsIgnored forges for an address that is not its own.
func TestForwardedAddressOfStrangersIsIgnored(t *testing.T) {
	p := start(t, "-max-per-address", "1")
	for range 3 {
		if tab := joinFrom(t, p, 0, "192.0.2.1"); tab.goodbye.Reason != 0 {
			t.Errorf("told %v", tab.goodbye.Reason)
		}
	}
	if got := strings.Count(p.log.String(), "-trusted-proxies"); got != 1 {
		t.Errorf("-trusted-proxies is named %d times in the log, want once", got)
	}
}

func TestStatsSayWhoWasRefusedAndClosed(t *testing.T) {
	p := start(t, "-trusted-proxies", "127.0.0.1", "-max-clients", "10", "-max-per-address", "2", "-joins-per-address", "0.3")
	none := make(map[string]uint64)
	for _, name := range []string{"crowded", "draining", "evicted", "flooding", "full", "malformed", "outdated", "silent", "slow"} {
		none[name] = 0
	}
	if got := p.counters(t, "closed"); !maps.Equal(got, none) {
		t.Errorf("at first closed are %v, want %v", got, none)
	}
	if got, want := p.counters(t, "refused"), (map[string]uint64{"full": 0, "address": 0, "rate": 0}); !maps.Equal(got, want) {
		t.Errorf("at first refused are %v, want %v", got, want)
	}
	malformed := dial(t, p, "", []byte{0x7f})
	for err := error(nil); err == nil; {
		_, err = malformed.read()
	}

	told := make(map[wire.Reason]uint64)
	// comeUntil has one after the other come from an address until somebody is refused for a reason.
	comeUntil := func(from, reason string, stay bool) {
		t.Helper()
		for range 100 {
			tab := dial(t, p, from, wire.Hello{Codec: codec.Version, Digest: moduleDigest(t)}.Append(nil))
			message, err := tab.read()
			if err != nil {
				t.Fatal(err)
			}
			if m, err := wire.ParseGoodbye(message); err == nil {
				if told[m.Reason]++; m.Retry == 0 {
					t.Errorf("told %+v, want when to come back", m)
				}
			}
			if p.counters(t, "refused")[reason] > 0 {
				return
			}
			if !stay {
				tab.socket.CloseNow()
			}
		}
		t.Fatalf("nobody is refused for %q: %v", reason, p.counters(t, "refused"))
	}
	comeUntil("192.0.2.1", "address", true)
	comeUntil("192.0.2.2", "rate", false)
	comeUntil("127.0.0.1", "full", true)
	refused := p.counters(t, "refused")
	crowded := refused["address"] + refused["rate"]
	if crowded != told[wire.ReasonCrowded] || refused["rate"] != 1 || refused["full"] != 1 || told[wire.ReasonFull] != 1 {
		t.Errorf("refused are %v, want one each for the rate and because it is full, and all told so: %v", refused, told)
	}
	want := maps.Clone(none)
	want["crowded"], want["full"], want["malformed"] = crowded, 1, 1
	if got := p.counters(t, "closed"); !maps.Equal(got, want) {
		t.Errorf("closed are %v, want %v", got, want)
	}
}

// TestRequestsAreNotWaitedForForEver announces a body that never comes.
func TestRequestsAreNotWaitedForForEver(t *testing.T) {
	const timeout = 200 * time.Millisecond
	p := start(t, "-header-timeout", timeout.String())
	for name, request := range map[string]string{
		"half a handshake": "GET /ws HTTP/1.1\r\nHost: donut\r\nUpgr",
		"a body":           "GET /ws HTTP/1.1\r\nHost: donut\r\nContent-Length: 10\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			socket, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer socket.Close()
			if _, err := io.WriteString(socket, request); err != nil {
				t.Fatal(err)
			}
			socket.SetReadDeadline(time.Now().Add(timeout + 4*time.Second))
			in := bufio.NewReader(socket)
			if response, err := http.ReadResponse(in, nil); err == nil {
				io.Copy(io.Discard, response.Body)
			}
			if _, err := in.ReadByte(); err != io.EOF {
				t.Errorf("the connection ends with %v, want that the server hangs up", err)
			}
		})
	}
}
