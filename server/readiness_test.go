package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/wasm/wire"
)

// A mood is a fleet that answers, fails to, or takes for ever, and a hub.
type mood struct {
	err    error
	silent bool
	closed bool
}

func (m *mood) Answer(ctx context.Context) error {
	if m.silent {
		<-ctx.Done()
		return ctx.Err()
	}
	return m.err
}

func (m *mood) Open() bool { return !m.closed }

func TestReadyIsWhoCanCarryTheStream(t *testing.T) {
	for name, test := range map[string]struct {
		mood     mood
		draining bool
		want     string // in the answer
	}{
		"all is well":           {mood{}, false, "ok"},
		"the loop has ended":    {mood{err: errors.New("ended")}, false, "ended"},
		"the loop is held up":   {mood{silent: true}, false, "deadline"},
		"the hub is closed":     {mood{closed: true}, false, "let in"},
		"the server is to stop": {mood{silent: true}, true, "draining"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := &readiness{fleet: &test.mood, hub: &test.mood}
				r.draining.Store(test.draining)
				began, answer := time.Now(), httptest.NewRecorder()
				r.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
				status := http.StatusServiceUnavailable
				if test.want == "ok" {
					status = http.StatusOK
				}
				if answer.Code != status || !strings.Contains(answer.Body.String(), test.want) {
					t.Errorf("answered %d %q, want %d and %q in it", answer.Code, answer.Body, status, test.want)
				}
				if took := time.Since(began); took > answerWithin {
					t.Errorf("took %v, want at most %v", took, answerWithin)
				}
			})
		})
	}
}

// TestEntranceBeforeTheSiteIsThere asks while the module compiles, and then.
func TestEntranceBeforeTheSiteIsThere(t *testing.T) {
	e := newEntrance()
	ask := func(path string) (int, string) {
		answer := httptest.NewRecorder()
		e.ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		return answer.Code, answer.Header().Get("Retry-After")
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/": 503, "/ws": 503, "/live.ansi": 503} {
		if status, retry := ask(path); status != want || (retry != "") != (want == 503) {
			t.Errorf("GET %s: %d, Retry-After %q; want %d, and when to come back where that is 503", path, status, retry, want)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", alive)
	e.open(&site{mux: mux})
	if status, _ := ask("/readyz"); status != 200 {
		t.Errorf("with the site open GET /readyz: %d, want the site's 200", status)
	}
}

// TestDrainBeginsUnreadyAndEndsInTime has balancers look away first, while the picture goes on.
func TestDrainBeginsUnreadyAndEndsInTime(t *testing.T) {
	p := start(t, "-drain", "6s", "-drain-delay", "2s")
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	viewer := join(t, p, 0)
	ended := make(chan error, 1)
	go func() { ended <- viewer.play() }()
	await(t, "the stream runs", func() bool { return p.statistic(t, "aired_frames") > 100 })
	if response, _ := get(t, p.url+"/readyz"); response.StatusCode != 200 {
		t.Fatalf("before: /readyz %s", response.Status)
	}

	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- p.stop() }()
	await(t, "it is not ready", func() bool {
		response, body := get(t, p.url+"/readyz")
		return response.StatusCode == 503 && strings.Contains(body, "draining")
	})
	aired := p.statistic(t, "aired_frames")
	await(t, "the picture goes on", func() bool { return p.statistic(t, "aired_frames") > aired })
	if len(ended) > 0 {
		t.Error("the viewer is gone while only balancers should know")
	}
	if response, _ := get(t, p.url+"/healthz"); response.StatusCode != 200 {
		t.Errorf("while it drains: /healthz %s", response.Status)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("the server took %v to stop, with a drain of 6 s", took)
	}
	if err := <-ended; websocket.CloseStatus(err) != websocket.StatusGoingAway || viewer.goodbye.Reason != wire.ReasonDraining {
		t.Errorf("the viewer was told %v and ended with %v, want draining and status 1001", viewer.goodbye.Reason, err)
	}
}

// TestShutdownAsksTabsBackOneByOne looks at when each is to come.
func TestShutdownAsksTabsBackOneByOne(t *testing.T) {
	p := start(t, "-returns-per-second", "2")
	const crowd = 5
	var tabs []*tab
	ended := make(chan error, crowd)
	for range crowd {
		tab := join(t, p, 0)
		tabs = append(tabs, tab)
		go func() { ended <- tab.play() }()
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	for range crowd {
		<-ended
	}
	moments := make(map[uint32]bool)
	for _, tab := range tabs {
		moments[tab.goodbye.Retry] = true
	}
	for i := range uint32(crowd) {
		if want := uint32(comeBack/time.Millisecond) + 500*i; !moments[want] {
			t.Errorf("nobody is asked back after %d ms, but after %v", want, moments)
		}
	}
}
