package main

import (
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

func TestFleetCarriesTheStream(t *testing.T) {
	p := start(t)
	worker := join(t, p, 2)
	go worker.play()
	p.gathered(t)
	server, stalled := p.statistic(t, "server_frames"), p.statistic(t, "stalled_frames")

	viewer := join(t, p, 0)
	if worker.welcome.Threads != 2 || viewer.welcome.Threads != 0 {
		t.Errorf("welcomed with %d and %d threads, want 2 and 0", worker.welcome.Threads, viewer.welcome.Threads)
	}
	check := newWatch(t, 1)
	viewer.seen = check.frame
	go viewer.play()
	await(t, "600 frames are seen", func() bool {
		frames, _ := check.counts()
		return frames >= 600
	})
	if _, missing := check.counts(); missing > 0 {
		t.Errorf("%d frames are missing", missing)
	}
	for name, want := range map[string]float64{
		"viewers": 2, "workers": 1, "threads": 2, "stalled_frames": stalled, "server_frames": server, "forged_frames": 0,
		"aired_unaudited_frames": 0,
	} {
		if got := p.statistic(t, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

func TestJoinerHasThePictureAtOnce(t *testing.T) {
	p := start(t)
	worker := join(t, p, 1)
	go worker.play()
	p.gathered(t)

	late := join(t, p, 0)
	playhead := uint64(late.welcome.Now) * donut.FPS / 1e6
	for seen := false; !seen; {
		message, err := late.read()
		if err != nil {
			t.Fatal(err)
		}
		m, err := wire.ParseBroadcast(message)
		if err != nil {
			t.Fatalf("the welcome is followed by a %v before the picture: %v", wire.KindOf(message), err)
		}
		if _, err := late.decoder.Decode(m.Stream, func(n uint64, _ *donut.Picture) { seen = seen || n == playhead }); err != nil {
			t.Fatal(err)
		}
	}
}

// TestForgedCellNeverReachesAViewer is the point of it all, over real sockets.
func TestForgedCellNeverReachesAViewer(t *testing.T) {
	p := start(t)
	viewer := join(t, p, 0)
	check := newWatch(t, 1)
	viewer.seen = check.frame
	go viewer.play()
	honest := join(t, p, 1)
	go honest.play()
	p.gathered(t)

	forger := join(t, p, 1)
	forged := uint64(0)
	forger.spoil = func(p *donut.Picture, n uint64) {
		if forged == 0 {
			forged = n
			p[100] = (p[100] + 1) % uint8(donut.Levels)
		}
	}
	if err := forger.play(); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the forger's connection ended with %v", err)
	}
	if forger.goodbye.Reason != wire.ReasonEvicted {
		t.Errorf("the forger was told %v, want evicted", forger.goodbye.Reason)
	}
	await(t, "the forged frame's number was aired", func() bool { return check.seen(forged) })
	for name, want := range map[string]float64{"forged_frames": 1, "evictions": 1} {
		if got := p.statistic(t, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if honest.goodbye.Reason != 0 {
		t.Errorf("the honest worker was told %v", honest.goodbye.Reason)
	}
}

func TestEverybodyLeavesAndReturns(t *testing.T) {
	p := start(t)
	worker := join(t, p, 1)
	go worker.play()
	await(t, "the stream runs", func() bool { return p.statistic(t, "aired_frames") > 100 })
	worker.socket.CloseNow()
	await(t, "nobody is there", func() bool { return p.statistic(t, "viewers") == 0 && p.statistic(t, "threads") == 0 })
	aired := p.statistic(t, "aired_frames")

	returned := time.Now()
	viewer := join(t, p, 0)
	if got := p.statistic(t, "aired_frames"); got > aired+60 {
		t.Errorf("%v frames aired with nobody there", got-aired)
	}
	playhead := uint64(viewer.welcome.Now) * donut.FPS / 1e6
	live := make(chan time.Duration, 1)
	viewer.seen = func(n uint64, p *donut.Picture) {
		if n > playhead && p != nil && len(live) == 0 {
			live <- time.Since(returned)
		}
	}
	go viewer.play()
	select {
	case wait := <-live:
		if wait > time.Second {
			t.Errorf("the picture came back %v after the first viewer", wait)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no picture within 10 s")
	}
}

func TestShutdownSaysGoodbye(t *testing.T) {
	p := start(t, "-drain", "3s")
	tabs := []*tab{join(t, p, 1), join(t, p, 0), join(t, p, 0)}
	ended := make(chan error, len(tabs))
	for _, tab := range tabs {
		go func() { ended <- tab.play() }()
	}
	began := time.Now()
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the server took %v to stop, with a drain of 3 s", took)
	}
	for range tabs {
		if err := <-ended; websocket.CloseStatus(err) != websocket.StatusGoingAway {
			t.Errorf("a connection ended with %v, want status 1001", err)
		}
	}
	for _, tab := range tabs {
		if tab.goodbye.Reason != wire.ReasonDraining || tab.goodbye.Retry == 0 {
			t.Errorf("a tab was told %+v, want draining, and when to come back", tab.goodbye)
		}
	}
}

func TestServerThatCannotStart(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good, err := moduletest.Module()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args   []string
		module []byte
		want   string
	}{
		"taken port":       {[]string{"-addr", taken.Addr().String()}, good, "listen for tabs: .*address already in use"},
		"taken admin port": {[]string{"-admin-addr", taken.Addr().String()}, good, "listen for operators: .*-admin-addr"},
		"no module":        {nil, []byte("not a module"), "make build"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"-addr", "127.0.0.1:0", "-admin-addr", "", "-cache-dir", os.TempDir() + "/donut-test-cache"}, test.args...)
			log := new(lines)
			cfg, err := parseConfig(args, nil, log)
			if err != nil {
				t.Fatal(err)
			}
			err = serve(t.Context(), cfg, test.module, log)
			if err == nil || !regexp.MustCompile(test.want).MatchString(err.Error()) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is %q, want one line that says %q", err, test.want)
			}
		})
	}
}
