// Package natsserver runs a real NATS server, of a pinned version, and a proxy in front of it that can fail in ways that
// a server does not: for tests, by server/cluster/natstest, and for trials.
package natsserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Version is that of the NATS server.
const Version = "v2.15.2"

// A Server is a NATS server on a port of the loopback interface. It is not safe for concurrent use.
type Server struct {
	program string
	args    []string // beside the addresses
	addr    string
	monitor string    // where it tells what it counts
	command *exec.Cmd // nil while it is stopped
	drained chan struct{}
}

// Start starts a server with some arguments, as in -c and a file, at an address of its own. The caller must stop it.
func Start(args ...string) (*Server, error) {
	program, err := Program()
	if err != nil {
		return nil, err
	}
	s := &Server{program: program, args: args, addr: "127.0.0.1:-1", monitor: "127.0.0.1:-1"} // any ports
	return s, s.Restart()
}

// Program returns the path of the server's program. The first time on a machine it is built, outside this module, into
// the user's cache directory.
func Program() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "distributed-donut", "nats-server-"+Version)
	program := filepath.Join(dir, "nats-server")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	// Several processes may be here at once: each builds a copy of its own, and the last one stays.
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	own, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(own)
	install := exec.Command("go", "install", "github.com/nats-io/nats-server/v2@"+Version)
	install.Dir = own
	install.Env = append(os.Environ(), "GOBIN="+own, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build nats-server: go install: %w: %s", err, out)
	}
	return program, os.Rename(filepath.Join(own, "nats-server"), program)
}

// Addr returns the server's address, as host:port.
func (s *Server) Addr() string { return s.addr }

// URL returns the server's URL.
func (s *Server) URL() string { return "nats://" + s.addr }

// PID returns the number of the server's process, which must not be stopped.
func (s *Server) PID() int { return s.command.Process.Pid }

// Stop kills the server, and waits for its end.
func (s *Server) Stop() {
	if s.command == nil {
		return
	}
	_ = s.command.Process.Kill()
	<-s.drained
	_ = s.command.Wait() // it says that it was killed
	s.command = nil
}

// Restart starts a server that was stopped, at the same address, and returns when it takes connections.
func (s *Server) Restart() error {
	host, port, _ := strings.Cut(s.addr, ":")
	_, monitor, _ := strings.Cut(s.monitor, ":")
	command := exec.Command(s.program, append([]string{"-a", host, "-p", port, "-m", monitor}, s.args...)...)
	stderr, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return fmt.Errorf("start nats-server: %w", err)
	}
	s.command, s.drained = command, make(chan struct{})
	var said []string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		said = append(said, lines.Text())
		if _, addr, ok := strings.Cut(lines.Text(), "Listening for client connections on "); ok {
			s.addr = addr
		}
		if _, addr, ok := strings.Cut(lines.Text(), "Starting http monitor on "); ok {
			s.monitor = addr
		}
		if strings.HasSuffix(lines.Text(), "Server is ready") {
			go drain(lines, s.drained)
			return nil
		}
	}
	close(s.drained)
	s.Stop()
	return fmt.Errorf("nats-server did not start: %s", strings.Join(said, "\n"))
}

// drain keeps the server from waiting for a reader of its log, until it ends.
func drain(lines *bufio.Scanner, done chan<- struct{}) {
	defer close(done)
	for lines.Scan() {
	}
}

// dial connects to the server.
func (s *Server) dial() (net.Conn, error) { return net.Dial("tcp", s.addr) }

// A Load is what a server has passed on since it started: Out counts a message once for each who gets it, and bytes are of
// the payloads.
type Load struct {
	In       float64 `json:"in_msgs"`
	Out      float64 `json:"out_msgs"`
	InBytes  float64 `json:"in_bytes"`
	OutBytes float64 `json:"out_bytes"`
}

// Load asks the server.
func (s *Server) Load(ctx context.Context) (l Load, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.monitor+"/varz", nil)
	if err != nil {
		return l, err
	}
	request.Close = true // no connection is left behind
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return l, fmt.Errorf("ask nats-server for its load: %w", err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&l); err != nil {
		return l, fmt.Errorf("parse nats-server's load: %w", err)
	}
	return l, nil
}
