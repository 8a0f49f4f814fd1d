package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/distributed-donut/donut/server/cluster/natstest"
)

// TestServersRenderTogether has the tabs of one server render for a viewer of two others, over a real NATS.
func TestServersRenderTogether(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	nats := natstest.Start(t)
	var servers [3]program
	for i := range servers {
		name := fmt.Sprint("server ", i)
		servers[i] = start(t, "-admin-addr", "127.0.0.1:0", "-nats", nats.URL(), "-server-name", name)
	}
	worker := join(t, servers[0], 2)
	go worker.play()
	servers[0].gathered(t)

	viewer := join(t, servers[1], 0)
	check := newWatch(t, 1)
	viewer.seen = check.frame
	go viewer.play()
	// It has just come, and has to find the others before it can leave the work to them; on a busy machine it may also miss
	// some announcements.
	own, peer := servers[1].statistic(t, "server_frames"), 0.
	await(t, "it airs 300 frames of others, and renders less than half as many itself meanwhile", func() bool {
		now := servers[1].statistic(t, "peer_frames")
		if now < peer+300 {
			return false
		}
		before := own
		own, peer = servers[1].statistic(t, "server_frames"), now
		return own-before < 150
	})
	if _, missing := check.counts(); missing > 0 {
		t.Errorf("%d frames are missing", missing)
	}
	for name, want := range map[string]float64{
		"servers": 3, "viewers": 1, "workers": 0, "cluster_viewers": 2, "cluster_workers": 1, "cluster_threads": 2,
		"stalled_frames": 0, "forged_frames": 0,
	} {
		await(t, fmt.Sprintf("%s is %v", name, want), func() bool { return servers[1].statistic(t, name) == want })
	}
	await(t, "the statistics know the others by name, and what their clocks show", func() bool {
		own, others := servers[1].company(t)
		if own == nil || own.Name != "server 1" || !own.Connected || own.StaysOut || own.Offset == nil || len(others) != 2 {
			return false
		}
		slices.SortFunc(others, func(a, b memberStats) int { return strings.Compare(a.Name, b.Name) })
		first, last := others[0], others[1]
		return first.Name == "server 0" && last.Name == "server 2" && first.State == "alive" && last.State == "alive" &&
			first.Offset != nil && last.RoundTrip != nil && first.Workers == 1 && first.Threads == 2 &&
			first.Capacity > 0 && first.Heard >= 0
	})
	alive := func() float64 { return servers[0].scrape(t)[`donut_cluster_members{state="alive"}`] }
	if got := alive(); got != 2 {
		t.Errorf("/metrics says that %v other servers are alive, want 2", got)
	}
	if err := servers[2].stop(); err != nil {
		t.Error(err)
	}
	await(t, "the one that left is told apart from the other", func() bool {
		_, others := servers[0].company(t)
		return len(others) == 2 && others[0].State == "alive" && others[0].Name == "server 1" &&
			others[1].State == "silent" && others[1].Why != "" && alive() == 1
	})
}

// company returns what /api/stats says of the other servers, nil for a server that has none to meet.
func (p program) company(t *testing.T) (*clusterStats, []memberStats) {
	t.Helper()
	var stats struct {
		Cluster *clusterStats
		Members []memberStats
	}
	_, body := get(t, p.url+"/api/stats")
	if err := json.Unmarshal([]byte(body), &stats); err != nil || stats.Members == nil {
		t.Fatalf("/api/stats is %s: %v", body, err)
	}
	return stats.Cluster, stats.Members
}

func TestServerAloneHasNoMembers(t *testing.T) {
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	if own, others := start(t).company(t); own != nil || len(others) != 0 {
		t.Errorf("a server without NATS is in a cluster: %+v, %v", own, others)
	}
}

// TestServerWithoutItsNATSIsAServerAlone says which NATS it misses, and no password.
func TestServerWithoutItsNATSIsAServerAlone(t *testing.T) {
	const password = "correct-horse"
	p := start(t, "-nats", "tls://donut:"+password+"@127.0.0.1:1")
	await(t, "the log says what is missing", func() bool {
		return strings.Contains(p.log.String(), "127.0.0.1:1: connect: connection refused")
	})
	tab := join(t, p, 1)
	var shown atomic.Int64
	tab.seen = compare(t, &shown)
	go tab.play()
	await(t, "the tab is shown what it renders", func() bool {
		return shown.Load() > 120 && p.statistic(t, "fleet_frames") > 0
	})
	if log := p.log.String(); strings.Contains(log, password) || strings.Count(log, "connection refused") != 1 {
		t.Errorf("the log shows a password, or says it more often than once:\n%s", log)
	}
}

func TestAddressesOfOthersAreShownWithoutPasswords(t *testing.T) {
	var a natsURLs
	if err := a.Set("nats://a:secret@127.0.0.1:4222,tls://example.com, tls://b:secret@c,tls://token@[::1]:1"); err != nil {
		t.Fatal(err)
	}
	if got, want := a.String(), "nats://a:xxxxx@127.0.0.1:4222,tls://example.com,tls://b:xxxxx@c,tls://xxxxx@[::1]:1"; got != want {
		t.Errorf("shown as %q, want %q", got, want)
	}
	for _, wrong := range []string{"localhost:4222", "nats://", "nats://a,", "://x:secret@b"} {
		if err := a.Set(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
