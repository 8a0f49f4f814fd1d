package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// TestHostileRequestsHarmNobody has crowds hold connections open with next to nothing, beside a worker that carries the
// stream and a viewer who may miss none of it.
func TestHostileRequestsHarmNobody(t *testing.T) {
	const timeout = 300 * time.Millisecond
	p := start(t, "-header-timeout", timeout.String(), "-hello-timeout", timeout.String(), "-messages-per-connection", "1")
	worker := join(t, p, 2)
	go worker.play()
	p.gathered(t)
	viewer := join(t, p, 0)
	var shown, lost atomic.Uint64 // frames; others look whether they are right
	var last uint64
	viewer.seen = func(n uint64, picture *donut.Picture) {
		if picture == nil {
			lost.Add(1)
		}
		if last != 0 {
			lost.Add(n - last - 1)
		}
		last = n
		shown.Add(1)
	}
	ended := make(chan error, 1)
	go func() { ended <- viewer.play() }()
	await(t, "the viewer watches", func() bool { return shown.Load() > 0 })

	const crowd = 50
	const upgrade = "GET /ws HTTP/1.1\r\nHost: donut\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	over := make(chan error, 10*crowd)
	// attack has a crowd send something, and then a byte at a time until the server hangs up.
	attack := func(sent, trickle string) {
		for range crowd {
			conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { conn.Close() })
			go func() {
				pause := time.NewTicker(50 * time.Millisecond)
				defer pause.Stop()
				io.WriteString(conn, sent)
				for range len(trickle) {
					<-pause.C
					if _, err := io.WriteString(conn, trickle[:1]); err != nil {
						break
					}
				}
				conn.SetReadDeadline(time.Now().Add(20 * time.Second))
				_, err := io.Copy(io.Discard, conn)
				over <- err
			}()
		}
	}
	attack("", "")                                             // nothing at all
	attack("GET /ws HTTP/1.1\r\nX-", strings.Repeat("a", 100)) // a header without end
	attack("\x16\x03\x01 no HTTP\r\n\r\n", "")                 // garbage before the upgrade
	attack(upgrade+"\r\n", "")                                 // a socket without a hello
	for range 4 * crowd {
		if err, ok := (<-over).(net.Error); ok && err.Timeout() {
			t.Error("a connection is still open 20 s later")
		}
	}
	flooder := join(t, p, 0)
	told := make(chan error, 1)
	go func() { told <- flooder.play() }()
	for range 19 { // which have no answers that could wait, and are fewer than may be sent of them
		flooder.write(wire.Offer{}.Append(nil))
	}
	await(t, "the flood is ended", func() bool { return p.counters(t, "closed")["flooding"] > 0 })
	if err := <-told; websocket.CloseStatus(err) != websocket.StatusPolicyViolation || flooder.goodbye.Reason != wire.ReasonFlooding {
		t.Errorf("who floods was told %v and ended with %v, want flooding and status 1008", flooder.goodbye.Reason, err)
	}
	if got := p.counters(t, "closed"); got["silent"] != crowd || got["flooding"] != 1 {
		t.Errorf("closed are %v, want %d silent and one flooding", got, crowd)
	}

	before := shown.Load()
	await(t, "the viewer goes on", func() bool { return shown.Load() > before+120 })
	if lost.Load() > 0 || len(ended) > 0 {
		t.Errorf("the viewer missed %d frames, and has ended: %v", lost.Load(), len(ended) > 0)
	}
	if worker.goodbye.Reason != 0 || p.statistic(t, "workers") != 1 {
		t.Errorf("the worker was told %v, and %v are there", worker.goodbye.Reason, p.statistic(t, "workers"))
	}
}

// TestWhoIsRefusedIsShownThePage fills a server with tabs and with connections that say nothing, more than there may
// be.
func TestWhoIsRefusedIsShownThePage(t *testing.T) {
	p := start(t, "-max-clients", "1", "-max-streams", "4", "-header-timeout", "1m")
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	const room = leastPlain + 4
	tab := join(t, p, 1)
	go tab.play()
	var silent [3 * room]net.Conn
	for i := range silent {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		silent[i] = conn
	}
	await(t, "those who have waited longest are closed", func() bool {
		return p.counters(t, "plain_connections_dropped")["full"] >= uint64(len(silent)-room)
	})
	if open := p.statistic(t, "plain_connections"); open > room {
		t.Errorf("%v connections without a socket are open, want at most %d", open, room)
	}
	for _, conn := range silent[:len(silent)-room] {
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a connection that waited longest is not closed: %v", err)
		}
	}
	if response, page := get(t, p.url); response.StatusCode != http.StatusOK || !strings.Contains(page, `id="donut"`) {
		t.Errorf("the page is %s, %d bytes", response.Status, len(page))
	}
	second := dial(t, p, "", wire.Hello{Codec: codec.Version, Digest: moduleDigest(t)}.Append(nil))
	message, err := second.read()
	if goodbye, parsed := wire.ParseGoodbye(message); err != nil || parsed != nil || goodbye.Reason != wire.ReasonFull {
		t.Errorf("a tab too many is told %v, %v, %v; want full", goodbye.Reason, parsed, err)
	}
	if tab.goodbye.Reason != 0 || p.statistic(t, "workers") != 1 {
		t.Errorf("the tab was told %v, and there are %v", tab.goodbye.Reason, p.statistic(t, "workers"))
	}
}

// TestConnectionsOfAnAddressAreBounded has one address open too many, which is none where a proxy speaks for all.
func TestConnectionsOfAnAddressAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		proxies string
		dropped uint64
	}{"alone": {"", 10}, "behind a proxy": {"127.0.0.2", 0}} {
		t.Run(name, func(t *testing.T) {
			p := start(t, "-max-per-address", "1", "-max-streams-per-address", "1", "-header-timeout", "1m",
				"-trusted-proxies", test.proxies)
			t.Cleanup(http.DefaultClient.CloseIdleConnections)
			dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
			const all = leastPlain + 1 + 10
			for range all {
				conn, err := dialer.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
				if err != nil {
					t.Skipf("this system has no address to come from: %v", err)
				}
				t.Cleanup(func() { conn.Close() })
			}
			await(t, "all of them have come", func() bool {
				dropped := p.counters(t, "plain_connections_dropped")["address"]
				return p.statistic(t, "plain_connections")+float64(dropped) >= all+1 // that which asks
			})
			if got := p.counters(t, "plain_connections_dropped"); got["address"] != test.dropped || got["full"] != 0 {
				t.Errorf("dropped are %v, want %d of the address", got, test.dropped)
			}
			conn, err := dialer.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			io.WriteString(conn, "GET /healthz HTTP/1.0\r\n\r\n")
			if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "200 OK") {
				t.Errorf("who then asks from the address is answered %q, %v", answer, err)
			}
		})
	}
}
