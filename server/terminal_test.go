package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/vt"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A viewing is a terminal on /live.ansi.
type viewing struct {
	mu     sync.Mutex
	screen *vt.Screen
	err    error // that ended it
	ended  chan struct{}
	hangUp func()
}

// view opens a stream.
func view(t *testing.T, p program, query string) *viewing {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+"/live.ansi"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("GET /live.ansi%s: %s", query, response.Status)
	}
	v := &viewing{screen: vt.New(donut.Columns, donut.Rows+1), ended: make(chan struct{}), hangUp: cancel}
	go func() {
		defer close(v.ended)
		defer response.Body.Close()
		_, v.err = io.Copy(v, response.Body)
	}()
	t.Cleanup(func() {
		cancel()
		<-v.ended
	})
	return v
}

// Write implements io.Writer.
func (v *viewing) Write(b []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.screen.Write(b)
}

// text is what the terminal shows; ok is false in the middle of a frame.
func (v *viewing) text() (text string, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.screen.Text(), v.screen.Settled()
}

// onScreen is what a terminal shows of frame n.
func onScreen(renderer *donut.Renderer, n uint64) string {
	var p donut.Picture
	renderer.Render(&p, n)
	var b strings.Builder
	for line := range strings.Lines(string(p.AppendText(nil))) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return b.String() + "\n"
}

// TestTerminalShowsTheFrameOfTheMoment has nobody else there: the server renders for the terminal.
func TestTerminalShowsTheFrameOfTheMoment(t *testing.T) {
	p := start(t, "-max-streams", "1")
	v := view(t, p, "?fps=60")
	refused, _ := get(t, p.url+"/live.ansi")
	if retry := refused.Header.Get("Retry-After"); refused.StatusCode != http.StatusServiceUnavailable || retry == "" {
		t.Errorf("a stream too many: %s, Retry-After %q", refused.Status, retry)
	}
	await(t, "the stream runs", func() bool { return p.statistic(t, "aired_frames") > 120 })
	clock := timeline.NewClock(defaultEpoch, timeline.System())
	renderer := donut.NewRenderer(1)
	late := make([]uint64, 41) // frames; a busy machine may hold up the terminal, or the test, some of the time
	for i := range late {
		await(t, "the terminal shows a frame of the last second", func() bool {
			now, _ := clock.Now()
			text, ok := v.text()
			for late[i] = 0; ok && late[i] < 60; late[i]++ {
				if text == onScreen(renderer, now.Frame()-late[i]) {
					return true
				}
			}
			return false
		})
	}
	slices.Sort(late)
	if median := late[len(late)/2]; median > 2 {
		t.Errorf("the terminal is %d frames late, want two at most; all: %d", median, late)
	}
	for name, want := range map[string]float64{"streams": 1, "streams_opened": 1, "viewers": 0} {
		if got := p.statistic(t, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if got := p.counters(t, "streams_refused")["full"]; got != 1 {
		t.Errorf("%d streams are refused because it is full, want 1", got)
	}

	v.hangUp()
	<-v.ended
	await(t, "the stream is forgotten", func() bool { return p.statistic(t, "streams") == 0 })
	await(t, "nothing is rendered for nobody", func() bool { return p.statistic(t, "lead_seconds") == 0 })
}

// TestRecordingOfAnIdleServer asks, is told when to come back, and does.
func TestRecordingOfAnIdleServer(t *testing.T) {
	p := start(t)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	asked := time.Now()
	response, body := get(t, p.url+"/donut.cast?seconds=1")
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if response.StatusCode != http.StatusServiceUnavailable || err != nil {
		t.Fatalf("GET /donut.cast of an idle server: %s, Retry-After %v: %s", response.Status, err, body)
	}
	await(t, "there is something to record", func() bool {
		response, body = get(t, p.url+"/donut.cast?seconds=1")
		return response.StatusCode == http.StatusOK
	})
	if took := time.Since(asked); took > time.Duration(seconds)*time.Second {
		t.Errorf("who comes back after %d s, as told, is too early: it took %v", seconds, took)
	}

	var header struct {
		Width, Height int
		Timestamp     int64
	}
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	if err := json.Unmarshal([]byte(lines[0]), &header); err != nil {
		t.Fatal(err)
	}
	screen := vt.New(header.Width, header.Height+1)
	renderer := donut.NewRenderer(1)
	for _, line := range lines[1:] {
		var at float64
		var code, data string
		if err := json.Unmarshal([]byte(line), &[]any{&at, &code, &data}); err != nil {
			t.Fatal(err)
		}
		if _, err := screen.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
		frame := uint64(header.Timestamp-defaultEpoch.Unix())*donut.FPS + uint64(at*donut.FPS+0.5)
		if at < 1 && screen.Text() != onScreen(renderer, frame) {
			t.Fatalf("at %v s the recording does not show frame %d:\n%s", at, frame, screen.Text())
		}
	}
	if len(lines) < 30 {
		t.Errorf("%d lines for a second", len(lines))
	}
	await(t, "nothing is rendered for nobody", func() bool { return p.statistic(t, "lead_seconds") == 0 })
}

func TestShutdownEndsStreams(t *testing.T) {
	p := start(t, "-drain", "3s")
	v := view(t, p, "")
	began := time.Now()
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	<-v.ended
	if took := time.Since(began); v.err != nil || took > 3*time.Second {
		t.Errorf("the stream ended after %v with %v, want its end within the drain of 3 s", took, v.err)
	}
}

// TestTmux has curl show the stream in a terminal that others wrote, whose cursor is seen again when curl is
// interrupted.
func TestTmux(t *testing.T) {
	for _, program := range []string{"tmux", "curl"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("REQUIRE_BROWSERS") != "1" {
			t.Skip("there is no " + program)
		}
	}
	p := start(t)
	socket := t.TempDir() + "/tmux"
	tmux := func(args ...string) string {
		t.Helper()
		args = append([]string{"-S", socket, "-f", "/dev/null"}, args...)
		command := exec.CommandContext(t.Context(), "tmux", args...)
		command.Env = append(os.Environ(), "TERM=xterm-256color")
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %q: %v: %s", args, err, out)
		}
		return string(out)
	}
	tmux("new-session", "-d", "-x", "80", "-y", "24", "sh")
	defer tmux("kill-server")
	tmux("send-keys", "curl -sN "+p.url+"/live.ansi", "Enter")

	clock := timeline.NewClock(defaultEpoch, timeline.System())
	renderer := donut.NewRenderer(1)
	await(t, "tmux shows the frame of the moment", func() bool {
		before, _ := clock.Now()
		shown := tmux("capture-pane", "-p")
		after, _ := clock.Now()
		for n := before.Frame() - 6; n <= after.Frame(); n++ {
			if shown == onScreen(renderer, n)+"\n" {
				return true
			}
		}
		return false
	})
	tmux("send-keys", "C-c")
	await(t, "the prompt is back under the picture, with a cursor that is seen", func() bool {
		cursor := tmux("display-message", "-p", "row #{cursor_y}, seen #{cursor_flag}")
		return (cursor == "row 22, seen 1\n" || cursor == "row 23, seen 1\n") && p.statistic(t, "streams") == 0
	})
	picture := bufio.NewScanner(strings.NewReader(tmux("capture-pane", "-p")))
	rows := 0
	for picture.Scan() {
		if strings.ContainsAny(picture.Text(), donut.Alphabet[6:]) {
			rows++
		}
	}
	if rows < 10 {
		t.Errorf("after the interrupt %d rows of the donut are left", rows)
	}
}
