package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"
)

// findings are what came out of a trial.
type findings struct {
	Trial    string        `json:"trial"`
	Duration time.Duration `json:"duration_ns"` // that was asked for
	Size     size          `json:"size"`        // likewise
	Seconds  float64       `json:"seconds"`     // that it took
	Figures  []figure      `json:"figures"`
}

// A figure is one of them.
type figure struct {
	Name  string `json:"name"`
	Value number `json:"value"`
	Bar   string `json:"bar,omitempty"` // what is wanted; empty where it is only told
	Met   bool   `json:"met"`
	// Safety says that the bar is about what airs and who is believed, and holds on the busiest machine.
	Safety bool `json:"safety,omitempty"`
}

// A number may be none, where there was nothing to measure. JSON has null for that.
type number float64

// MarshalJSON implements json.Marshaler.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

func (f *findings) tell(name string, value float64) {
	f.Figures = append(f.Figures, figure{Name: name, Value: number(value), Met: true})
}

// safe wants a figure that says what is believed to be exactly so much.
func (f *findings) safe(name string, value, want float64) {
	f.Figures = append(f.Figures, figure{name, number(value), fmt.Sprintf("%g", want), value == want, true})
}

// exactly, atMost, within and atLeast want a figure to be so.
func (f *findings) exactly(name string, value, want float64) {
	f.Figures = append(f.Figures, figure{name, number(value), fmt.Sprintf("%g", want), value == want, false})
}

func (f *findings) atMost(name string, value, bar float64) {
	f.Figures = append(f.Figures, figure{name, number(value), fmt.Sprintf("at most %g", bar), value <= bar, false})
}

func (f *findings) within(name string, value, want, tolerance float64) {
	bar := fmt.Sprintf("%g within %g%%", want, 100*tolerance)
	f.Figures = append(f.Figures, figure{name, number(value), bar, math.Abs(value-want) <= tolerance*want, true})
}

func (f *findings) atLeast(name string, value, bar float64) {
	f.Figures = append(f.Figures, figure{name, number(value), fmt.Sprintf("at least %g", bar), value >= bar, false})
}

// missed reports whether a bar was missed.
func (f findings) missed() bool {
	for _, figure := range f.Figures {
		if !figure.Met {
			return true
		}
	}
	return false
}

// writeTable writes the figures for people.
func (f findings) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "%s\t%.0f s\t\n", f.Trial, f.Seconds)
	for _, figure := range f.Figures {
		verdict := ""
		if figure.Bar != "" {
			verdict = "want " + figure.Bar
		}
		if !figure.Met {
			verdict = "MISSED: " + verdict
		}
		fmt.Fprintf(t, "  %s\t%.4g\t%s\n", figure.Name, figure.Value, verdict)
	}
	return t.Flush()
}

// writeJSON writes a line for machines.
func (f findings) writeJSON(w io.Writer) error { return json.NewEncoder(w).Encode(f) }
