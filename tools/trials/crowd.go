package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A crowd is a swarm that plays, in a process of its own. A nil one has nobody.
type crowd struct {
	process *exec.Cmd
	out     bytes.Buffer
	said    bytes.Buffer // on standard error
	err     error        // why it could not start
	stderr  io.Writer
}

// A door is where crowds come in.
type door struct {
	bin    string // the folder that swarm is in
	url    string
	stderr io.Writer
}

// begin starts a crowd that plays for so long. The caller must end it.
func (o *door) begin(ctx context.Context, d time.Duration, flags ...string) *crowd {
	flags = append([]string{"-url", o.url, "-json", "-duration", d.String()}, flags...)
	c := &crowd{process: exec.CommandContext(ctx, filepath.Join(o.bin, "swarm"), flags...), stderr: o.stderr}
	c.process.Cancel = func() error { return c.process.Process.Signal(os.Interrupt) }
	c.process.WaitDelay = stopTimeout
	c.process.Stdout, c.process.Stderr = &c.out, &c.said
	if err := c.process.Start(); err != nil {
		c.err = fmt.Errorf("start swarm: %w (run make build)", err)
	}
	return c
}

// end waits for the end of the play, passes on what went wrong for whom, and returns the report. A crowd whose own checks fail has one all the same.
func (c *crowd) end() (report map[string]float64, err error) {
	if c == nil {
		return map[string]float64{}, nil
	}
	if c.err != nil {
		return nil, c.err
	}
	waited := c.process.Wait()
	if code := c.process.ProcessState.ExitCode(); code != 0 && code != 1 {
		return nil, fmt.Errorf("swarm: %w\n%s", waited, &c.said)
	}
	var told struct {
		Faults []string `json:"fault_texts"`
	}
	if err := json.Unmarshal(c.out.Bytes(), &told); err == nil { // else it is no report at all
		for _, fault := range told.Faults {
			fmt.Fprintf(c.stderr, "swarm: %s\n", fault)
		}
	}
	if report, err = numbers(&c.out); err != nil {
		return nil, errors.Join(waited, err)
	}
	return report, nil
}

// kill ends the crowd in the middle of it. It has no report.
func (c *crowd) kill() {
	if c != nil && c.err == nil {
		c.process.Process.Kill()
		c.process.Wait()
	}
}

// swarm plays a crowd until its end, and returns its report.
func (o *door) swarm(ctx context.Context, d time.Duration, flags ...string) (map[string]float64, error) {
	return o.begin(ctx, d, flags...).end()
}

// reportsOf waits for the end of all crowds, and returns their reports.
func reportsOf(crowds []*crowd) (all []map[string]float64, err error) {
	for _, c := range crowds {
		report, endErr := c.end()
		all = append(all, report)
		err = errors.Join(err, endErr)
	}
	return all, err
}

// sumOf adds up reports.
func sumOf(reports []map[string]float64) map[string]float64 {
	sum := make(map[string]float64)
	for _, report := range reports {
		for name, value := range report {
			sum[name] += value
		}
	}
	return sum
}

// endAll waits for the end of all crowds, and adds up their reports.
func endAll(crowds []*crowd) (map[string]float64, error) {
	reports, err := reportsOf(crowds)
	return sumOf(reports), err
}
