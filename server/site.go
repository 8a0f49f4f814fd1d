package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/pprof"
	"regexp"
	"strings"

	"github.com/distributed-donut/donut/server/cluster"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/terminal"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/turnstile"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/web"
)

// policyFor lets the page run its own scripts, workers and module, and the script that is written into it, if any, use its
// own styles and typeface, open its own socket, and nothing else.
func policyFor(script string) string {
	within := ""
	if script != "" {
		digest := sha256.Sum256([]byte(script))
		within = " 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'"
	}
	return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'" + within + "; worker-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; " +
		"form-action 'none'; frame-ancestors 'none'"
}

// The script that is served within the page, and where it stands: it would else be a request that all others wait for.
const (
	bootFile = "js/boot.js"
	bootLink = `<script src="` + bootFile + `"></script>`
)

// A site is all that is served to the public.
type site struct {
	mux    *http.ServeMux
	policy string
}

// newSite reads the page's files, and the module, into memory. With dev the page is served from that folder instead.
func newSite(module []byte, dev string, socket http.Handler, relay *terminal.Relay, stats, ready http.Handler) (*site, error) {
	s := &site{mux: http.NewServeMux(), policy: policyFor("")}
	s.mux.Handle("GET /ws", socket)
	s.mux.HandleFunc("GET /live.ansi", relay.ServeANSI)
	s.mux.HandleFunc("GET /donut.cast", relay.ServeCast)
	s.mux.HandleFunc("GET /live.alis", relay.ServeALiS)
	s.mux.Handle("GET /api/stats", stats)
	s.mux.HandleFunc("GET /healthz", alive)
	s.mux.Handle("GET /readyz", ready)
	donut := newAsset("donut.wasm", module, web.CompressedModule())
	s.mux.Handle("GET /donut.wasm", donut)
	if dev != "" {
		page, err := pageIn(dev)
		if err != nil {
			return nil, err
		}
		s.mux.Handle("GET /", asOnDisk(page))
		return s, nil
	}
	files, edition, err := readPage()
	if err != nil {
		return nil, fmt.Errorf("read the page's files: %w", err)
	}
	s.policy = policyFor(files[bootFile])
	for name, content := range files {
		if name == "index.html" {
			content = strings.ReplaceAll(content, `"donut.wasm"`, `"`+donut.url()+`"`)
			content = strings.Replace(content, bootLink, "<script>"+files[bootFile]+"</script>", 1)
			content = ownFile.ReplaceAllString(content, `${1}="`+editions+edition+`/${2}"`)
			s.mux.Handle("GET /{$}", newFront(newAsset(name, []byte(content), compress([]byte(content)))))
			continue
		}
		file := newAsset(name, []byte(content), compress([]byte(content)))
		file.edition = edition
		s.mux.Handle("GET /"+name, file)
		s.mux.Handle("GET /"+editions+"{edition}/"+name, file)
	}
	return s, nil
}

// editions is where the page's files are by the edition that they belong to. Modules import each other by relative URLs,
// so that all of them are of the same one, and none is asked for twice.
const editions = "v/"

// ownFile finds where the page names one of its files.
var ownFile = regexp.MustCompile(`(href|content|src)="((?:js/)?[a-z.-]+\.(?:js|css|svg|ttf))"`)

// readPage returns the page's files by their names, and what they are all known by, which changes when any of them does.
func readPage() (files map[string]string, edition string, err error) {
	files = make(map[string]string)
	sum := sha256.New()
	err = fs.WalkDir(web.Static(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(web.Static(), name)
		fmt.Fprintf(sum, "%s %d\n%s", name, len(content), content)
		files[name] = string(content)
		return err
	})
	return files, fmt.Sprintf("%x", sum.Sum(nil)[:8]), err
}

// ServeHTTP implements http.Handler.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Security-Policy", s.policy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
	s.mux.ServeHTTP(w, r)
}

// statistics answers /api/stats.
type statistics struct {
	clock *timeline.Clock
	fleet *orchestrator.Orchestrator
	hub   *hub.Hub
	relay *terminal.Relay
	pool  *verify.Pool

	turnstile *turnstile.Listener
	view      func() cluster.View // nil where the server is alone
}

// ServeHTTP implements http.Handler.
func (s statistics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	snapshot, terminals, plain := s.fleet.Snapshot(), s.relay.Stats(), s.turnstile.Stats()
	now, _ := s.clock.Now()
	stats := struct {
		Frame          uint64  `json:"frame"`
		LeadSeconds    float64 `json:"lead_seconds"`
		Viewers        uint64  `json:"viewers"`
		Workers        uint64  `json:"workers"`
		Threads        uint64  `json:"threads"`
		Aired          uint64  `json:"aired_frames"`
		Unaudited      uint64  `json:"aired_unaudited_frames"`
		Fleet          uint64  `json:"fleet_frames"`
		Server         uint64  `json:"server_frames"`
		Audited        uint64  `json:"audited_frames"`
		Forged         uint64  `json:"forged_frames"`
		Evictions      uint64  `json:"evictions"`
		Stalled        uint64  `json:"stalled_frames"`
		Hedged         uint64  `json:"hedged_frames"`
		Wasted         uint64  `json:"wasted_frames"`
		Late           uint64  `json:"late_frames"`
		BytesPerFrame  float64 `json:"bytes_per_frame"`
		AuditRate      float64 `json:"audit_rate"`
		Replays        uint64  `json:"viewer_replays"`
		VerifierErrors uint64  `json:"verifier_errors"`
		Trusted        uint64  `json:"trusted_threads"`
		Disputed       uint64  `json:"disputed_frames"`
		AuditSeconds   float64 `json:"audit_cpu_seconds"`
		ModuleSeconds  float64 `json:"module_cpu_seconds"`
		ModuleFrames   uint64  `json:"module_frames"`
		ModuleSHA256   string  `json:"module_sha256"`

		Foreign    uint64 `json:"peer_frames"` // rendered by other servers of the cluster
		Servers    uint64 `json:"servers"`     // in the cluster, this one included; the totals are of all of them
		AllViewers uint64 `json:"cluster_viewers"`
		AllWorkers uint64 `json:"cluster_workers"`
		AllThreads uint64 `json:"cluster_threads"`

		Cluster *clusterStats `json:"cluster"` // null where the server is alone
		Members []memberStats `json:"members"`

		Streams        int    `json:"streams"` // to terminals, now; the others are totals
		StreamsOpened  uint64 `json:"streams_opened"`
		StreamSkips    uint64 `json:"stream_skips"`    // times that a slow reader missed frames
		StreamsSlow    uint64 `json:"streams_slow"`    // ended because a write took too long
		StreamsTalking uint64 `json:"streams_talking"` // ended because their client sent something
		Recordings     uint64 `json:"recordings"`

		StreamsRefused map[string]uint64 `json:"streams_refused"` // never let in

		Plain        int               `json:"plain_connections"`         // without a socket, now
		PlainDropped map[string]uint64 `json:"plain_connections_dropped"` // closed because there were too many

		Refused map[string]uint64 `json:"refused"` // never let in
		Closed  map[string]uint64 `json:"closed"`  // told goodbye, or cut off where no goodbye would have come through
	}{
		Frame: now.Frame(), LeadSeconds: snapshot.Lead.Seconds(),
		Viewers: snapshot.Viewers, Workers: snapshot.Workers, Threads: snapshot.Threads,
		Aired: snapshot.Aired, Unaudited: snapshot.Unaudited, Fleet: snapshot.Fleet, Server: snapshot.Server,
		Audited: snapshot.Audited, Forged: snapshot.Forged, Evictions: snapshot.Evictions, Stalled: snapshot.Stalled,
		Hedged: snapshot.Hedged, Wasted: snapshot.Wasted, Late: snapshot.Late,
		Replays: s.hub.Stats().Replayed.Load(), VerifierErrors: snapshot.VerifierErrors,
		Trusted: snapshot.Trusted, Disputed: snapshot.Disputed, AuditSeconds: snapshot.AuditTime.Seconds(),
		ModuleSeconds: s.pool.Stats().Spent.Seconds(), ModuleFrames: s.pool.Stats().Rendered, ModuleSHA256: hexDigest(s.pool),
		Streams: terminals.Streams, StreamsOpened: terminals.Opened, StreamsRefused: terminals.Refused,
		StreamSkips: terminals.Skipped, StreamsSlow: terminals.Slow, StreamsTalking: terminals.Talked,
		Recordings: terminals.Recordings, Foreign: snapshot.Foreign, Servers: snapshot.Servers,
		AllViewers: snapshot.AllViewers, AllWorkers: snapshot.AllWorkers, AllThreads: snapshot.AllThreads,
		Plain: plain.Open, PlainDropped: plain.Dropped,
		Refused: s.hub.Stats().RefusedByName(), Closed: s.hub.Stats().ClosedByName(),
	}
	if aired := float64(snapshot.Aired); aired > 0 {
		stats.BytesPerFrame = float64(snapshot.StreamSize) / aired
		stats.AuditRate = (aired - float64(snapshot.Unaudited)) / aired
	}
	stats.Members = []memberStats{}
	if s.view != nil {
		stats.Cluster, stats.Members = showCluster(s.view())
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.Encode(stats) // an error means that nobody reads
}

// adminHandler is what operators get.
func adminHandler(metrics http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
