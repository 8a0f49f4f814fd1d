package terminal

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/vt"
	"github.com/distributed-donut/donut/wasm/donut"
)

// A cast is an asciicast v2.
type cast struct {
	header struct {
		Version, Width, Height, Timestamp int
		Duration                          float64
		Title                             string
	}
	events []castEvent
}

type castEvent struct {
	at   float64 // seconds from the start
	data string
}

// parseCast reads a cast by its specification: a line for the header, and one for each event, in the order of time.
func parseCast(t *testing.T, text []byte) (c cast) {
	t.Helper()
	lines := bytes.SplitAfter(text, []byte("\n"))
	if last := len(lines) - 1; last < 1 || len(lines[last]) > 0 {
		t.Fatalf("%d lines, the last one of which does not end", len(lines))
	}
	lines = lines[:len(lines)-1]
	strict := json.NewDecoder(bytes.NewReader(lines[0]))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&c.header); err != nil {
		t.Fatalf("header %s: %v", lines[0], err)
	}
	for i, line := range lines[1:] {
		var e castEvent
		var code string
		fields := []any{&e.at, &code, &e.data}
		if err := json.Unmarshal(line, &fields); err != nil || len(fields) != 3 || code != "o" {
			t.Fatalf("event %d, %s: %v", i, line, err)
		}
		if i > 0 && e.at < c.events[i-1].at {
			t.Fatalf("event %d is at %v s, and the one before at %v s", i, e.at, c.events[i-1].at)
		}
		c.events = append(c.events, e)
	}
	return c
}

// replay plays the cast in a terminal of the size that it asks for, and holds what is shown at the end of each event's
// moment against the frame of that moment.
func (c cast) replay(t *testing.T, epoch time.Time) {
	t.Helper()
	first := uint64(int64(c.header.Timestamp)-epoch.Unix()) * donut.FPS
	screen := vt.New(c.header.Width, c.header.Height)
	shown := 0
	for i, e := range c.events {
		write(t, screen, []byte(e.data))
		if i+1 < len(c.events) && c.events[i+1].at == e.at {
			t.Fatalf("two events are at %v s", e.at)
		}
		n := min(first+uint64(e.at*donut.FPS+0.5), first+uint64(c.header.Duration)*donut.FPS-2)
		if got, want := screen.Text(), textOf(pictureOf(n), c.header.Height); got != want {
			t.Fatalf("at %v s the recording shows\n%s\nwant frame %d:\n%s", e.at, got, n, want)
		}
		last := i == len(c.events)-1
		if _, _, visible := screen.Cursor(); visible != last {
			t.Fatalf("at %v s the cursor can be seen: %v", e.at, visible)
		}
		shown++
	}
	if want := int(c.header.Duration) * int(defaultPace); shown != want+1 {
		t.Errorf("%d events in %v s, want %d for the frames and one for the end", shown, c.header.Duration, want)
	}
}

// ask asks for a recording.
func (w *world) ask(method, query string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	w.ServeCast(recorder, httptest.NewRequest(method, "/donut.cast"+query, nil))
	synctest.Wait()
	return recorder
}

func TestRecordings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2)
		defer w.stop()
		c := w.curl(t, "?fps=7", 0)
		w.curl(t, "", 0).hangUp()
		w.play(75 * time.Second)
		for query, want := range map[string]int{"": 10, "?seconds=1": 1, "?seconds=33": 33, "?seconds=60": 60} {
			answer := w.ask(http.MethodGet, query)
			header := answer.Header()
			if answer.Code != http.StatusOK || header.Get("Content-Type") != "application/x-asciicast" ||
				header.Get("Content-Disposition") != `attachment; filename="donut.cast"` ||
				header.Get("Access-Control-Allow-Origin") != "*" || header.Get("Cache-Control") != "no-store" {
				t.Errorf("GET /donut.cast%s: %d with headers %v", query, answer.Code, header)
			}
			cast := parseCast(t, answer.Body.Bytes())
			h := cast.header
			if h.Version != 2 || h.Width != donut.Columns || h.Height != donut.Rows || h.Title == "" {
				t.Errorf("GET /donut.cast%s: header %+v, want version 2, %d x %d", query, h, donut.Columns, donut.Rows)
			}
			if int(h.Duration) != want {
				t.Errorf("GET /donut.cast%s: it lasts %v s, want %d", query, h.Duration, want)
			}
			cast.replay(t, w.clock.Epoch())
			now, _ := w.clock.Now()
			end := timeline.Start(donut.FPS * uint64(int64(h.Timestamp)-w.clock.Epoch().Unix()+int64(h.Duration)))
			if ago := now.Sub(end); ago < 0 || ago > time.Second {
				t.Errorf("GET /donut.cast%s: it ends %v ago, want less than a second", query, ago)
			}
		}
		if answer := w.ask(http.MethodHead, ""); answer.Code != http.StatusOK || answer.Body.Len() > 0 {
			t.Errorf("HEAD /donut.cast: %d, %d bytes", answer.Code, answer.Body.Len())
		}
		if got := w.Stats().Recordings; got != 4 {
			t.Errorf("%d recordings are counted, want 4", got)
		}

		// With nobody there it is what it was, for a minute.
		c.hangUp()
		last := w.frame() + 60
		<-time.After(30 * time.Second)
		cast := parseCast(t, w.ask(http.MethodGet, "").Body.Bytes())
		cast.replay(t, w.clock.Epoch())
		end := int64(cast.header.Timestamp) - w.clock.Epoch().Unix() + int64(cast.header.Duration)
		if want := int64(last / donut.FPS); end < want {
			t.Errorf("the recording ends with second %d, and second %d has aired whole", end-1, want-1)
		}
		<-time.After(35 * time.Second)
		if answer := w.ask(http.MethodHead, ""); answer.Code != http.StatusServiceUnavailable {
			t.Errorf("HEAD /donut.cast a minute later: %d, want 503", answer.Code)
		}
		if w.attended || !w.stage.idle() {
			t.Errorf("a minute later somebody watches: %v, and nothing is kept: %v", w.attended, w.stage.idle())
		}
	})
}

// TestRecordingIsUpToDate asks when a second has just passed that only tabs have watched.
func TestRecordingIsUpToDate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		defer w.stop()
		w.play(5 * time.Second)
		now, _ := w.clock.Now()
		second := now.Frame()/donut.FPS + 1
		<-time.After(timeline.Start(second*donut.FPS).Sub(now) + time.Millisecond)
		cast := parseCast(t, w.ask(http.MethodGet, "").Body.Bytes())
		if end := int64(cast.header.Timestamp) - w.clock.Epoch().Unix() + int64(cast.header.Duration); end != int64(second) {
			t.Errorf("at the end of second %d the recording ends with second %d", second-1, end-1)
		}
	})
}

// TestRecordingWakesTheFleet asks an idle server, and does what it says.
func TestRecordingWakesTheFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		defer w.stop()
		w.ask(http.MethodHead, "?seconds=5")
		if w.times != 0 {
			t.Error("who asks for the headers alone wakes the fleet")
		}
		answer := w.ask(http.MethodGet, "?seconds=5")
		retry, err := strconv.Atoi(answer.Header().Get("Retry-After"))
		if answer.Code != http.StatusServiceUnavailable || err != nil || !w.attended {
			t.Fatalf("GET /donut.cast: %d, %v; the fleet is asked: %v", answer.Code, answer.Header(), w.attended)
		}
		<-time.After(500 * time.Millisecond) // which a fleet takes
		w.play(time.Duration(retry)*time.Second - 500*time.Millisecond)
		cast := parseCast(t, w.ask(http.MethodGet, "?seconds=5").Body.Bytes())
		if cast.header.Duration != 5 {
			t.Errorf("%d s later the recording lasts %v s, want 5", retry, cast.header.Duration)
		}
		cast.replay(t, w.clock.Epoch())
		if w.attended || w.times != 2 {
			t.Errorf("then somebody watches: %v, after %d changes", w.attended, w.times)
		}
	})
}

// TestTape has seconds that are not whole, and that do not follow each other.
func TestTape(t *testing.T) {
	t.Parallel()
	const first = 6000
	for name, c := range map[string]struct {
		missing func(n uint64) bool
		begin   uint64
		jump    uint64   // frames that are not shown after frame first+70; 0 for none
		want    []uint64 // seconds from frame first on
	}{
		"whole":             {nil, first, 0, []uint64{0, 1, 2, 3, 4, 5, 6, 7}},
		"begun within one":  {nil, first - 31, 0, []uint64{0, 1, 2, 3, 4, 5, 6}},
		"begun just within": {nil, first + 1, 0, []uint64{1, 2, 3, 4, 5, 6, 7}},
		"holes": {func(n uint64) bool { return n%7 == 0 && n > first }, first, 0,
			[]uint64{0, 1, 2, 3, 4, 5, 6, 7}},
		"a hole to begin with": {func(n uint64) bool { return n == first }, first, 0, []uint64{1, 2, 3, 4, 5, 6, 7}},
		"a jump within one":    {nil, first, 4, []uint64{0, 2, 3, 4, 5, 6, 7}},
		"a jump of whole ones": {nil, first, 120, []uint64{0, 4, 5, 6, 7}},
		"a jump":               {nil, first, 243, []uint64{0, 6, 7}},
	} {
		t.Run(name, func(t *testing.T) {
			studio := studio{missing: c.missing}
			s := newStage()
			for i := range uint64(8) {
				s.air(studio.broadcast(c.begin+60*i, 60, i == 0))
			}
			for now := timeline.Start(c.begin); now < timeline.Start(c.begin+480); now += timeline.Start(1) {
				if c.jump > 0 && now > timeline.Start(first+71) {
					now, c.jump = timeline.Start(first+72+c.jump).Add(stale), 0
				}
				s.advance(now)
			}
			var got []uint64
			for _, second := range s.tape.seconds {
				got = append(got, second.number-first/60)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("seconds %d are kept, want %d", got, c.want)
			}
			for most := range 10 {
				last := s.tape.last(most)
				for i := 1; i < len(last); i++ {
					if last[i].number != last[i-1].number+1 {
						t.Errorf("the last %d seconds have a gap", most)
					}
				}
				whole := len(c.want) // of those at the end
				if c.want[0] == 0 && c.want[1] != 1 {
					whole--
				}
				if want := min(most, whole); len(last) != want {
					t.Errorf("the last %d seconds are %d, want %d", most, len(last), want)
				}
			}
		})
	}
}

// TestTapeIsBounded records for two minutes.
func TestTapeIsBounded(t *testing.T) {
	s := newStage()
	p := pictureOf(0)
	for n := range uint64(125 * donut.FPS) {
		s.show(frame{n, p})
	}
	if got := len(s.tape.seconds); got != maxSeconds || s.tape.seconds[maxSeconds-1].number != 124 {
		t.Errorf("%d seconds are kept, want the last %d", got, maxSeconds)
	}
}

func TestCastQueries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 1)
		defer w.stop()
		for _, seconds := range []string{"0", "61", "", "1.5", "%zz", "1&seconds=2"} {
			query := "?seconds=" + seconds
			if answer := w.ask(http.MethodGet, query); answer.Code != http.StatusBadRequest {
				t.Errorf("GET /donut.cast%s: %d, want 400", query, answer.Code)
			}
		}
		w.stop()
		if answer := w.ask(http.MethodGet, ""); answer.Code != http.StatusServiceUnavailable || w.times != 0 {
			t.Errorf("GET /donut.cast when the relay has ended: %d, the fleet was asked %d times", answer.Code, w.times)
		}
	})
}

func BenchmarkCast(b *testing.B) {
	renderer := donut.NewRenderer(1)
	s := newStage()
	var p donut.Picture
	for n := range uint64(62 * donut.FPS) {
		renderer.Render(&p, n)
		s.show(frame{n, &p})
		s.now = frame{}
	}
	for _, seconds := range []int{10, 60} {
		b.Run(strconv.Itoa(seconds)+"s", func(b *testing.B) {
			var out bytes.Buffer
			for b.Loop() {
				out.Reset()
				writeCast(&out, time.Unix(0, 0), s.tape.last(seconds))
			}
			b.ReportMetric(float64(out.Len())/float64(seconds), "bytes/s-recorded")
		})
	}
}
