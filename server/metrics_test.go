package main

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// series says what of /metrics each number of /api/stats is: the sum of these series, or a quotient of two such sums.
var series = map[string]struct{ sum, by []string }{
	"frame":                  {sum: []string{`donut_playhead_frame`}},
	"lead_seconds":           {sum: []string{`donut_lead_seconds`}},
	"viewers":                {sum: []string{`donut_connections{role="viewer"}`, `donut_connections{role="worker"}`}},
	"workers":                {sum: []string{`donut_connections{role="worker"}`}},
	"threads":                {sum: []string{`donut_threads`}},
	"trusted_threads":        {sum: []string{`donut_trusted_threads`}},
	"aired_frames":           {sum: aired},
	"aired_unaudited_frames": {sum: []string{`donut_aired_unaudited_frames_total`}},
	"fleet_frames":           {sum: []string{`donut_aired_frames_total{source="fleet"}`}},
	"server_frames":          {sum: []string{`donut_aired_frames_total{source="server"}`}},
	"audited_frames":         {sum: []string{`donut_audited_frames_total`}},
	"forged_frames":          {sum: []string{`donut_forged_frames_total`}},
	"evictions":              {sum: []string{`donut_evictions_total`}},
	"stalled_frames":         {sum: []string{`donut_stalled_frames_total`}},
	"hedged_frames":          {sum: []string{`donut_hedged_frames_total`}},
	"wasted_frames":          {sum: []string{`donut_wasted_frames_total`}},
	"late_frames":            {sum: []string{`donut_late_frames_total`}},
	"disputed_frames":        {sum: []string{`donut_disputed_frames_total`}},
	"bytes_per_frame":        {sum: []string{`donut_stream_bytes_total`}, by: aired},
	"audit_rate":             {sum: append([]string{`-donut_aired_unaudited_frames_total`}, aired...), by: aired},
	"viewer_replays":         {sum: []string{`donut_queue_drops_total{reason="replay"}`}},
	"verifier_errors":        {sum: []string{`donut_verifier_errors_total`}},
	"audit_cpu_seconds":      {sum: []string{`donut_audit_cpu_seconds_sum`}},
	"module_cpu_seconds":     {sum: []string{`donut_module_cpu_seconds_total`}},
	"module_frames":          {sum: []string{`donut_module_frames_total`}},
	"streams":                {sum: []string{`donut_connections{role="terminal"}`}},
	"streams_opened":         {sum: []string{`donut_terminal_streams_opened_total`}},
	"streams_talking":        {sum: []string{`donut_terminal_streams_talking_total`}},
	"stream_skips":           {sum: []string{`donut_terminal_queue_drops_total{reason="skip"}`}},
	"streams_slow":           {sum: []string{`donut_terminal_queue_drops_total{reason="dismissal"}`}},
	"peer_frames":            {sum: []string{`donut_aired_frames_total{source="peer"}`}},
	"servers":                {sum: []string{`donut_servers`}},
	"cluster_viewers":        {sum: []string{`donut_cluster_connections{role="viewer"}`, `donut_cluster_connections{role="worker"}`}},
	"cluster_workers":        {sum: []string{`donut_cluster_connections{role="worker"}`}},
	"cluster_threads":        {sum: []string{`donut_cluster_threads`}},
	"plain_connections":      {sum: []string{`donut_plain_connections`}},
	"recordings":             {sum: []string{`donut_recordings_total`}},
}

var aired = []string{`donut_aired_frames_total{source="fleet"}`, `donut_aired_frames_total{source="server"}`, `donut_aired_frames_total{source="peer"}`}

// counts are the fields of /api/stats that hold a number for each reason, and the counters that do.
var counts = map[string]string{
	"refused": "donut_refused_connections_total", "closed": "donut_closed_connections_total",
	"streams_refused": "donut_terminal_streams_refused_total", "plain_connections_dropped": "donut_plain_connections_dropped_total",
}

// scrape reads /metrics.
func (p program) scrape(t *testing.T) map[string]float64 {
	t.Helper()
	response, body := get(t, p.admin+"/metrics")
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET /metrics: %s", response.Status)
	}
	samples := make(map[string]float64)
	for line := range strings.Lines(body) {
		if at := strings.LastIndexByte(line, ' '); !strings.HasPrefix(line, "#") {
			value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
			if err != nil {
				t.Fatalf("/metrics says %q: %v", line, err)
			}
			samples[line[:at]] = value
		}
	}
	return samples
}

// flat returns the numbers of /api/stats by the name that compare has for them, and the digest of the module.
func (p program) flat(t *testing.T) (numbers map[string]float64, digest string) {
	t.Helper()
	var stats map[string]any
	if _, body := get(t, p.url+"/api/stats"); json.Unmarshal([]byte(body), &stats) != nil {
		t.Fatalf("/api/stats is %s", body)
	}
	numbers = make(map[string]float64)
	for name, value := range stats {
		switch value := value.(type) {
		case float64:
			numbers[name] = value
		case map[string]any:
			for reason, n := range value {
				numbers[name+" "+reason] = n.(float64)
			}
		case string:
			if digest = value; name != "module_sha256" {
				t.Errorf("/api/stats has a text %q, of which /metrics says nothing", name)
			}
		}
	}
	return numbers, digest
}

// sumOf adds samples up, those whose name begins with - subtracted. It fails where there is no such sample.
func sumOf(t *testing.T, samples map[string]float64, names []string) (sum float64) {
	t.Helper()
	for _, name := range names {
		bare, negative := strings.CutPrefix(name, "-")
		value, ok := samples[bare]
		if !ok {
			t.Errorf("/metrics has no %s", bare)
		}
		if negative {
			value = -value
		}
		sum += value
	}
	return sum
}

// translate computes the numbers of /api/stats that are named in like from samples of /metrics.
func translate(t *testing.T, samples, like map[string]float64) map[string]float64 {
	t.Helper()
	numbers := make(map[string]float64)
	for name := range like {
		if field, reason, ok := strings.Cut(name, " "); ok && counts[field] != "" {
			numbers[name] = sumOf(t, samples, []string{counts[field] + `{reason="` + reason + `"}`})
			continue
		}
		s, ok := series[name]
		if !ok {
			t.Errorf("%s of /api/stats has no series", name)
			continue
		}
		numbers[name] = sumOf(t, samples, s.sum)
		if by := sumOf(t, samples, s.by); by != 0 {
			numbers[name] /= by
		}
	}
	return numbers
}

// equal reports whether numbers are, but for the playhead, which never stands still, and for how sums are rounded.
func equal(a, b map[string]float64) bool {
	for name := range a {
		if name != "frame" && math.Abs(a[name]-b[name]) > 1e-9*math.Abs(a[name]) {
			return false
		}
	}
	return len(a) == len(b)
}

// TestMetricsSayWhatTheStatisticsSay has workers, one of them a forger, and terminals come and go, and compares while
// some of them are there.
func TestMetricsSayWhatTheStatisticsSay(t *testing.T) {
	p := start(t, "-admin-addr", "127.0.0.1:0", "-max-streams", "1",
		"-trusted-proxies", "127.0.0.0/8", "-max-per-address", "1")
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	view(t, p, "")
	get(t, p.url+"/live.ansi") // is one too many
	worker := join(t, p, 2)
	played := make(chan error, 1)
	go func() { played <- worker.play() }()
	forger := joinFrom(t, p, 1, "203.0.113.9")
	forger.spoil = func(picture *donut.Picture, _ uint64) { picture[0] ^= 1 }
	crowd := dial(t, p, "203.0.113.9", nil)
	crowd.read()
	crowd.socket.CloseNow()
	if forger.play(); forger.goodbye.Reason != wire.ReasonEvicted {
		t.Fatalf("the forger was told %v", forger.goodbye.Reason)
	}
	await(t, "the fleet renders", func() bool { return p.statistic(t, "fleet_frames") > 100 })
	worker.socket.CloseNow()
	<-played
	join(t, p, 3) // and never answers, so that nothing is audited from here on
	await(t, "the statistics know of all that", func() bool {
		return p.statistic(t, "evictions") == 1 && p.statistic(t, "threads") == 3
	})

	var before, got, after map[string]float64
	var samples map[string]float64
	await(t, "what /metrics says lies between what /api/stats says before and after", func() bool {
		before, _ = p.flat(t)
		samples = p.scrape(t)
		after, _ = p.flat(t)
		got = translate(t, samples, before)
		return t.Failed() || equal(before, after) && equal(before, got)
	})
	if got["frame"] < before["frame"] || got["frame"] > after["frame"] {
		t.Errorf("the playhead is at %v, want %v to %v", got["frame"], before["frame"], after["frame"])
	}
	for name := range series {
		if _, ok := before[name]; !ok {
			t.Errorf("/api/stats has no number %q any more", name)
		}
	}
	for _, name := range []string{
		"lead_seconds", "viewers", "workers", "threads", "fleet_frames", "server_frames", "audited_frames", "forged_frames",
		"evictions", "bytes_per_frame", "audit_rate", "audit_cpu_seconds", "module_cpu_seconds", "module_frames", "streams",
		"streams_opened", "streams_refused full", "refused address", "closed evicted", "closed crowded",
	} {
		if got[name] == 0 {
			t.Errorf("%s is 0: nothing is compared", name)
		}
	}
	for _, name := range []string{
		`donut_lease_duration_seconds_count{outcome="on_time"}`, `donut_audit_cpu_seconds_count`,
		`donut_encode_duration_seconds_count`, `donut_fanout_duration_seconds_count`,
	} {
		if samples[name] == 0 {
			t.Errorf("%s is 0: nobody is told", name)
		}
	}

	_, digest := p.flat(t)
	named := false
	for name := range samples {
		named = named || strings.HasPrefix(name, "donut_build_info{") && strings.Contains(name, `module_sha256="`+digest+`"`)
	}
	if !named {
		t.Errorf("/metrics does not name the module %s", digest)
	}
	if response, _ := get(t, p.url+"/metrics"); response.StatusCode != http.StatusNotFound {
		t.Errorf("GET /metrics in public: %s", response.Status)
	}
}
