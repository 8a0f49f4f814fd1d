package cluster

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

func TestComplaintsAreSaidOnceUntilThereIsAConnection(t *testing.T) {
	log := new(journal)
	c := &complaints{log: slog.New(slog.NewTextHandler(log, nil))}
	said := func(want int) {
		t.Helper()
		if got := strings.Count(log.String(), "WARN"); got != want {
			t.Errorf("said %d things, want %d:\n%s", got, want, log)
		}
	}
	// cut is what comes of a connection from some port.
	cut := func(port int) error {
		return fmt.Errorf("try: %w", &net.OpError{
			Op: "read", Net: "tcp", Err: errors.New("reset"),
			Source: &net.TCPAddr{Port: port}, Addr: &net.TCPAddr{Port: 4222},
		})
	}
	c.unreached(nats.ErrNoServers)
	c.refused(nil, nats.ErrSlowConsumer)
	said(0)
	for port := range 100 {
		c.unreached(cut(port))
		c.refused(&nats.Subscription{Subject: "donut.1.announce"}, nats.ErrPermissionViolation)
	}
	said(2)
	c.again("127.0.0.1:4222")
	c.unreached(cut(1))
	said(3)
	for i := range 2 * maxComplaints {
		c.unreached(fmt.Errorf("another one: %d", i))
	}
	said(2 + maxComplaints)
	for _, want := range []string{"subject=donut.1.announce", "server=127.0.0.1:4222"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
}
