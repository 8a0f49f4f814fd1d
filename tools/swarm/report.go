package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

// A report is what the crowd saw. Its members' names are for scripts to rely on.
type report struct {
	Workers      int     `json:"workers"`
	Viewers      int     `json:"viewers"`
	Joined       int     `json:"joined"` // of both, those that were welcomed
	Seconds      float64 `json:"seconds"`
	OwnAddresses bool    `json:"own_addresses"`

	Messages        int    `json:"messages"`               // distinct broadcasts
	FramesSeen      uint64 `json:"frames_seen"`            // that came in time, over everybody
	FramesMissed    uint64 `json:"frames_missed"`          // that did not, over everybody, each from the first picture on
	MissedAtFirst   uint64 `json:"frames_missed_at_first"` // of these, within 5 s of somebody's first picture
	FramesForged    uint64 `json:"frames_forged_seen"`     // that are not what the renderer draws, over everybody
	FramesUnchecked uint64 `json:"frames_unchecked"`       // distinct ones that there was no time to check

	// From the dial on until the frame of the moment was there; null where nobody saw one.
	FirstFrameP50 *float64 `json:"first_frame_ms_p50"`
	FirstFrameP99 *float64 `json:"first_frame_ms_p99"`

	// How far the timelines that people play by were ahead of the one by this machine's wall clock, which all share; looked
	// at with each broadcast from the second answered probe on. Null where there was none.
	AheadP1  *float64 `json:"ahead_ms_p1"`
	AheadP50 *float64 `json:"ahead_ms_p50"`
	AheadP99 *float64 `json:"ahead_ms_p99"`

	BytesPerFrame    float64 `json:"bytes_per_frame"` // of whole broadcasts, to one person
	FramesRendered   int64   `json:"frames_rendered"`
	HonestEvicted    int     `json:"honest_evicted"`
	Forgers          int     `json:"forgers"` // identities that sent a forged frame; who is evicted comes again as another
	ForgersEvicted   int     `json:"forgers_evicted"`
	FramesSentForged int     `json:"frames_forged"` // by them

	// Those who came beside the crowd to do harm.
	HostileJoins    int64            `json:"hostile_joins"` // that were welcomed
	HostileRefused  int64            `json:"hostile_refused"`
	HostileLent     int64            `json:"hostile_lent"`
	HostileEvicted  int64            `json:"hostile_evicted"`
	HostileRate     float64          `json:"hostile_rate"`     // tried a second
	HostileMessages int64            `json:"hostile_messages"` // sent, the hellos apart
	HostileClosed   map[string]int64 `json:"hostile_closed"`   // told goodbye, by reason
	HostileCut      int64            `json:"hostile_cut"`      // cut off after the welcome without a word

	// Those who came back after they had lost their connection.
	Returned    int      `json:"returned"`
	Backward    int      `json:"backward"`       // of these, to a frame from before the loss
	NotBack     int      `json:"not_back"`       // lost it, and had no picture again at the end
	ReturnTries int      `json:"return_tries"`   // times that they tried to come back
	ReturnPeak  int      `json:"return_peak"`    // welcomed within the busiest second
	ReturnP50   *float64 `json:"return_ms_p50"`  // from the loss until a picture was there again; null for nobody
	ReturnP99   *float64 `json:"return_ms_p99"`  // likewise
	ReturnMost  *float64 `json:"return_ms_p100"` // likewise

	Faults     int      `json:"faults"` // whatever else went wrong
	FaultTexts []string `json:"fault_texts"`
}

// report sums up the play after its end.
func (c *crowd) report() report {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, film := &c.total, c.film.sum()
	r := report{
		Workers: c.cfg.workers, Viewers: c.cfg.viewers, Joined: t.joined, Seconds: c.elapsed.Seconds(),
		OwnAddresses: c.addresses.own, Messages: film.messages,
		FramesSeen: t.seen, FramesMissed: t.missed, MissedAtFirst: t.missedAtFirst, FramesForged: film.forgedSeen, FramesUnchecked: film.unchecked,
		FirstFrameP50: percentile(t.firstFrames, 50), FirstFrameP99: percentile(t.firstFrames, 99),
		AheadP1: c.ahead.percentile(1), AheadP50: c.ahead.percentile(50), AheadP99: c.ahead.percentile(99),
		FramesRendered: c.rendered.Load(), HonestEvicted: t.honestEvicted,
		Forgers: t.forgers, ForgersEvicted: t.evicted, FramesSentForged: t.forged,
		Faults: t.faults, FaultTexts: append([]string{}, t.faultTexts...),
	}
	h := &c.hostiles
	r.HostileJoins, r.HostileRefused, r.HostileLent = h.joined.Load(), h.refused.Load(), h.lent.Load()
	r.HostileMessages, r.HostileClosed, r.HostileCut = h.messages.Load(), h.closedByName(), h.cut.Load()
	r.HostileEvicted = h.closed[wire.ReasonEvicted].Load()
	if c.cfg.hostile() {
		r.HostileRate = float64(h.tried()) / h.took.Seconds()
	}
	b := &t.returns
	r.Returned, r.Backward, r.NotBack, r.ReturnTries, r.ReturnPeak = len(b.after), b.backward, b.notBack, b.tried, b.peak()
	r.ReturnP50, r.ReturnP99, r.ReturnMost = percentile(b.after, 50), percentile(b.after, 99), percentile(b.after, 100)
	if t.frames > 0 {
		r.BytesPerFrame = float64(t.bytes) / float64(t.frames)
	}
	return r
}

// percentile returns the least of the durations, in milliseconds, that p percent of them do not exceed, or nil for
// none.
func percentile(durations []time.Duration, p int) *float64 {
	if len(durations) == 0 {
		return nil
	}
	sorted := slices.Sorted(slices.Values(durations))
	rank := (len(sorted)*p + 99) / 100
	return new(float64(sorted[max(rank, 1)-1]) / float64(time.Millisecond))
}

// verdict returns what failed, or nil.
func (r report) verdict() error {
	var failed []string
	for _, check := range []struct {
		failed bool
		text   string
	}{
		{r.FramesForged > 0, fmt.Sprintf("%d forged frames seen", r.FramesForged)},
		{r.FramesMissed > 0, fmt.Sprintf("%d frames missed", r.FramesMissed)},
		{r.FramesUnchecked > 0, fmt.Sprintf("%d frames not checked", r.FramesUnchecked)},
		{r.HonestEvicted > 0, fmt.Sprintf("%d honest workers evicted", r.HonestEvicted)},
		{r.ForgersEvicted < r.Forgers, fmt.Sprintf("%d of %d forgers not evicted", r.Forgers-r.ForgersEvicted, r.Forgers)},
		{r.Joined < r.Workers+r.Viewers, fmt.Sprintf("%d of %d let in", r.Joined, r.Workers+r.Viewers)},
		{r.FramesSeen == 0, "no frame seen"},
		{r.NotBack > 0, fmt.Sprintf("%d did not come back", r.NotBack)},
		{r.Faults > 0, fmt.Sprintf("%d faults", r.Faults)},
	} {
		if check.failed {
			failed = append(failed, check.text)
		}
	}
	if failed == nil {
		return nil
	}
	return errors.New(strings.Join(failed, ", "))
}

func (r report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r report) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	addresses := "an address each"
	if !r.OwnAddresses {
		addresses = "one address for all"
	}
	row("crowd", "%d workers, %d viewers, %d let in, %s", r.Workers, r.Viewers, r.Joined, addresses)
	row("played", "%.1f s, %d messages", r.Seconds, r.Messages)
	row("frames seen", "%d", r.FramesSeen)
	row("frames missed", "%d, of them %d within 5 s of somebody's first picture", r.FramesMissed, r.MissedAtFirst)
	row("forged frames seen", "%d", r.FramesForged)
	row("frames not checked", "%d", r.FramesUnchecked)
	row("first frame", "p50 %s, p99 %s", milliseconds(r.FirstFrameP50), milliseconds(r.FirstFrameP99))
	row("clocks ahead", "p1 %s, p50 %s, p99 %s", milliseconds(r.AheadP1), milliseconds(r.AheadP50),
		milliseconds(r.AheadP99))
	row("bytes per frame", "%.1f", r.BytesPerFrame)
	row("frames rendered", "%d", r.FramesRendered)
	row("honest evicted", "%d", r.HonestEvicted)
	row("forgers evicted", "%d of %d, who sent %d forged frames", r.ForgersEvicted, r.Forgers, r.FramesSentForged)
	if r.HostileRate > 0 {
		row("hostile joins", "%d welcomed and %d refused, %.0f a second, %d lent to, %d evicted", r.HostileJoins,
			r.HostileRefused, r.HostileRate, r.HostileLent, r.HostileEvicted)
		row("hostile messages", "%d", r.HostileMessages)
		row("hostile ends", "%v, and %d cut off", r.HostileClosed, r.HostileCut)
	}
	if r.ReturnTries > 0 {
		row("came back", "%d after p50 %s, p99 %s, at most %s; %d did not", r.Returned, milliseconds(r.ReturnP50),
			milliseconds(r.ReturnP99), milliseconds(r.ReturnMost), r.NotBack)
		row("their joins", "%d tried, and at most %d welcomed within a second", r.ReturnTries, r.ReturnPeak)
	}
	row("faults", "%d", r.Faults)
	for _, text := range r.FaultTexts {
		row("", "%s", text)
	}
	return t.Flush()
}

func milliseconds(v *float64) string {
	if v == nil {
		return "never"
	}
	return fmt.Sprintf("%.0f ms", *v)
}
