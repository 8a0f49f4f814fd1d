package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// played returns the report of a crowd that plays against a server, and how the command failed.
func played(t *testing.T, f *fakeServer, workers, viewers int) (report, error) {
	t.Helper()
	out, _, failed := f.play(t, workers, viewers, "-json")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("swarm printed %q: %v; it failed with %v", out, err, failed)
	}
	return r, failed
}

func TestHonestServer(t *testing.T) {
	t.Parallel()
	var f fakeServer
	r, err := played(t, &f, 2, 23) // more than decode for themselves
	if err != nil {
		t.Fatalf("failed: %v; %+v", err, r)
	}
	const people = 25
	if r.Joined != people || r.FramesMissed != 0 || r.FramesForged != 0 || r.FramesUnchecked != 0 || r.Faults != 0 || r.HonestEvicted != 0 {
		t.Errorf("report is %+v, want all let in and nothing wrong", r)
	}
	if want := uint64(people * (fakeEnd - fakeFirst)); r.FramesSeen != want {
		t.Errorf("%d frames seen, want %d", r.FramesSeen, want)
	}
	if p50, p99 := *r.FirstFrameP50, *r.FirstFrameP99; p50 < fakeDelay*1000 || p99 < p50 || p99 > 2*fakeDelay*1000 {
		t.Errorf("first frame after %v and %v ms, want some more than %v s", p50, p99, fakeDelay)
	}
	size := 0
	for _, m := range f.messages {
		size += len(m)
	}
	if want := float64(size) / (fakeMessages * fakeMessage); r.BytesPerFrame != want || r.Messages != fakeMessages {
		t.Errorf("%d messages of %v bytes a frame, want %d of %v", r.Messages, r.BytesPerFrame, fakeMessages, want)
	}
	wantResults(t, &f, 2)
	if want := int64(2 * someLease.Count); r.FramesRendered != want {
		t.Errorf("%d frames rendered, want %d", r.FramesRendered, want)
	}
	if f.probers != people {
		t.Errorf("%d people probed, want all %d", f.probers, people)
	}
	if r.OwnAddresses && len(f.addrs) != people {
		t.Errorf("%d addresses, want one for each of %d people", len(f.addrs), people)
	}
}

// wantResults checks that the server was sent the frames it lent, so many times.
func wantResults(t *testing.T, f *fakeServer, times int) {
	t.Helper()
	if len(f.results) != times {
		t.Fatalf("%d results, want %d", len(f.results), times)
	}
	renderer := donut.NewRenderer(int(f.lease.Detail))
	for _, m := range f.results {
		if m.Lease != f.lease.Lease || m.First != f.lease.First || m.Count() != int(f.lease.Count) || m.Spent == 0 {
			t.Errorf("result is %d frames from %d on of lease %d in %d us, want %+v", m.Count(), m.First, m.Lease, m.Spent, f.lease)
			continue
		}
		for i := range m.Count() {
			var got, want donut.Picture
			if err := wire.Unpack(&got, m.Frames[i*wire.PackedSize:][:wire.PackedSize]); err != nil {
				t.Fatal(err)
			}
			if renderer.Render(&want, m.First+uint64(i)); got != want {
				t.Errorf("frame %d is not what the package donut renders", m.First+uint64(i))
			}
		}
	}
}

func TestFailingServers(t *testing.T) {
	const later = fakeFirst + 3*fakeMessage + 3 // long before its moment
	edit := func(n uint64, edit func(*donut.Picture) *donut.Picture) func(uint64, *donut.Picture) *donut.Picture {
		return func(m uint64, p *donut.Picture) *donut.Picture {
			if m == n {
				return edit(p)
			}
			return p
		}
	}
	for _, c := range []struct {
		name             string
		server           *fakeServer
		workers, viewers int
		want             string // in the error
		holds            func(r report) bool
	}{
		{
			name: "airs a forged cell",
			server: &fakeServer{airs: edit(later, func(p *donut.Picture) *donut.Picture {
				p[800] = (p[800] + 1) % uint8(donut.Levels)
				return p
			})},
			workers: 1, viewers: 4,
			want:  "5 forged frames seen",
			holds: func(r report) bool { return r.FramesForged == 5 && r.FramesMissed == 0 && r.Faults == 0 },
		},
		{
			name:    "airs a forged cell that its own worker rendered",
			server:  &fakeServer{lease: wire.Lease{Lease: 1, Detail: 1, First: later, Count: 1}, airs: edit(later, func(*donut.Picture) *donut.Picture { return new(donut.Picture) })},
			workers: 2, viewers: 0,
			want:  "2 forged frames seen",
			holds: func(r report) bool { return r.FramesForged == 2 },
		},
		{
			name:    "airs a hole",
			server:  &fakeServer{airs: edit(later, func(*donut.Picture) *donut.Picture { return nil })},
			workers: 0, viewers: 4,
			want: "4 frames missed",
			holds: func(r report) bool {
				return r.FramesMissed == 4 && r.FramesForged == 0 && r.Faults == 0 && strings.Contains(r.FaultTexts[0], "missed 1 frames")
			},
		},
		{
			name: "skips a message",
			server: &fakeServer{sends: func(_ uint32, messages [][]byte) [][]byte {
				return slices.Delete(slices.Clone(messages), 2, 3)
			}},
			workers: 0, viewers: 2,
			want: "240 frames missed, 2 faults", // in the one that is not there, and in the one after it
			holds: func(r report) bool {
				return r.Faults == 2 && strings.Contains(r.FaultTexts[0], "sequence: got message 4")
			},
		},
		{
			name: "sends one viewer other bytes",
			server: &fakeServer{sends: func(number uint32, messages [][]byte) [][]byte {
				messages = slices.Clone(messages)
				messages[3] = slices.Clone(messages[3])
				messages[3][1] = byte(number) // another generation
				return messages
			}},
			workers: 0, viewers: 2,
			want:  "1 faults",
			holds: func(r report) bool { return strings.Contains(r.FaultTexts[0], "message 4: got other bytes") },
		},
		{
			name:    "evicts an honest worker",
			server:  &fakeServer{goodbye: wire.ReasonEvicted},
			workers: 1, viewers: 1,
			want:  "1 honest workers evicted",
			holds: func(r report) bool { return r.HonestEvicted == 1 && r.FramesRendered == int64(someLease.Count) },
		},
		{
			name:    "sends somebody away",
			server:  &fakeServer{goodbye: wire.ReasonSlow},
			workers: 1, viewers: 1,
			want: "1 faults",
			holds: func(r report) bool {
				return r.HonestEvicted == 0 && r.FaultTexts[0] == "worker 0: server said goodbye: slow"
			},
		},
		{
			name:    "welcomes nobody",
			server:  &fakeServer{mute: true},
			workers: 1, viewers: 1,
			want:  "0 of 2 let in, no frame seen, 2 faults",
			holds: func(r report) bool { return r.FirstFrameP50 == nil && r.FirstFrameP99 == nil },
		},
		{
			name: "sends nonsense",
			server: &fakeServer{sends: func(_ uint32, messages [][]byte) [][]byte {
				return append(slices.Clone(messages), []byte{0xff})
			}},
			workers: 0, viewers: 1,
			want:  "1 faults",
			holds: func(r report) bool { return strings.Contains(r.FaultTexts[0], "kind 0xff") },
		},
		{
			name:    "lends to a thread that is not there",
			server:  &fakeServer{lease: wire.Lease{Lease: 1, Thread: 1, Detail: 1, Count: 1}},
			workers: 1, viewers: 0,
			want:  "1 faults",
			holds: func(r report) bool { return strings.Contains(r.FaultTexts[0], "got thread 1, want one below 1") },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := played(t, c.server, c.workers, c.viewers)
			if exit.Status("swarm", err, io.Discard) != 1 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("run fails with %v, want %q and exit status 1", err, c.want)
			}
			if !c.holds(r) {
				t.Errorf("report is %+v", r)
			}
		})
	}
}

// TestComesBack has a server send its two workers away, once each, and be gone for the first try to come back.
func TestComesBack(t *testing.T) {
	t.Parallel()
	f := fakeServer{goodbye: wire.ReasonDraining, partings: 2, unready: 1}
	out, _, err := f.play(t, 2, 1, "-json", "-return")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if err != nil || r.Joined != 3 || r.Returned != 2 || r.NotBack != 0 || r.Backward != 0 || r.ReturnTries != 3 {
		t.Errorf("failed with %v; report is %+v, want two who came back", err, r)
	}
	if f.asked != 3 || f.conns != 5 {
		t.Errorf("asked %d times for %d connections, want 3 times for 5: none where nobody is there, nor before the first", f.asked, f.conns)
	}
	wantResults(t, &f, 4)
}

// TestReportShape holds the names that scripts rely on.
func TestReportShape(t *testing.T) {
	var out bytes.Buffer
	if err := (report{}).writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"frames_seen", "frames_missed", "frames_forged_seen", "first_frame_ms_p50", "first_frame_ms_p99", "bytes_per_frame",
		"frames_rendered", "honest_evicted", "forgers", "forgers_evicted",
	} {
		if _, ok := got[name]; !ok {
			t.Errorf("report lacks %s", name)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var f fakeServer
	out, errs, err := f.play(t, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 workers, 1 viewers, 2 let in", "frames seen ", "p50 ", "forgers evicted     0 of 0"} {
		if !strings.Contains(out, want) {
			t.Errorf("table lacks %q:\n%s", want, out)
		}
	}
	if errs != "" {
		t.Errorf("stderr is %q, want nothing where it is no terminal", errs)
	}
}

func TestDurationEnds(t *testing.T) {
	t.Parallel()
	var f fakeServer
	f.sends = func(_ uint32, messages [][]byte) [][]byte {
		f.awaited = 2 // nobody else comes, so that nothing but the duration ends the play
		return messages
	}
	if _, _, err := f.play(t, 0, 1, "-duration", "300ms"); exit.Status("swarm", err, io.Discard) == 2 {
		t.Fatal(err)
	}
}

func TestNoModule(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	err := run(context.Background(), []string{"-url", server.URL}, io.Discard, io.Discard)
	if exit.Status("swarm", err, io.Discard) != 1 || !strings.Contains(err.Error(), "got status 404 Not Found, want 200") {
		t.Errorf("run fails with %v, want exit status 1 and the status", err)
	}
}

func TestNobodyThere(t *testing.T) {
	err := run(context.Background(), []string{"-url", "http://127.0.0.1:1"}, io.Discard, io.Discard)
	if exit.Status("swarm", err, io.Discard) != 1 || !strings.Contains(err.Error(), "fetch module") {
		t.Errorf("run fails with %v, want exit status 1 and the step", err)
	}
}
