package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

// cores returns how many cores the server takes on average over some time.
func (s *server) cores(ctx context.Context, d time.Duration) (float64, error) {
	before, err := processorTime(s.process.Process.Pid)
	start := time.Now()
	if err == nil {
		err = wait(ctx, d)
	}
	if err != nil {
		return 0, err
	}
	after, err := processorTime(s.process.Process.Pid)
	return (after - before).Seconds() / time.Since(start).Seconds(), err
}

// processorTime returns what a process has taken, by Linux' account of it.
func processorTime(pid int) (time.Duration, error) {
	content, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, fmt.Errorf("measure processor time: %w", err)
	}
	return parseStat(string(content))
}

// memory returns how many bytes of memory the server takes up.
func (s *server) memory() (float64, error) {
	content, err := os.ReadFile("/proc/" + strconv.Itoa(s.process.Process.Pid) + "/statm")
	if err != nil {
		return 0, fmt.Errorf("measure memory: %w", err)
	}
	var size, resident float64 // pages
	if _, err := fmt.Sscan(string(content), &size, &resident); err != nil {
		return 0, fmt.Errorf("parse /proc's memory: %w", err)
	}
	return resident * float64(os.Getpagesize()), nil
}

// A footprint is what a server holds that connections take.
type footprint struct{ goroutines, descriptors int }

// footprint returns the server's.
func (s *server) footprint(ctx context.Context) (f footprint, err error) {
	open, err := os.ReadDir("/proc/" + strconv.Itoa(s.process.Process.Pid) + "/fd")
	if err != nil {
		return f, fmt.Errorf("count descriptors: %w", err)
	}
	f.descriptors = len(open)
	metrics, err := fetch(ctx, s.admin+"/metrics")
	if err != nil {
		return f, err
	}
	for line := range bytes.Lines(metrics) {
		if _, err := fmt.Sscanf(string(line), "go_goroutines %d", &f.goroutines); err == nil {
			return f, nil
		}
	}
	return f, fmt.Errorf("metrics of %s: got no go_goroutines, want them", s.admin)
}

const (
	// leaving is how long a server may take to free what those held who have left, and leavingBeat how often it is looked
	// at.
	leaving     = 30 * time.Second
	leavingBeat = 500 * time.Millisecond
)

// footprintOver returns how much more the server holds than before, when that is nothing or it has had enough time.
func (s *server) footprintOver(ctx context.Context, before footprint) (more footprint, err error) {
	for deadline := time.Now().Add(leaving); ; {
		now, err := s.footprint(ctx)
		if err != nil {
			return more, err
		}
		more = footprint{max(0, now.goroutines-before.goroutines), max(0, now.descriptors-before.descriptors)}
		if more == (footprint{}) || time.Now().After(deadline) {
			return more, nil
		}
		if err := wait(ctx, leavingBeat); err != nil {
			return more, err
		}
	}
}
