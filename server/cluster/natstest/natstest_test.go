package natstest

import (
	"bufio"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/leakcheck"
	"github.com/distributed-donut/donut/tools/natsserver"
)

func TestMain(m *testing.M) { os.Exit(leakcheck.Run(m)) }

// greeting connects and returns the first line that comes within the patience; an error where none does.
func greeting(url string, patience time.Duration) (string, error) {
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "nats://"))
	if err != nil {
		return "", err
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	return bufio.NewReader(c).ReadString('\n')
}

// TestStart starts, stops and starts a server again, at one address.
func TestStart(t *testing.T) {
	s := Start(t)
	for range 2 {
		got, err := greeting(s.URL(), time.Minute)
		if want := `"version":"` + strings.TrimPrefix(natsserver.Version, "v") + `"`; err != nil || !strings.Contains(got, want) {
			t.Fatalf("the server greets with %q, %v; want %s in it", got, err, want)
		}
		s.Stop()
		if got, err := greeting(s.URL(), time.Minute); err == nil {
			t.Errorf("a server that was stopped greets with %q", got)
		}
		s.Restart(t)
	}
}

// TestLoad has a client send a message that another one gets twice, for it subscribes twice.
func TestLoad(t *testing.T) {
	s := Start(t)
	before, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "nats://"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const talk = "CONNECT {}\r\nSUB a 1\r\nSUB a 2\r\nPUB a 5\r\nhello\r\nPING\r\n"
	if _, err := client.Write([]byte(talk)); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(client); lines.Scan() && lines.Text() != "PONG"; {
	}
	after, err := s.Load(t.Context())
	got := natsserver.Load{
		In: after.In - before.In, Out: after.Out - before.Out,
		InBytes: after.InBytes - before.InBytes, OutBytes: after.OutBytes - before.OutBytes,
	}
	if want := (natsserver.Load{In: 1, Out: 2, InBytes: 5, OutBytes: 10}); err != nil || got != want {
		t.Errorf("it counts %+v, %v, want %+v", got, err, want)
	}
}

func TestProxySwallows(t *testing.T) {
	p := StartProxy(t, Start(t))
	for _, deaf := range []bool{false, true, false} {
		p.Swallow(deaf)
		patience := time.Minute
		if deaf {
			patience = 50 * time.Millisecond
		}
		if got, err := greeting(p.URL(), patience); (err != nil) != deaf {
			t.Errorf("swallowing is %v, and %q comes, %v", deaf, got, err)
		}
	}
}
