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

// begin starts a crowd that plays for so long. The caller must end it.
func (s *stage) begin(ctx context.Context, d time.Duration, flags ...string) *crowd {
	flags = append([]string{"-url", s.url, "-json", "-duration", d.String()}, flags...)
	c := &crowd{process: exec.CommandContext(ctx, filepath.Join(s.bin, "swarm"), flags...), stderr: s.stderr}
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
func (s *stage) swarm(ctx context.Context, d time.Duration, flags ...string) (map[string]float64, error) {
	return s.begin(ctx, d, flags...).end()
}
