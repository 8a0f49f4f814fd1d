package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

// TestJournal reads the log of a server that meets two others, of which one leaves and comes again as another, and one is
// cut off.
func TestJournal(t *testing.T) {
	s := newServer("", program, io.Discard, nil)
	read := func(lines ...string) {
		s.read(strings.NewReader(strings.Join(lines, "\n")), make(chan listening, 1))
	}
	others := func(want int) {
		t.Helper()
		if got := s.log.others(); got != want {
			t.Errorf("it works with %d others, want %d", got, want)
		}
	}
	others(0)
	read(`{"level":"INFO","msg":"a server of the cluster","state":"alive","name":"b","identity":"1","member":2}`,
		`{"level":"INFO","msg":"a server of the cluster","state":"clock off","name":"c","identity":"2","member":3}`)
	others(1)
	read(`{"level":"INFO","msg":"a server of the cluster","state":"alive","name":"c","identity":"2","member":3}`)
	others(2)
	read(`{"level":"INFO","msg":"a server of the cluster","state":"alive","name":"b","identity":"3","member":4}`,
		`{"level":"INFO","msg":"a server of the cluster","state":"silent","name":"b","identity":"1","member":2}`)
	others(2)
	read(`{"level":"ERROR","msg":"a server is cut off","why":"x","name":"c","identity":"2","member":3}`,
		`{"level":"INFO","msg":"a server of the cluster","state":"cut off","name":"c","identity":"2","member":3}`)
	others(1)
	if got := s.log.identity("b"); got != 1 && got != 3 {
		t.Errorf("b's identity is %d, want 1 or 3", got)
	}
	for name, want := range map[string]bool{"b": false, "c": true} {
		if _, got := s.log.cut(name); got != want {
			t.Errorf("%s is cut off: %v, want %v", name, got, want)
		}
	}
}

// TestLook has what two servers counted between two looks, whose own counts a third of a message apart must not matter.
func TestLook(t *testing.T) {
	stats := func(aired, fleet float64) map[string]float64 {
		return map[string]float64{"aired_frames": aired, "fleet_frames": fleet}
	}
	before := look{stats: []map[string]float64{stats(100, 50), stats(120, 60)}}
	after := look{stats: []map[string]float64{stats(200, 90), stats(320, 180)}}
	before.spent, after.spent = make([]time.Duration, 2), []time.Duration{time.Second, 2 * time.Second}
	after.at = before.at.Add(4 * time.Second)
	grown := after.since(before)
	if got := grown.sum("fleet_frames"); got != 160 {
		t.Errorf("all rendered %v, want 160", got)
	}
	for i, want := range []float64{0.4, 0.6} {
		if got := grown.share(i, "fleet_frames"); got != want {
			t.Errorf("server %d's share is %v, want %v", i, got, want)
		}
		if got, want := grown.cores[i], float64(i+1)/4; got != want {
			t.Errorf("server %d takes %v cores, want %v", i, got, want)
		}
	}
}
