// Package natstest ties a NATS server, and a proxy in front of it, to tests.
package natstest

import (
	"os"
	"testing"

	"github.com/distributed-donut/donut/tools/natsserver"
)

// A Server is a NATS server that ends with its test.
type Server struct{ *natsserver.Server }

// Program returns the path of the server's program. Where that cannot be had the test is skipped, or fails if
// REQUIRE_BROWSERS=1 wants nothing left out.
func Program(t testing.TB) string {
	t.Helper()
	program, err := natsserver.Program()
	switch {
	case err != nil && os.Getenv("REQUIRE_BROWSERS") == "1":
		t.Fatalf("there is no NATS server, and REQUIRE_BROWSERS=1 leaves nothing out: %v", err)
	case err != nil:
		t.Skipf("there is no NATS server: %v", err)
	}
	return program
}

// Start starts a server with some arguments, as in -c and a file, at an address of its own. See Program for where there is
// none.
func Start(t testing.TB, args ...string) *Server {
	t.Helper()
	Program(t)
	s, err := natsserver.Start(args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return &Server{s}
}

// Restart starts a server that was stopped, at the same address, and returns when it takes connections.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if err := s.Server.Restart(); err != nil {
		t.Fatal(err)
	}
}

// StartProxy starts a proxy, which ends with the test.
func StartProxy(t testing.TB, server *Server) *natsserver.Proxy {
	t.Helper()
	p, err := natsserver.StartProxy(server.Server)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}
