package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/distributed-donut/donut/server/cluster/natstest"
	"github.com/distributed-donut/donut/tools/certtest"
)

// startExample starts what tools/deploy/cluster describes, three servers with a NATS between them and nginx in front.
// It returns the servers, each as it is reached by itself, and the first one as it is reached through nginx.
func startExample(t *testing.T) (servers [3]program, proxied program) {
	t.Helper()
	tool(t, "nginx")
	certFile, keyFile := pemFiles(t)
	certtest.Issue(t, certFile, keyFile, 1)
	conf := deployed(t, "cluster/nats.conf", map[string]string{
		"/etc/nats/cert.pem": certFile, "/etc/nats/key.pem": keyFile,
	})
	if out, err := exec.Command(natstest.Program(t), "-t", "-c", conf).CombinedOutput(); err != nil {
		t.Fatalf("nats-server -t: %v\n%s", err, out)
	}
	nats := natstest.Start(t, "-c", conf)
	upstream := make(map[string]string)
	for i := range servers {
		environment, err := os.ReadFile(deployed(t, "cluster/donut.env", map[string]string{
			"=donut-1": fmt.Sprint("=donut-", i+1), "10.0.0.9": "127.0.0.1", "10.0.0.10:4222": nats.Addr(),
			"/etc/donut/nats-ca.pem": certFile,
		}))
		if err != nil {
			t.Fatal(err)
		}
		servers[i] = startIn(t, strings.Split(string(environment), "\n"))
		upstream[fmt.Sprintf("server 10.0.0.%d:8080", i+1)] = "server " + strings.TrimPrefix(servers[i].url, "http://")
	}
	for _, s := range servers {
		await(t, "all three are there", func() bool { return s.statistic(t, "servers") == 3 })
	}
	proxied = servers[0]
	proxied.url = startNginx(t, "cluster/nginx.conf", upstream)
	return servers, proxied
}

// meets returns which of the servers an address is led to.
func (p program) meets(t *testing.T) int {
	t.Helper()
	response, err := p.client.Get(p.url + "/api/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var stats struct{ Cluster struct{ Name string } }
	var number int
	if err := json.NewDecoder(response.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscanf(stats.Cluster.Name, "donut-%d", &number); err != nil {
		t.Fatalf("a server is called %q: %v", stats.Cluster.Name, err)
	}
	return number - 1
}

// TestExampleOfThreeServers has a worker and a viewer come through nginx to two servers, and then the worker's stop.
func TestExampleOfThreeServers(t *testing.T) {
	servers, proxied := startExample(t)
	at := proxied.from(t, "127.0.0.2")
	working := at.meets(t)
	worker := join(t, at, 2)
	go worker.play()
	servers[working].gathered(t)

	watching := working
	var from program
	for host := 3; watching == working; host++ { // by their hashes some are led to each server
		from = proxied.from(t, fmt.Sprint("127.0.0.", host))
		watching = from.meets(t)
	}
	var shown atomic.Int64
	viewer := join(t, from, 0)
	viewer.seen = compare(t, &shown)
	go viewer.play()
	await(t, "the worker's frames reach the other server's viewer", func() bool {
		return shown.Load() > 300 && servers[watching].statistic(t, "peer_frames") > 120
	})

	if err := servers[working].stop(); err != nil {
		t.Error(err)
	}
	if got := at.meets(t); got == working {
		t.Errorf("nginx leads to server %d, which has stopped", got)
	}
	again := join(t, at, 1)
	go again.play()
	before := shown.Load()
	await(t, "the viewer goes on, and two servers are left", func() bool {
		return shown.Load() > before+300 && servers[watching].statistic(t, "servers") == 2
	})
	for i, s := range servers {
		for _, wrong := range []string{"put-a-password-here", "NATS complains"} {
			if strings.Contains(s.log.String(), wrong) {
				t.Errorf("server %d logs %q", i, wrong)
			}
		}
	}
}
