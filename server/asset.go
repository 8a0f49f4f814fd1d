package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// An asset is a file in memory. Browsers keep it and ask each time whether it is still the same, but for those who name
// its version, or the page's edition: these never change.
type asset struct {
	name, mime string
	version    string // of its content
	edition    string // of all files of the page, where it is one of them
	content    []byte
	gzip       []byte // the same, compressed; nil where that saves nothing
}

// kinds are media types that this machine's tables may lack, or have otherwise.
var kinds = map[string]string{".wasm": "application/wasm", ".ttf": "font/ttf"}

// newAsset returns an asset of some content and what should be its compressed form.
func newAsset(name string, content, gzip []byte) asset {
	kind, ok := kinds[path.Ext(name)]
	if !ok {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	if len(gzip) >= len(content) || !isOf(gzip, content) {
		gzip = nil
	}
	sum := sha256.Sum256(content)
	return asset{name: name, mime: kind, version: fmt.Sprintf("%x", sum[:16]), content: content, gzip: gzip}
}

// isOf reports whether something compressed is of some content, by the checksum and the size at its end: RFC 1952.
func isOf(gzip, content []byte) bool {
	const trailer = 8
	if len(gzip) < trailer {
		return false
	}
	end := binary.LittleEndian.AppendUint32(nil, crc32.ChecksumIEEE(content))
	end = binary.LittleEndian.AppendUint32(end, uint32(len(content)))
	return bytes.HasSuffix(gzip, end)
}

// compress returns content in gzip's format.
func compress(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one that there is
	w.Write(content)                                      // a bytes.Buffer takes everything
	w.Close()
	return b.Bytes()
}

// url is where the asset is for ever.
func (a asset) url() string { return a.name + "?" + url.Values{"v": {a.version}}.Encode() }

// ServeHTTP implements http.Handler.
func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.mime)
	header.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.version || a.edition != "" && r.PathValue("edition") == a.edition {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	content, tag := a.content, a.version
	if a.gzip != nil {
		header.Add("Vary", "Accept-Encoding")
		if accepts(r.Header.Values("Accept-Encoding"), "gzip") {
			content, tag = a.gzip, a.version+"-gzip"
			header.Set("Content-Encoding", "gzip")
			header.Set("Content-Length", strconv.Itoa(len(content))) // ServeContent leaves it out
		}
	}
	header.Set("ETag", strconv.Quote(tag))
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(content))
}

// accepts reports whether a header of RFC 9110, section 12.5, names something, as in Accept and Accept-Encoding, and does
// not refuse it. It errs on the side of no.
func accepts(header []string, what string) bool {
	for item := range strings.SplitSeq(strings.Join(header, ","), ",") {
		name, parameters, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), what) {
			continue
		}
		for parameter := range strings.SplitSeq(parameters, ";") {
			refused := []string{"q=0", "q=0.", "q=0.0", "q=0.00", "q=0.000"}
			if slices.Contains(refused, strings.ToLower(strings.TrimSpace(parameter))) {
				return false
			}
		}
		return true
	}
	return false
}
