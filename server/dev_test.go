package main

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// TestDevShowsWhatIsOnDisk changes files of the page while the server runs.
func TestDevShowsWhatIsOnDisk(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("index.html", "first")
	write("js/a.js", "one")
	p := start(t, "-dev", folder)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for _, change := range []struct{ page, script string }{{"first", "one"}, {"second", "two"}} {
		write("index.html", change.page)
		write("js/a.js", change.script)
		for path, want := range map[string]string{"/": change.page, "/js/a.js": change.script} {
			response, body := get(t, p.url+path, "Accept", "text/html", "If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")
			if body != want || response.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("GET %s: %s %q, cached as %q; want %q, and no-store", path, response.Status, body,
					response.Header.Get("Cache-Control"), want)
			}
			if got := response.Header.Get("Content-Security-Policy"); got != policyFor("") {
				t.Errorf("GET %s: policy %q, want the usual one", path, got)
			}
		}
	}
	for path, want := range map[string]int{"/healthz": 200, "/donut.wasm": 200, "/missing.js": 404, "/..%2f..%2fetc/passwd": 404} {
		if response, _ := get(t, p.url+path); response.StatusCode != want {
			t.Errorf("GET %s: %s, want %d", path, response.Status, want)
		}
	}
}

// TestDevServesThePageAsItIs starts with the folder of this checkout.
func TestDevServesThePageAsItIs(t *testing.T) {
	p := start(t, "-dev", "../web/static")
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	for path, file := range map[string]string{"/": "index.html", "/js/stream.js": "js/stream.js"} {
		want, err := os.ReadFile("../web/static/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if _, body := get(t, p.url+path); body != string(want) {
			t.Errorf("GET %s: %d bytes, want %s as it is", path, len(body), file)
		}
	}
}
