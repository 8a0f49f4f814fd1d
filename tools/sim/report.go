package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// writeTable writes a row for each outcome, for people.
func writeTable(out io.Writer, outcomes []outcome) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "scenario\tcapacity\taired\tstalled\tserver\twasted\thedged\tleases\tmissed\tp50 ms\tp95 ms\tdecision us\t")
	for _, o := range outcomes {
		fmt.Fprintf(t, "%s\t%.1f\t%d\t%d\t%.2f%%\t%.2f%%\t%d\t%d\t%d\t%.0f\t%.0f\t%.2f\t\n", o.Scenario, o.Capacity, o.Aired,
			o.Stalled, 100*o.ServerShare, 100*o.WastedShare, o.Hedged, o.Leases, o.Missed, o.AnswerP50, o.AnswerP95, o.Decision)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, o := range outcomes {
		for _, b := range o.missed() {
			if _, err := fmt.Fprintf(out, "MISSED: %s, seed %d: %s is %.4g, want at most %g\n", o.Scenario, o.Seed, b.Figure, b.Got, b.Most); err != nil {
				return err
			}
		}
	}
	return nil
}

// writeJSON writes a line for each outcome, for machines.
func writeJSON(out io.Writer, outcomes []outcome) error {
	lines := json.NewEncoder(out)
	for _, o := range outcomes {
		if err := lines.Encode(o); err != nil {
			return err
		}
	}
	return nil
}
