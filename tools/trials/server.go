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
	"strings"
	"syscall"
	"time"
)

const (
	// startTimeout is how long a server may take until it listens: it may have to compile the module.
	startTimeout = 30 * time.Second
	// stopTimeout is how long a process may take to end when it was asked to.
	stopTimeout = 15 * time.Second
)

// A server is a process of donut-server, in which crowds come and go.
type server struct {
	door
	program string // in the folder
	name    string // among others
	flags   []string
	process *exec.Cmd
	admin   string // URL of the admin listener
	log     journal
}

// anyPort is an address of this machine.
const anyPort = "127.0.0.1:0"

// newServer returns a server that is to be launched.
func newServer(bin, program string, stderr io.Writer, flags []string) *server {
	flags = append([]string{"-admin-addr", anyPort, "-log-format", "json"}, flags...)
	return &server{door: door{bin: bin, stderr: stderr}, program: program, flags: flags}
}

// launch starts the server on an address, and returns when it listens. The caller must close it.
func (s *server) launch(ctx context.Context, addr string) error {
	s.process = exec.Command(filepath.Join(s.bin, s.program), append([]string{"-addr", addr}, s.flags...)...)
	s.process.WaitDelay = stopTimeout
	log, err := s.process.StderrPipe()
	if err != nil {
		return err
	}
	if err := s.process.Start(); err != nil {
		return fmt.Errorf("start server: %w (run make build)", err)
	}
	listening := make(chan listening, 1)
	go s.read(log, listening)
	select {
	case l, ok := <-listening:
		if !ok {
			return errors.Join(errors.New("the server ended before it listened"), s.close())
		}
		s.url, s.admin = "http://"+l.addr, "http://"+l.admin
		return nil
	case <-time.After(startTimeout):
		err = fmt.Errorf("the server does not listen after %v", startTimeout)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return errors.Join(err, s.close())
}

// listening says where a server listens, as host:port.
type listening struct{ addr, admin string }

// restart ends the server by a signal, and starts another one in its place. Only one that is killed may end badly.
func (s *server) restart(ctx context.Context, sig syscall.Signal) error {
	if err := s.end(sig); err != nil && sig != syscall.SIGKILL {
		return err
	}
	return s.launch(ctx, strings.TrimPrefix(s.url, "http://"))
}

// read reads the server's log, sends where it listens, and closes the channel at the end of the log.
// Errors of the server's are passed on.
func (s *server) read(log io.Reader, told chan<- listening) {
	defer close(told)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		var e entry
		switch err := json.Unmarshal(lines.Bytes(), &e); {
		case err != nil, e.Level == "ERROR" && e.Msg != cutOff:
			fmt.Fprintf(s.stderr, "server: %s\n", lines.Bytes())
		case e.Msg == "listening":
			told <- listening{e.Addr, e.Admin}
		default:
			s.log.take(e)
		}
	}
}

// close ends the server, and fails where it does not end well.
func (s *server) close() error { return s.end(syscall.SIGTERM) }

// end ends the server by a signal, and fails where it does not end well.
func (s *server) end(sig syscall.Signal) error {
	if err := s.process.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop server: %w", err)
	}
	kill := time.AfterFunc(stopTimeout, func() { s.process.Process.Kill() })
	defer kill.Stop()
	if err := s.process.Wait(); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// client leaves no connection behind, which would be counted as the server's.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// fetch returns what there is at a URL.
func fetch(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("fetch %s: %w", url, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetch %s: got status %s, want 200", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

// statsAfter asks the server for its statistics after some time.
func (s *server) statsAfter(ctx context.Context, d time.Duration) (map[string]float64, error) {
	if err := wait(ctx, d); err != nil {
		return nil, err
	}
	body, err := fetch(ctx, s.url+"/api/stats")
	if err != nil {
		return nil, err
	}
	return numbers(bytes.NewReader(body))
}

// numbers returns the numbers of a JSON object by their names, and those of an object in it as "name.inner".
func numbers(r io.Reader) (map[string]float64, error) {
	var all map[string]any
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		return nil, fmt.Errorf("parse statistics: %w", err)
	}
	kept := make(map[string]float64)
	for name, value := range all {
		switch value := value.(type) {
		case float64:
			kept[name] = value
		case map[string]any:
			for inner, value := range value {
				if number, ok := value.(float64); ok {
					kept[name+"."+inner] = number
				}
			}
		}
	}
	return kept, nil
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
