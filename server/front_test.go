package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

// page is what the tests' front shows browsers.
var page = "<!doctype html>" + strings.Repeat("the page ", 100)

func testFront() front { return newFront(newAsset("index.html", []byte(page), compress([]byte(page)))) }

func TestFrontIsAPageOrText(t *testing.T) {
	front := testFront()
	for accept, html := range map[string]bool{
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": true, // browsers
		"application/xhtml+xml":   true,
		"*/*":                     false, // curl
		"text/plain":              false,
		"text/html;q=0, */*":      false,
		"application/json,*/*":    false,
		"text/htmlx":              false,
		"image/png, Text/HTML":    true,
		"text/html; charset=utf8": true,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept", accept)
		w := httptest.NewRecorder()
		front.ServeHTTP(w, r)
		kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
		if got := w.Body.String() == page; got != html || got != (kind == "text/html") {
			t.Errorf("who accepts %q gets %s:\n%s", accept, kind, w.Body)
		}
		if vary := w.Header().Values("Vary"); len(vary) == 0 || vary[0] != "Accept" {
			t.Errorf("what who accepts %q gets varies with %q, want Accept", accept, vary)
		}
	}
	w := httptest.NewRecorder()
	if front.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil)); w.Body.String() != page {
		t.Errorf("who says nothing of what it accepts gets\n%s", w.Body)
	}
}

// frontText is what curl shows.
func frontText(change func(r *http.Request)) string {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept", "*/*")
	change(r)
	w := httptest.NewRecorder()
	testFront().ServeHTTP(w, r)
	return w.Body.String()
}

func TestFrontNamesTheServer(t *testing.T) {
	local := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 8080}
	here := context.WithValue(t.Context(), http.LocalAddrContextKey, local)
	for _, c := range []struct {
		name   string
		change func(r *http.Request)
		want   string
	}{
		{"host", func(r *http.Request) { r.Host = "donut.example" }, "http://donut.example/"},
		{"port", func(r *http.Request) { r.Host = "my_donut:8080" }, "http://my_donut:8080/"},
		{"IPv6", func(r *http.Request) { r.Host = "[::1]:8080" }, "http://[::1]:8080/"},
		{"TLS", func(r *http.Request) { r.TLS = new(tls.ConnectionState) }, "https://example.com/"},
		{"proxy", func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, "https://example.com/"},
		{"lying proxy", func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "x'; rm") }, "http://example.com/"},
		{"no host", func(r *http.Request) { r.Host = "" }, "http://192.0.2.7:8080/"},
		{"quote", func(r *http.Request) { r.Host = "a';reboot;'" }, "http://192.0.2.7:8080/"},
		{"escape", func(r *http.Request) { r.Host = "\x1b[2Ja" }, "http://192.0.2.7:8080/"},
		{"newline", func(r *http.Request) { r.Host = "a\nb" }, "http://192.0.2.7:8080/"},
		{"long", func(r *http.Request) { r.Host = strings.Repeat("a", 254) }, "http://192.0.2.7:8080/"},
	} {
		text := frontText(func(r *http.Request) { *r = *r.WithContext(here); c.change(r) })
		_, everywhere, _ := strings.Cut(c.want, "://")
		if !strings.Contains(text, "\n    "+c.want+"\n") || strings.Count(text, "://"+everywhere) != len(ways) {
			t.Errorf("%s: want %s everywhere in\n%s", c.name, c.want, text)
		}
	}
}

// TestFrontShowsADonut counts what is not blank.
func TestFrontShowsADonut(t *testing.T) {
	text, _, _ := strings.Cut(frontText(func(*http.Request) {}), "\n\n")
	lines := strings.Split(text, "\n")
	painted := len(text) - strings.Count(text, " ") - strings.Count(text, "\n")
	if len(lines) > donut.Rows/2 || painted < 100 {
		t.Errorf("%d lines and %d cells of a donut:\n%s", len(lines), painted, text)
	}
}

// FuzzFrontText holds that no host brings anything into the text that a terminal or a shell takes for something else.
func FuzzFrontText(f *testing.F) {
	for _, seed := range []string{"localhost:8080", "[::1]:1", "a'b", "\x1b]", "a b", "é", "$(x)", "`x`", "a\x00"} {
		f.Add(seed, "https")
	}
	safe := regexp.MustCompile(`^[0-9A-Za-z.,:;?='/_\[\]()#$@*!~ \n-]*$`)
	quoted := regexp.MustCompile(`'https?://[^' ]*'`)
	f.Fuzz(func(t *testing.T, host, proto string) {
		text := frontText(func(r *http.Request) {
			r.Host = host
			r.Header.Set("X-Forwarded-Proto", proto)
		})
		if !safe.MatchString(text) || len(quoted.FindAllString(text, -1)) != strings.Count(text, "curl") {
			t.Errorf("host %q makes the text\n%q", host, text)
		}
	})
}

// TestWaysInAreThere follows each way in that the server names.
func TestWaysInAreThere(t *testing.T) {
	p := start(t)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	_, text := get(t, p.url+"/", "Accept", "*/*")
	links := regexp.MustCompile(`(http|ws)s?://[^'\s]+`).FindAllString(text, -1)
	if len(links) != len(ways) {
		t.Fatalf("%d links in\n%s\nwant %d", len(links), text, len(ways))
	}
	for _, link := range links {
		target, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		target.Scheme = "http"
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, target.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if "http://"+target.Host != p.url || response.StatusCode == http.StatusNotFound {
			t.Errorf("HEAD %s: %s", link, response.Status)
		}
	}
}
