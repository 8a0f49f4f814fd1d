package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/distributed-donut/donut/tools/natsserver"
)

// A stage is the servers of a trial. The first is embedded: most trials have no other.
type stage struct {
	*server
	size    size
	servers []*server          // in the order in which they were started
	nats    *natsserver.Server // where they meet; nil for a server alone
	proxy   *natsserver.Proxy  // before it, for the last server; nil for none
}

// A setting is what a stage is to be like.
type setting struct {
	servers int                                        // that meet over NATS; 0 is one alone
	flags   func(server int, d time.Duration) []string // of each of them in a trial that lasts so long; nil for none
	proxy   bool                                       // the last one reaches NATS through a proxy
	rigged  bool                                       // they can do what only trials need
}

// The server's program, and the one that can do more.
const (
	program       = "donut-server"
	riggedProgram = "donut-server-trial"
)

// open starts what a trial needs. The caller must close the stage, which is nil with an error.
func open(ctx context.Context, bin string, stderr io.Writer, t trial) (_ *stage, err error) {
	s := &stage{size: t.size}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if t.setting.servers > 0 {
		if s.nats, err = natsserver.Start(); err != nil {
			return nil, err
		}
	}
	if t.setting.proxy {
		if s.proxy, err = natsserver.StartProxy(s.nats); err != nil {
			return nil, err
		}
	}
	for i := range max(1, t.setting.servers) {
		flags := slices.Clone(t.server)
		if t.setting.flags != nil {
			flags = append(flags, t.setting.flags(i, t.duration)...)
		}
		name := program
		if t.setting.rigged {
			name = riggedProgram
		}
		where := ""
		switch {
		case s.nats == nil:
		case s.proxy != nil && i == t.setting.servers-1:
			where = s.proxy.URL()
		default:
			where = s.nats.URL()
		}
		if err := s.add(ctx, newServer(bin, name, stderr, flags), where); err != nil {
			return nil, err
		}
	}
	if s.nats == nil {
		return s, nil
	}
	if _, err := s.whole(ctx, time.Now()); err != nil {
		return nil, err
	}
	return s, nil
}

// add starts one more server, which meets the others at that NATS, if any.
func (s *stage) add(ctx context.Context, one *server, nats string) error {
	if nats != "" {
		one.name = fmt.Sprint("server ", len(s.servers))
		one.flags = append(one.flags, "-nats", nats, "-server-name", one.name)
	}
	if err := one.launch(ctx, anyPort); err != nil {
		return err
	}
	if s.servers = append(s.servers, one); s.server == nil {
		s.server = one
	}
	return nil
}

// kill ends server i without a word.
func (s *stage) kill(i int) error {
	one := s.servers[i]
	s.servers = slices.Delete(s.servers, i, i+1)
	if err := one.process.Process.Kill(); err != nil {
		return fmt.Errorf("kill a server: %w", err)
	}
	_ = one.process.Wait() // it says that it was killed
	return nil
}

const (
	// wholeTimeout is how long servers may take to find each other before a trial gives up, and wholeBeat how often they
	// are looked at.
	wholeTimeout = 30 * time.Second
	wholeBeat    = 10 * time.Millisecond
)

// errApart is the error where servers have not found each other in time.
var errApart = errors.New("the servers do not find each other")

// whole waits until every server works with all others, and returns how long that took from some moment on. After
// wholeTimeout the error is errApart.
func (s *stage) whole(ctx context.Context, since time.Time) (took time.Duration, err error) {
	for deadline := time.Now().Add(wholeTimeout); ; {
		apart := slices.IndexFunc(s.servers, func(one *server) bool { return one.log.others() < len(s.servers)-1 })
		if apart < 0 {
			return time.Since(since), nil
		}
		if time.Now().After(deadline) {
			return time.Since(since), fmt.Errorf("%w: server %d works with %d others after %v, want %d",
				errApart, apart, s.servers[apart].log.others(), wholeTimeout, len(s.servers)-1)
		}
		if err := wait(ctx, wholeBeat); err != nil {
			return 0, err
		}
	}
}

// close ends all that was started, and fails where a server does not end well.
func (s *stage) close() (err error) {
	for _, one := range s.servers {
		err = errors.Join(err, one.close())
	}
	if s.proxy != nil {
		s.proxy.Close()
	}
	if s.nats != nil {
		s.nats.Stop()
	}
	return err
}
