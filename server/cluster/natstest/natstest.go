// Package natstest runs a real NATS server for tests, and a proxy in front of it that can fail in ways that a server
// does not.
package natstest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Version is that of the NATS server.
const Version = "v2.15.2"

// A Server is a NATS server on a port of the loopback interface.
type Server struct {
	program string
	addr    string
	command *exec.Cmd // nil while it is stopped
}

// Start starts a server, which ends with the test. The first time on a machine it is built, outside this module, into
// the user's cache directory. Where it cannot be had the test is skipped, or fails if REQUIRE_BROWSERS=1 wants nothing
// left out.
func Start(t testing.TB) *Server {
	t.Helper()
	program, err := build()
	if err != nil {
		if os.Getenv("REQUIRE_BROWSERS") == "1" {
			t.Fatalf("there is no NATS server, and REQUIRE_BROWSERS=1 leaves nothing out: %v", err)
		}
		t.Skipf("there is no NATS server: %v", err)
	}
	s := &Server{program: program, addr: "127.0.0.1:-1"} // any port
	s.Restart(t)
	t.Cleanup(s.Stop)
	return s
}

// build returns the server's program.
func build() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "distributed-donut", "nats-server-"+Version)
	program := filepath.Join(dir, "nats-server")
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	// Tests of several packages may be here at once: each builds a copy of its own, and the last one stays.
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
		return "", fmt.Errorf("go install: %w: %s", err, out)
	}
	return program, os.Rename(filepath.Join(own, "nats-server"), program)
}

// Addr returns the server's address.
func (s *Server) Addr() string { return s.addr }

// URL returns the server's URL.
func (s *Server) URL() string { return "nats://" + s.addr }

// Stop kills the server, and waits for its end.
func (s *Server) Stop() {
	if s.command != nil {
		_ = s.command.Process.Kill()
		_ = s.command.Wait() // it says that it was killed
		s.command = nil
	}
}

// Restart starts a server that was stopped, at the same address, and returns when it takes connections.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	host, port, _ := strings.Cut(s.addr, ":")
	command := exec.Command(s.program, "-a", host, "-p", port)
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	s.command = command
	var said []string
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		said = append(said, lines.Text())
		if _, addr, ok := strings.Cut(lines.Text(), "Listening for client connections on "); ok {
			s.addr = addr
		}
		if strings.HasSuffix(lines.Text(), "Server is ready") {
			go drain(lines)
			return
		}
	}
	s.Stop()
	t.Fatalf("the NATS server did not start: %s", strings.Join(said, "\n"))
}

// drain keeps the server from waiting for a reader of its log, until it ends.
func drain(lines *bufio.Scanner) {
	for lines.Scan() {
	}
}

// dial connects to the server.
func (s *Server) dial() (net.Conn, error) { return net.Dial("tcp", s.addr) }
