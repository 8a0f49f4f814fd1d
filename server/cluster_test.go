package main

import (
	"fmt"
	"testing"

	"github.com/distributed-donut/donut/server/cluster/natstest"
)

// TestServersRenderTogether has the tabs of one server render for a viewer of two others, over a real NATS.
func TestServersRenderTogether(t *testing.T) {
	nats := natstest.Start(t)
	var servers [3]program
	for i := range servers {
		servers[i] = start(t, "-nats", nats.URL(), "-server-name", fmt.Sprint("server ", i))
	}
	worker := join(t, servers[0], 2)
	go worker.play()
	servers[0].gathered(t)

	viewer := join(t, servers[1], 0)
	check := newWatch(t, 1)
	viewer.seen = check.frame
	go viewer.play()
	// It has just come, and has to find the others before it can leave the work to them.
	aired := func(frames float64) {
		t.Helper()
		await(t, fmt.Sprintf("it has aired %v frames of others", frames), func() bool {
			return servers[1].statistic(t, "peer_frames") >= frames
		})
	}
	aired(300)
	own := servers[1].statistic(t, "server_frames")
	aired(600)
	if more := servers[1].statistic(t, "server_frames") - own; more > 150 { // a busy machine may miss some announcements
		t.Errorf("it rendered %v frames itself while it aired 300 of others", more)
	}
	if _, missing := check.counts(); missing > 0 {
		t.Errorf("%d frames are missing", missing)
	}
	for name, want := range map[string]float64{
		"servers": 3, "viewers": 1, "workers": 0, "cluster_viewers": 2, "cluster_workers": 1, "cluster_threads": 2,
		"stalled_frames": 0, "forged_frames": 0,
	} {
		await(t, fmt.Sprintf("%s is %v", name, want), func() bool { return servers[1].statistic(t, name) == want })
	}
}

func TestAddressesOfOthersAreShownWithoutPasswords(t *testing.T) {
	var a natsURLs
	if err := a.Set("nats://a:secret@127.0.0.1:4222,tls://example.com"); err != nil {
		t.Fatal(err)
	}
	if got, want := a.String(), "nats://a:xxxxx@127.0.0.1:4222,tls://example.com"; got != want {
		t.Errorf("shown as %q, want %q", got, want)
	}
	for _, wrong := range []string{"localhost:4222", "nats://", "nats://a,", "://x:secret@b"} {
		if err := a.Set(wrong); err == nil {
			t.Errorf("%q is taken", wrong)
		}
	}
}
