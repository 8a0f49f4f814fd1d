package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/moduletest"
)

func get(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

func TestSite(t *testing.T) {
	p := start(t)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	module, err := moduletest.Module()
	if err != nil {
		t.Fatal(err)
	}
	_, page := get(t, p.url+"/")
	_, script, _ := strings.Cut(page, "<script>")
	script, _, within := strings.Cut(script, "</script>")
	if !within || !strings.Contains(script, "new Worker(") {
		t.Errorf("the page has the script %q in it, want the one that starts the stream worker", script)
	}
	for path, want := range map[string]struct {
		status int
		mime   string
		body   string // in it
	}{
		"/":                   {200, "text/html; charset=utf-8", `<pre id="donut" role="img"`},
		"/style.css":          {200, "text/css; charset=utf-8", "--donut"},
		"/js/stream.js":       {200, "text/javascript; charset=utf-8", "export"},
		"/donut.ttf":          {200, "font/ttf", "COLR"},
		"/donut.wasm":         {200, "application/wasm", string(module[:100])},
		"/healthz":            {200, "text/plain; charset=utf-8", "ok"},
		"/readyz":             {200, "text/plain; charset=utf-8", "ok"},
		"/nothing":            {404, "", ""},
		"/index.html/../../x": {404, "", ""},
		"/debug/pprof/":       {404, "", ""},
		"/ws":                 {426, "", ""},
	} {
		response, body := get(t, p.url+path)
		if response.StatusCode != want.status || want.mime != "" && response.Header.Get("Content-Type") != want.mime || !strings.Contains(body, want.body) {
			t.Errorf("GET %s: %d %s, %d bytes; want %d %s with %q", path, response.StatusCode,
				response.Header.Get("Content-Type"), len(body), want.status, want.mime, want.body)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options":     "nosniff",
			"Referrer-Policy":            "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin",
			"Permissions-Policy":         "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
			"Content-Security-Policy":    policyFor(script),
		} {
			if got := response.Header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}

	files := regexp.MustCompile(`(?:href|content|src)="(v/[0-9a-f]{16}/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(files) < 10 || strings.Contains(page, `"js/`) {
		t.Errorf("the page names %d of its files by their edition, and others without", len(files))
	}
	for _, file := range files {
		response, body := get(t, p.url+"/"+file[1])
		if got := response.Header.Get("Cache-Control"); response.StatusCode != 200 || body == "" || !strings.Contains(got, "immutable") {
			t.Errorf("GET /%s: %d with %d bytes, cached as %q; want it kept for ever", file[1], response.StatusCode, len(body), got)
		}
	}
	// A page that is still open when another edition is served gets that, and does not keep it.
	if response, _ := get(t, p.url+"/v/0123456789abcdef/js/stream.worker.js"); response.StatusCode != 200 ||
		response.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("a file of another edition: %d, cached as %q", response.StatusCode, response.Header.Get("Cache-Control"))
	}

	response, _ := get(t, p.url+"/donut.wasm")
	tag := response.Header.Get("ETag")
	if again, body := get(t, p.url+"/donut.wasm", "If-None-Match", tag); tag == "" || again.StatusCode != http.StatusNotModified || body != "" {
		t.Errorf("asked again with ETag %s: %d, %d bytes", tag, again.StatusCode, len(body))
	}

	_, link, _ := strings.Cut(page, `<meta name="module" content="`)
	link, _, _ = strings.Cut(link, `"`)
	response, body := get(t, p.url+"/"+link)
	if !strings.Contains(response.Header.Get("Cache-Control"), "immutable") || body != string(module) {
		t.Errorf("the page's module is at %q: %d bytes, which may be kept as %q", link, len(body), response.Header.Get("Cache-Control"))
	}

	digest := sha256.Sum256(module)
	want := hex.EncodeToString(digest[:])
	if _, body := get(t, p.url+"/api/stats"); !strings.Contains(body, want) || !strings.Contains(p.log.String(), want) {
		t.Errorf("the statistics and the start line name the module %s: %s\n%s", want, body, p.log)
	}
}
