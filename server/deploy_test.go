package main

import (
	"bytes"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/tools/deploy"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// tool returns the path of a program that a test needs. It skips the test where that is missing, or fails it where
// nothing may be left out.
func tool(t *testing.T, name string) string {
	t.Helper()
	// Debian keeps daemons where only root looks.
	for _, candidate := range []string{name, "/usr/sbin/" + name} {
		if found, err := exec.LookPath(candidate); err == nil {
			return found
		}
	}
	if os.Getenv("REQUIRE_BROWSERS") == "1" {
		t.Fatalf("there is no %s, and REQUIRE_BROWSERS=1 leaves nothing out", name)
	}
	t.Skipf("there is no %s", name)
	return ""
}

// deployed returns an example of tools/deploy, where each key of changes, which must occur once, is replaced.
func deployed(t *testing.T, name string, changes map[string]string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "tools", "deploy", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(content)
	for old, changed := range changes {
		if strings.Count(text, old) != 1 {
			t.Fatalf("%s has %d times %q, want it once", name, strings.Count(text, old), old)
		}
		text = strings.Replace(text, old, changed, 1)
	}
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// behindNginx starts nginx in front of a server, and returns the server as it is reached through that.
func behindNginx(t *testing.T, p program) program {
	t.Helper()
	p.url = startNginx(t, "nginx.conf", deploy.Before(strings.TrimPrefix(p.url, "http://")))
	return p
}

// startNginx starts nginx by an example, with changes, and returns the URL at which it answers for a server.
func startNginx(t *testing.T, example string, changes map[string]string) (url string) {
	t.Helper()
	tool(t, "nginx")
	nginx, err := deploy.StartNginx(example, changes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if log := nginx.Stop(); t.Failed() {
			t.Logf("nginx's log:\n%s", log)
		}
	})
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	await(t, "nginx answers for the server", func() bool {
		response, err := http.Get(nginx.URL() + "/healthz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		return response.StatusCode == http.StatusOK
	})
	return nginx.URL()
}

// from returns a client that has an address of its own, and the server as it sees it.
func (p program) from(t *testing.T, addr string) program {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(addr)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport}
	return p
}

func TestPageAndStreamThroughNginx(t *testing.T) {
	p := start(t, "-trusted-proxies", "127.0.0.1")
	proxied := behindNginx(t, p)
	response, err := proxied.client.Get(proxied.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Contains(body, []byte(`id="donut"`)) {
		t.Errorf("%v, want the page and not\n%s", err, body)
	}
	tab := join(t, proxied, 1)
	var shown atomic.Int64
	tab.seen = compare(t, &shown)
	ended := make(chan error, 1)
	go func() { ended <- tab.play() }()
	await(t, "the tab is shown what it renders", func() bool {
		return shown.Load() > 120 && p.statistic(t, "fleet_frames") > 0
	})
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if <-ended; tab.goodbye.Reason != wire.ReasonDraining {
		t.Errorf("told %v through nginx, want draining", tab.goodbye.Reason)
	}
}

// TestTerminalsThroughNginxAreNotHeldBack counts what is shown without nginx until as much should be shown through it, at
// a pace at which a buffer takes seconds to fill. What came with the answer's header nginx never holds back.
func TestTerminalsThroughNginxAreNotHeldBack(t *testing.T) {
	p := start(t, "-trusted-proxies", "127.0.0.1")
	proxied := behindNginx(t, p)
	const request = "/live.ansi?fps=1"
	direct, err := p.client.Get(p.url + request)
	if err != nil {
		t.Fatal(err)
	}
	shown, copied := new(lines), make(chan struct{})
	go func() {
		defer close(copied)
		io.Copy(shown, direct.Body)
	}()
	defer func() {
		direct.Body.Close()
		<-copied
	}()
	response, err := proxied.client.Get(proxied.url + request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	const frame = "\x1b[?25l" // begins with it
	passed := ""
	for chunk := make([]byte, 4096); strings.Count(passed, frame) < 2; {
		n, err := response.Body.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		passed += string(chunk[:n])
	}
	if frames := strings.Count(shown.String(), frame); frames > 3 {
		t.Errorf("nginx passed on the second frame when %d were shown", frames)
	}
}

func TestAddressesThroughNginxCount(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has addresses to come from")
	}
	p := behindNginx(t, start(t, "-trusted-proxies", "127.0.0.1", "-max-per-address", "1"))
	hello := wire.Hello{Codec: codec.Version, Digest: moduleDigest(t)}.Append(nil)
	for _, test := range []struct {
		from, claimed string
		want          uint64 // refused in all
	}{
		{"127.0.0.2", "", 0}, {"127.0.0.2", "", 1}, {"127.0.0.3", "", 1}, {"127.0.0.2", "127.0.0.4", 2}, {"127.0.0.4", "", 2},
	} {
		dial(t, p.from(t, test.from), test.claimed, hello)
		if refused := p.counters(t, "refused")["address"]; refused != test.want {
			t.Errorf("%d are refused after %s came as %q in %s, want %d",
				refused, test.from, test.claimed, gate.ForwardedFor, test.want)
		}
	}
}

func TestUnitIsValid(t *testing.T) {
	analyze := tool(t, "systemd-analyze")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	unit := deployed(t, "donut.service", map[string]string{"ExecStart=/usr/local/bin/donut-server": "ExecStart=" + self})
	out, err := exec.Command(analyze, "verify", "--man=no", unit).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("donut.service")) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestExamplesSetWhatThereIs looks for flags and variables that the server does not have.
func TestExamplesSetWhatThereIs(t *testing.T) {
	known := make(map[string]bool)
	define(new(config)).VisitAll(func(f *flag.Flag) { known[variable(f.Name)] = true })
	for _, name := range []string{"donut.service", "Containerfile", "cluster/donut.env"} {
		content, err := os.ReadFile(deployed(t, name, nil))
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(prefix+`[A-Z_]+`).FindAllString(string(content), -1) {
			if !known[found] {
				t.Errorf("%s sets %s, which there is not", name, found)
			}
		}
	}
}

func TestCaddyfileIsValid(t *testing.T) {
	caddy, err := exec.LookPath("caddy")
	if err != nil {
		t.Skip("there is no caddy")
	}
	file := deployed(t, "Caddyfile", nil)
	if out, err := exec.Command(caddy, "validate", "--adapter", "caddyfile", "--config", file).CombinedOutput(); err != nil {
		t.Errorf("caddy validate: %v\n%s", err, out)
	}
}
