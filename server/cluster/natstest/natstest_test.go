package natstest

import (
	"bufio"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/leakcheck"
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
		if want := `"version":"` + strings.TrimPrefix(Version, "v") + `"`; err != nil || !strings.Contains(got, want) {
			t.Fatalf("the server greets with %q, %v; want %s in it", got, err, want)
		}
		s.Stop()
		if got, err := greeting(s.URL(), time.Minute); err == nil {
			t.Errorf("a server that was stopped greets with %q", got)
		}
		s.Restart(t)
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
