package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a server may take until it listens: it may have to compile the module.
	startTimeout = 30 * time.Second
	// stopTimeout is how long a process may take to end when it was asked to.
	stopTimeout = 15 * time.Second
)

// A stage is a server and what plays against it.
type stage struct {
	bin    string
	stderr io.Writer
	server *exec.Cmd
	url    string
}

// open starts a server with the given flags. The caller must close the stage.
func open(ctx context.Context, bin string, stderr io.Writer, flags []string) (*stage, error) {
	s := &stage{bin: bin, stderr: stderr}
	flags = append([]string{"-addr", "127.0.0.1:0", "-admin-addr", "", "-log-format", "json"}, flags...)
	s.server = exec.Command(filepath.Join(bin, "donut-server"), flags...)
	s.server.WaitDelay = stopTimeout
	log, err := s.server.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.server.Start(); err != nil {
		return nil, fmt.Errorf("start server: %w (run make build)", err)
	}
	listening := make(chan string, 1)
	go s.read(log, listening)
	select {
	case addr, ok := <-listening:
		if !ok {
			return nil, errors.Join(errors.New("the server ended before it listened"), s.close())
		}
		s.url = "http://" + addr
		return s, nil
	case <-time.After(startTimeout):
		err = fmt.Errorf("the server does not listen after %v", startTimeout)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return nil, errors.Join(err, s.close())
}

// read reads the server's log, sends the address that it listens on, and closes the channel at the end of the log.
// Errors of the server's are passed on.
func (s *stage) read(log io.Reader, listening chan<- string) {
	defer close(listening)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var entry struct{ Level, Msg, Addr string }
		switch err := json.Unmarshal(lines.Bytes(), &entry); {
		case err != nil, entry.Level == "ERROR":
			fmt.Fprintf(s.stderr, "server: %s\n", lines.Bytes())
		case entry.Msg == "listening":
			listening <- entry.Addr
		}
	}
}

// close ends the server, and fails where it does not end well.
func (s *stage) close() error {
	if err := s.server.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop server: %w", err)
	}
	kill := time.AfterFunc(stopTimeout, func() { s.server.Process.Kill() })
	defer kill.Stop()
	if err := s.server.Wait(); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// fetch returns what the server has at a path.
func (s *stage) fetch(ctx context.Context, path string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", path, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: got status %s, want 200", path, response.Status)
	}
	return io.ReadAll(response.Body)
}

// statsAfter asks the server for its statistics after some time.
func (s *stage) statsAfter(ctx context.Context, d time.Duration) (map[string]float64, error) {
	if err := s.wait(ctx, d); err != nil {
		return nil, err
	}
	body, err := s.fetch(ctx, "/api/stats")
	if err != nil {
		return nil, err
	}
	return numbers(bytes.NewReader(body))
}

// numbers returns the numbers of a JSON object by their names.
func numbers(r io.Reader) (map[string]float64, error) {
	var all map[string]any
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		return nil, fmt.Errorf("parse statistics: %w", err)
	}
	kept := make(map[string]float64)
	for name, value := range all {
		if number, ok := value.(float64); ok {
			kept[name] = number
		}
	}
	return kept, nil
}

// wait lets time pass.
func (s *stage) wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// cores returns how many cores the server takes on average over some time.
func (s *stage) cores(ctx context.Context, d time.Duration) (float64, error) {
	before, err := processorTime(s.server.Process.Pid)
	start := time.Now()
	if err == nil {
		err = s.wait(ctx, d)
	}
	if err != nil {
		return 0, err
	}
	after, err := processorTime(s.server.Process.Pid)
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
