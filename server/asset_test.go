package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAccepts(t *testing.T) {
	for header, want := range map[string]bool{
		"":                             false,
		"gzip":                         true,
		"br, GZIP ;q=0.5":              true,
		"deflate, gzip, br, zstd":      true,
		"br":                           false,
		"gzip;q=0":                     false,
		"br, gzip ; q=0.000":           false,
		"gzip;level=1;q=0":             false,
		"gzip;level=1;q=1.0":           true,
		"x-gzip":                       false,
		"identity;q=1, *;q=0":          false,
		strings.Repeat(",;q=0,", 1000): false,
	} {
		if got := accepts([]string{header}, "gzip"); got != want {
			t.Errorf("%.40q: %v, want %v", header, got, want)
		}
	}
	if !accepts([]string{"br", "gzip"}, "gzip") {
		t.Error("gzip in a second line is overlooked")
	}
}

func TestAsset(t *testing.T) {
	content := []byte(strings.Repeat("a text that is easy to compress ", 100))
	ask := func(a asset, query string, header ...string) *http.Response {
		r := httptest.NewRequest(http.MethodGet, "/"+a.name+query, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		return w.Result()
	}
	a := newAsset("file.txt", content, compress(content))

	plain, packed := ask(a, ""), ask(a, "", "Accept-Encoding", "gzip")
	if got, _ := io.ReadAll(plain.Body); !bytes.Equal(got, content) || plain.Header.Get("Content-Encoding") != "" {
		t.Errorf("asked for it as it is: %d bytes, encoded %q", len(got), plain.Header.Get("Content-Encoding"))
	}
	unpacked, err := gzip.NewReader(packed.Body)
	if err != nil || packed.Header.Get("Content-Encoding") != "gzip" || packed.ContentLength <= 0 || packed.ContentLength >= int64(len(content)) {
		t.Fatalf("asked for it compressed: %v, encoded %q, %d bytes", err, packed.Header.Get("Content-Encoding"), packed.ContentLength)
	}
	if got, err := io.ReadAll(unpacked); err != nil || !bytes.Equal(got, content) {
		t.Errorf("uncompressed it has %d bytes, %v", len(got), err)
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") || plain.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("tags %s and %s, vary %q: caches could mistake one for the other", plain.Header.Get("ETag"), packed.Header.Get("ETag"),
			plain.Header.Get("Vary"))
	}
	if again := ask(a, "", "Accept-Encoding", "gzip", "If-None-Match", packed.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d, want not modified", again.StatusCode)
	}

	_, query, _ := strings.Cut(a.url(), a.name)
	for query, want := range map[string]string{
		"": "no-cache", "?v=": "no-cache", "?v=" + strings.Repeat("0", 32): "no-cache", query: "public, max-age=31536000, immutable",
	} {
		if got := ask(a, query).Header.Get("Cache-Control"); got != want {
			t.Errorf("%s: may be kept as %q, want %q", query, got, want)
		}
	}

	other := compress([]byte(strings.Repeat("a text that is of something else", 100)))
	for name, packed := range map[string][]byte{"of something else": other, "none": nil, "too short": {1, 2}, "no smaller": append(content, compress(content)...)} {
		if got := ask(newAsset("file.txt", content, packed), "", "Accept-Encoding", "gzip"); got.Header.Get("Content-Encoding") != "" {
			t.Errorf("a compressed form that is %s is sent", name)
		}
	}
}
