package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/certtest"
	"github.com/distributed-donut/donut/wasm/donut"
)

// pemFiles returns the names of a certificate and its key that are yet to be written.
func pemFiles(t *testing.T) (certFile, keyFile string) {
	folder := t.TempDir()
	return filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
}

// startSecure starts a server over TLS, whose client trusts some certificates.
func startSecure(t *testing.T, certFile, keyFile string, trusted ...*x509.Certificate) program {
	t.Helper()
	p := start(t, "-tls-cert", certFile, "-tls-key", keyFile)
	p.url = "https" + strings.TrimPrefix(p.url, "http")
	roots := x509.NewCertPool()
	for _, cert := range trusted {
		roots.AddCert(cert)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport}
	return p
}

func TestPageAndSocketsOverTLS(t *testing.T) {
	certFile, keyFile := pemFiles(t)
	p := startSecure(t, certFile, keyFile, certtest.Issue(t, certFile, keyFile, 1))

	response, err := p.client.Get(p.url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if kind := response.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/html") {
		t.Errorf("the page is %s of type %q", response.Status, kind)
	}
	if response.ProtoMajor != 1 {
		t.Errorf("answered in %s, want HTTP/1.1", response.Proto)
	}

	tab := join(t, p, 1)
	var shown atomic.Int64
	tab.seen = compare(t, &shown)
	ended := make(chan error, 1)
	go func() { ended <- tab.play() }()
	await(t, "the tab has rendered over TLS, and is shown it", func() bool {
		return shown.Load() > 120 && p.statistic(t, "fleet_frames") > 0
	})
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if <-ended; tab.goodbye.Reason == 0 {
		t.Error("the server went without a goodbye")
	}
}

// TestStreamOverTLS goes while it is shown.
func TestStreamOverTLS(t *testing.T) {
	certFile, keyFile := pemFiles(t)
	p := startSecure(t, certFile, keyFile, certtest.Issue(t, certFile, keyFile, 1))
	response, err := p.client.Get(p.url + "/live.ansi")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	picture := make([]byte, donut.Rows*donut.Width/4)
	if n, err := response.Body.Read(picture); n == 0 {
		t.Errorf("nothing is shown: %v", err)
	}
}

func TestOldProtocolsAreRefused(t *testing.T) {
	certFile, keyFile := pemFiles(t)
	p := startSecure(t, certFile, keyFile, certtest.Issue(t, certFile, keyFile, 1))
	conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), &tls.Config{
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11,
	})
	if err == nil {
		conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
}

// TestRenewedCertificateIsPickedUp does not stop the server.
func TestRenewedCertificateIsPickedUp(t *testing.T) {
	certFile, keyFile := pemFiles(t)
	certtest.Issue(t, certFile, keyFile, 1)
	p := startSecure(t, certFile, keyFile)
	certtest.Issue(t, certFile, keyFile, 1<<40) // longer, so that coarse clocks of files do not matter
	await(t, "the renewed certificate is shown", func() bool {
		conn, err := tls.Dial("tcp", strings.TrimPrefix(p.url, "https://"), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.Int64() == 1<<40
	})
}

// TestCertificateIsLookedAtOnceASecond has a clock and a log of its own.
func TestCertificateIsLookedAtOnceASecond(t *testing.T) {
	certFile, keyFile := pemFiles(t)
	certtest.Issue(t, certFile, keyFile, 1)
	now, log := time.Now(), new(bytes.Buffer)
	c, err := newCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(log, nil)), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	expect := func(serial int64, warnings int) {
		t.Helper()
		pair, err := c.get(nil)
		if err != nil || pair.Leaf.SerialNumber.Int64() != serial {
			t.Errorf("got number %v, %v, want %d", pair.Leaf.SerialNumber, err, serial)
		}
		if got := strings.Count(log.String(), "level=WARN"); got != warnings {
			t.Errorf("warned %d times, want %d:\n%s", got, warnings, log)
		}
	}
	// touch gives a file a time of its own.
	var modified time.Time
	touch := func(name string) {
		t.Helper()
		modified = modified.Add(time.Hour)
		if err := os.Chtimes(name, modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	oldKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	certtest.Issue(t, certFile, keyFile, 2)
	newKey, err := os.ReadFile(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	write := func(key []byte) {
		t.Helper()
		if err := os.WriteFile(keyFile, key, 0o600); err != nil {
			t.Fatal(err)
		}
		touch(keyFile)
	}
	modified = now
	touch(certFile)
	write(oldKey) // of another certificate

	now = now.Add(lookAgain - 1)
	expect(1, 0)
	now = now.Add(1)
	expect(1, 1)
	now = now.Add(lookAgain)
	expect(1, 1) // what has not changed is not read again
	write(newKey)
	expect(1, 1)
	now = now.Add(lookAgain)
	expect(2, 1)
	if err := os.Remove(certFile); err != nil {
		t.Fatal(err)
	}
	now = now.Add(lookAgain)
	expect(2, 2)
}

func TestCertificateThatCannotBeReadIsNamed(t *testing.T) {
	certFile, keyFile := pemFiles(t)
	read := func(want string) {
		t.Helper()
		args := []string{"-addr", "127.0.0.1:0", "-admin-addr", "", "-tls-cert", certFile, "-tls-key", keyFile}
		cfg, err := parseConfig(args, nil, new(bytes.Buffer))
		if err != nil {
			t.Fatal(err)
		}
		err = serve(t.Context(), cfg, nil, new(bytes.Buffer))
		for _, want := range []string{certFile, keyFile, want} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the error is %v, want %q in it", err, want)
			}
		}
	}
	read("no such file")
	certtest.Issue(t, certFile, keyFile, 1)
	if err := os.WriteFile(keyFile, []byte("no key"), 0o600); err != nil {
		t.Fatal(err)
	}
	read("find any PEM data")
}
