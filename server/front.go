package main

import (
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"

	"github.com/distributed-donut/donut/wasm/donut"
)

// A front is what is at the root: the page for browsers, and the ways in as text for everybody else.
type front struct {
	page  asset
	still string // a donut that does not move
}

func newFront(page asset) front {
	var p donut.Picture
	donut.NewRenderer(1).Render(&p, 0)
	return front{page: page, still: small(&p)}
}

// ServeHTTP implements http.Handler.
func (f front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Add("Vary", "Accept")
	if wantsPage(r.Header.Values("Accept")) {
		f.page.ServeHTTP(w, r)
		return
	}
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Cache-Control", "no-store") // it names the host that was asked for
	secure, host := "", hostOf(r)
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		secure = "s"
	}
	fmt.Fprint(w, f.still, "\n")
	urls := strings.NewReplacer("{http}", "http"+secure+"://"+host, "{ws}", "ws"+secure+"://"+host)
	for _, way := range ways {
		fmt.Fprintf(w, "%s\n    %s\n", way.what, urls.Replace(way.how))
	}
}

// ways are the ways in, with the server's URLs left out.
var ways = []struct{ what, how string }{
	{"A fleet of browser tabs renders the donut. To join it, open", "{http}/"},
	{"To watch it in this terminal, at up to 60 frames a second", "curl -N '{http}/live.ansi?fps=30'"},
	{"To keep the last seconds, up to 60, and play them: asciinema play donut.cast",
		"curl -f --retry 1 -o donut.cast '{http}/donut.cast?seconds=10'"},
	{"To show it on any page, give asciinema's player the URL", "{ws}/live.alis"},
	{"What the server says of itself, as JSON", "curl '{http}/api/stats'"},
}

// wantsPage reports whether a client asks for HTML: browsers do by name, while curl takes anything. One that says
// nothing gets what browsers get.
func wantsPage(accept []string) bool {
	return len(accept) == 0 || accepts(accept, "text/html") || accepts(accept, "application/xhtml+xml")
}

// hostPattern is what a host looks like, or an address, with or without a port.
var hostPattern = regexp.MustCompile(`^([0-9A-Za-z._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)

// hostOf returns the host that a client asked for, which may have written anything there. Where that is no host it is
// the address at which it was reached.
func hostOf(r *http.Request) string {
	if hostPattern.MatchString(r.Host) {
		return r.Host
	}
	if addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return addr.String()
	}
	return "localhost"
}

// small returns a picture as text, half as wide and half as high: of each four cells the brightest.
func small(p *donut.Picture) string {
	var b strings.Builder
	for row := 0; row < donut.Rows; row += 2 {
		var line []byte
		for column := 0; column < donut.Width-1; column += 2 {
			i := row*donut.Width + column
			line = append(line, donut.Alphabet[max(p[i], p[i+1], p[i+donut.Width], p[i+donut.Width+1])])
		}
		if text := strings.TrimRight(string(line), " "); text != "" {
			b.WriteString(text + "\n")
		}
	}
	return b.String()
}
