package terminal

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
)

const (
	// defaultSeconds is how long a recording is unless the client says.
	defaultSeconds = 10
	// waking is how long it takes a fleet that was asleep to air a second that begins on the clock, at most.
	waking = 3 * time.Second
)

// errAsleep is the error for a recording of nothing.
var errAsleep = errors.New("nothing has aired in the last minute; it does now: come back for it, as curl --retry 1 does")

// ServeCast answers with a recording of the last ?seconds= that were on screen, in the format of asciicast v2. It is as
// long as there is of them. Where there is nothing, for nobody watches, the fleet is woken, and the client told when to
// come back.
func (r *Relay) ServeCast(w http.ResponseWriter, req *http.Request) {
	openToAll(w.Header())
	most, err := parseNumber(req.URL.RawQuery, "seconds", defaultSeconds, maxSeconds)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	seconds, err := r.recording(most, req.Method == http.MethodGet)
	if err != nil {
		refuse(w, err, time.Duration(most)*time.Second+waking)
		return
	}
	w.Header().Set("Content-Type", "application/x-asciicast")
	w.Header().Set("Content-Disposition", `attachment; filename="donut.cast"`)
	if req.Method == http.MethodHead {
		return
	}
	r.stats.recordings.Add(1)
	writeCast(w, r.cfg.Clock.Epoch(), seconds) // an error means that nobody reads
}

// recording returns the newest seconds that were on screen, at most so many. The error is errAsleep or errDraining;
// after the former the fleet airs until there should be as many, if it is to be woken.
func (r *Relay) recording(most int, wake bool) ([]*second, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return nil, errDraining
	}
	now, _ := r.cfg.Clock.Now()
	r.stage.advance(now)
	seconds := r.stage.tape.last(most)
	if len(seconds) > 0 {
		return seconds, nil
	}
	if wake {
		r.awake = max(r.awake, now.Add(time.Duration(most)*time.Second+waking))
		r.wake()
	}
	return nil, errAsleep
}

// writeCast writes an asciicast of seconds that follow each other. The last event gives the cursor back.
func writeCast(w io.Writer, epoch time.Time, seconds []*second) error {
	header, err := json.Marshal(struct {
		Version   int    `json:"version"`
		Width     int    `json:"width"`
		Height    int    `json:"height"`
		Timestamp int64  `json:"timestamp"`
		Duration  int    `json:"duration"`
		Title     string `json:"title"`
	}{2, donut.Columns, donut.Rows, epoch.Unix() + int64(seconds[0].number), len(seconds), "Distributed Donut"})
	if err != nil {
		return err
	}
	b := bufio.NewWriterSize(w, 32<<10)
	b.Write(append(header, '\n')) // errors come back from Flush
	write := func(second int, event string) {
		if event != "" {
			b.WriteByte('[')
			b.WriteString(strconv.Itoa(second))
			b.WriteString(event)
		}
	}
	for i, s := range seconds {
		if i == 0 {
			write(i, s.opening)
		} else {
			write(i, s.change)
		}
		for _, event := range s.events {
			write(i, event)
		}
	}
	write(len(seconds), event(0, park+showCursor))
	return b.Flush()
}
