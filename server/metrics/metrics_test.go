package metrics

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/distributed-donut/donut/server/cluster"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/terminal"
	"github.com/distributed-donut/donut/server/turnstile"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/wasm/wire"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// busy returns sources of which no number is 0 or twice there, but for those that count connections' ends.
func busy() Sources {
	connections := new(hub.Stats)
	connections.Accepted.Store(1001)
	connections.Replayed.Store(1002)
	durations := NewDurations()
	durations.Answered(250*time.Millisecond, false)
	durations.Answered(3*time.Second, true)
	durations.Audited(4 * time.Millisecond)
	durations.Encoded(6 * time.Millisecond)
	durations.Served(time.Second)
	durations.Probed(42 * time.Millisecond)
	return Sources{
		Playhead: func() uint64 { return 1 << 40 },
		Fleet: func() *orchestrator.Snapshot {
			return &orchestrator.Snapshot{
				Stats: wire.Stats{
					Viewers: 12, Workers: 5, Threads: 21, Aired: 300, Unaudited: 31, Fleet: 260, Server: 40, Stalled: 33,
					Audited: 270, Forged: 2, Evictions: 1, Hedged: 36, Wasted: 37, StreamSize: 18_900,
					Foreign: 50, Servers: 51, AllViewers: 60, AllWorkers: 7, AllThreads: 54,
				},
				Lead: 9500 * time.Millisecond, Late: 38, Missed: 39, VerifierErrors: 3, Disputed: 4, Trusted: 17,
			}
		},
		Hub: func() *hub.Stats { return connections },
		Terminals: func() terminal.Snapshot {
			return terminal.Snapshot{Streams: 6, Opened: 61, Skipped: 63, Slow: 64, Talked: 66, Recordings: 65,
				Refused: map[string]uint64{"full": 62, "address": 67, "rate": 68}}
		},
		Turnstile: func() turnstile.Stats {
			return turnstile.Stats{Open: 70, Dropped: map[string]uint64{"full": 71, "address": 72}}
		},
		Module: func() verify.Stats {
			return verify.Stats{Rendered: 310, Spent: 1500 * time.Millisecond, Started: 8, Condemned: 7, Overdue: 2}
		},
		Cluster: func() cluster.View {
			return cluster.View{
				Connected: true, Out: true, Measured: true, Ahead: -700 * time.Millisecond,
				Counters: cluster.Counters{
					Announced: 81, Heard: 82, ChunksPublished: 83, ChunksReceived: 84, ChunksFetched: 85, ChunksAnswered: 86,
					Fetches: 87, Malformed: cluster.Malformed{Announcement: 91, Frames: 92, Fetch: 93, Probe: 94, Reply: 95},
					Strangers: 96, Crowded: 97, Overrun: 98, Dropped: 99, Reconnects: 80, BytesSent: 8800, BytesReceived: 8900,
				},
				Members: []cluster.Member{
					{State: cluster.Alive, Measured: true, Offset: 20 * time.Millisecond, RoundTrip: 90 * time.Millisecond},
					{State: cluster.ClockOff, Measured: true, Offset: -3 * time.Second, RoundTrip: time.Millisecond},
					{State: cluster.Alive},
					{State: cluster.CutOff, Measured: true, Offset: time.Hour, RoundTrip: time.Hour},
				},
			}
		},
		Durations: durations, ModuleSHA256: strings.Repeat("5a", 32),
	}
}

func TestSeriesAreReadFromTheirSources(t *testing.T) {
	const want = `
donut_playhead_frame 1.099511627776e+12
donut_lead_seconds 9.5
donut_connections{role="viewer"} 7
donut_connections{role="worker"} 5
donut_connections{role="terminal"} 6
donut_servers 51
donut_cluster_connections{role="viewer"} 53
donut_cluster_connections{role="worker"} 7
donut_cluster_threads 54
donut_cluster_connected 1
donut_cluster_out 1
donut_cluster_members{state="alive"} 2
donut_cluster_members{state="silent"} 0
donut_cluster_members{state="other_module"} 0
donut_cluster_members{state="other_epoch_or_detail"} 0
donut_cluster_members{state="clock_off"} 1
donut_cluster_members{state="cut_off"} 1
donut_cluster_clock_offset_seconds -0.7
donut_cluster_clock_offset_max_seconds 3
donut_cluster_round_trip_max_seconds 0.09
donut_cluster_sent_messages_total{kind="announcement"} 81
donut_cluster_sent_messages_total{kind="chunk"} 83
donut_cluster_sent_messages_total{kind="fetch"} 87
donut_cluster_sent_messages_total{kind="answer"} 86
donut_cluster_received_messages_total{kind="announcement"} 82
donut_cluster_received_messages_total{kind="chunk"} 84
donut_cluster_received_messages_total{kind="answer"} 85
donut_cluster_lost_messages_total{reason="malformed_announcement"} 91
donut_cluster_lost_messages_total{reason="malformed_frames"} 92
donut_cluster_lost_messages_total{reason="malformed_fetch"} 93
donut_cluster_lost_messages_total{reason="malformed_probe"} 94
donut_cluster_lost_messages_total{reason="malformed_reply"} 95
donut_cluster_lost_messages_total{reason="stranger"} 96
donut_cluster_lost_messages_total{reason="crowded"} 97
donut_cluster_lost_messages_total{reason="overrun"} 98
donut_cluster_lost_messages_total{reason="not_sent"} 99
donut_cluster_sent_bytes_total 8800
donut_cluster_received_bytes_total 8900
donut_cluster_reconnects_total 80
donut_threads 21
donut_trusted_threads 17
donut_aired_frames_total{source="fleet"} 260
donut_aired_frames_total{source="server"} 40
donut_aired_frames_total{source="peer"} 50
donut_aired_unaudited_frames_total 31
donut_stream_bytes_total 18900
donut_stalled_frames_total 33
donut_hedged_frames_total 36
donut_wasted_frames_total 37
donut_late_frames_total 38
donut_missed_leases_total 39
donut_audited_frames_total 270
donut_forged_frames_total 2
donut_disputed_frames_total 4
donut_evictions_total 1
donut_verifier_errors_total 3
donut_module_frames_total 310
donut_module_cpu_seconds_total 1.5
donut_module_instances_started_total 8
donut_module_instances_condemned_total{reason="overdue"} 2
donut_module_instances_condemned_total{reason="failed"} 5
donut_plain_connections 70
donut_plain_connections_dropped_total{reason="full"} 71
donut_plain_connections_dropped_total{reason="address"} 72
donut_accepted_connections_total 1001
donut_refused_connections_total{reason="full"} 0
donut_refused_connections_total{reason="address"} 0
donut_refused_connections_total{reason="rate"} 0
donut_closed_connections_total{reason="draining"} 0
donut_closed_connections_total{reason="outdated"} 0
donut_closed_connections_total{reason="evicted"} 0
donut_closed_connections_total{reason="malformed"} 0
donut_closed_connections_total{reason="slow"} 0
donut_closed_connections_total{reason="full"} 0
donut_closed_connections_total{reason="silent"} 0
donut_closed_connections_total{reason="crowded"} 0
donut_closed_connections_total{reason="flooding"} 0
donut_queue_drops_total{reason="replay"} 1002
donut_queue_drops_total{reason="dismissal"} 0
donut_terminal_streams_opened_total 61
donut_terminal_streams_refused_total{reason="full"} 62
donut_terminal_streams_refused_total{reason="address"} 67
donut_terminal_streams_refused_total{reason="rate"} 68
donut_terminal_streams_talking_total 66
donut_terminal_queue_drops_total{reason="skip"} 63
donut_terminal_queue_drops_total{reason="dismissal"} 64
donut_recordings_total 65
donut_lease_duration_seconds_sum{outcome="on_time"} 0.25
donut_lease_duration_seconds_count{outcome="on_time"} 1
donut_lease_duration_seconds_sum{outcome="late"} 3
donut_lease_duration_seconds_count{outcome="late"} 1
donut_audit_cpu_seconds_sum 0.004
donut_audit_cpu_seconds_count 1
donut_encode_duration_seconds_sum 0.006
donut_encode_duration_seconds_count 1
donut_fanout_duration_seconds_sum 1
donut_fanout_duration_seconds_count 1
donut_clock_round_trip_seconds_sum 0.042
donut_clock_round_trip_seconds_count 1
`
	var got []string
	for line := range strings.Lines(scrape(t, busy())) {
		name, _, _ := strings.Cut(line, "{")
		if strings.HasPrefix(line, "donut_") && !strings.HasSuffix(name, "_bucket") && name != "donut_build_info" {
			got = append(got, strings.TrimSuffix(line, "\n"))
		}
	}
	expected := strings.Split(strings.TrimSpace(want), "\n")
	for _, line := range got {
		if !slices.Contains(expected, line) {
			t.Errorf("unexpected: %s", line)
		}
	}
	for _, line := range expected {
		if !slices.Contains(got, line) {
			t.Errorf("missing: %s", line)
		}
	}
}

// TestClusterHasSeriesWhereItIs has none of a server that is alone, and none of clocks that were not measured.
func TestClusterHasSeriesWhereItIs(t *testing.T) {
	of := []string{
		"donut_cluster_connected", "donut_cluster_out", "donut_cluster_members",
		"donut_cluster_sent_messages_total", "donut_cluster_received_messages_total", "donut_cluster_lost_messages_total",
		"donut_cluster_sent_bytes_total", "donut_cluster_received_bytes_total", "donut_cluster_reconnects_total",
		"donut_cluster_clock_offset_seconds", "donut_cluster_clock_offset_max_seconds",
		"donut_cluster_round_trip_max_seconds",
	}
	s := busy()
	for name, c := range map[string]struct {
		view  func() cluster.View
		there int // of these, from the front
	}{
		"a member of a cluster": {s.Cluster, len(of)},
		"one that has met nobody": {func() cluster.View {
			return cluster.View{Members: []cluster.Member{{Name: "a", State: cluster.Alive}}}
		}, 9},
		"a server alone": {nil, 0},
	} {
		s.Cluster = c.view
		got := exposed(scrape(t, s))
		for i, family := range of {
			if there := got[family] != nil; there != (i < c.there) {
				t.Errorf("%s has %s: %v", name, family, there)
			}
		}
	}
}

// TestNobodyMakesSeries gives a member any name: the series stay those that there were.
func TestNobodyMakesSeries(t *testing.T) {
	s := busy()
	before := strings.Count(scrape(t, s), "\ndonut_")
	view := s.Cluster()
	for i := range 300 {
		invented := cluster.Member{Name: "invented " + strconv.Itoa(i), State: cluster.OtherModule}
		view.Members = append(view.Members, invented)
	}
	s.Cluster = func() cluster.View { return view }
	after := scrape(t, s)
	if strings.Contains(after, "invented") || strings.Count(after, "\ndonut_") != before {
		t.Error("a member's name becomes a series")
	}
}

// scrape asks a handler once, in the text format.
func scrape(t *testing.T, s Sources) string {
	t.Helper()
	answer := httptest.NewRecorder()
	Handler(s).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(answer.Result().Body)
	if err != nil || answer.Code != http.StatusOK {
		t.Fatalf("scrape: %d, %v: %s", answer.Code, err, body)
	}
	return string(body)
}

func TestBuildInfoNamesTheModule(t *testing.T) {
	s := busy()
	got := scrape(t, s)
	_, labels, _ := strings.Cut(got, "\ndonut_build_info{")
	labels, _, _ = strings.Cut(labels, "\n")
	for _, want := range []string{
		`module_sha256="` + s.ModuleSHA256 + `"`, `version="` + version() + `"`, `goversion="go`, "} 1",
	} {
		if !strings.Contains(labels, want) {
			t.Errorf("donut_build_info{%s lacks %s", labels, want)
		}
	}
}

func TestProcessAndRuntimeAreThere(t *testing.T) {
	got := scrape(t, busy())
	for _, want := range []string{"process_resident_memory_bytes", "process_cpu_seconds_total", "go_goroutines"} {
		if !strings.Contains(got, "\n"+want) {
			t.Errorf("no %s", want)
		}
	}
}

// TestNamesKeepTheConventions applies the rules of `promtool check metrics`.
func TestNamesKeepTheConventions(t *testing.T) {
	problems, err := testutil.GatherAndLint(newRegistry(busy()))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestDurationsAllocateNothing(t *testing.T) {
	d := NewDurations()
	for name, observe := range map[string]func(){
		"Answered": func() { d.Answered(time.Millisecond, false) },
		"late":     func() { d.Answered(time.Millisecond, true) },
		"Audited":  func() { d.Audited(time.Millisecond) },
		"Encoded":  func() { d.Encoded(time.Millisecond) },
		"Served":   func() { d.Served(time.Millisecond) },
		"Probed":   func() { d.Probed(time.Millisecond) },
	} {
		if got := testing.AllocsPerRun(100, observe); got != 0 {
			t.Errorf("%s allocates %v times", name, got)
		}
	}
}
