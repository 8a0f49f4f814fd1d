package main

import (
	"context"

	"github.com/distributed-donut/donut/server/cluster"
	"github.com/distributed-donut/donut/server/orchestrator"
)

// siblings are the other servers, as the orchestrator sees them.
type siblings struct {
	*cluster.Cluster
}

// Others implements orchestrator.Cluster.
func (s siblings) Others() orchestrator.Others {
	view := s.View()
	others := orchestrator.Others{
		Viewers: view.Sum.Viewers, Workers: view.Sum.Workers, Threads: view.Sum.Threads, Capacity: view.Sum.Capacity,
	}
	for _, member := range view.Members {
		if member.State == cluster.Alive {
			others.Servers++
		}
	}
	return others
}

// member is this server, as the others see it.
type member struct {
	*orchestrator.Orchestrator
}

// own is the capacity of a server that has no tabs, in frames a second. Where others have tabs that is nothing; where
// nobody has, those share the work for whom a stream runs.
const own = 1

// Report implements cluster.Fleet.
func (m member) Report() cluster.Report {
	s := m.Snapshot()
	report := cluster.Report{
		Capacity: s.Capacity, Playhead: s.Frame, Viewers: s.Viewers, Workers: s.Workers, Threads: s.Threads,
		Fleet: s.Fleet, Server: s.Server, Aired: s.Aired,
	}
	if s.Streaming && report.Capacity == 0 {
		report.Capacity = own
	}
	return report
}

// A meeting is how this server meets others. Its zero value is that of one that is alone for good.
type meeting struct {
	others orchestrator.Cluster // as the loop sees them; nil for none
	view   func() cluster.View  // as people do; nil for none
	run    func(context.Context, cluster.Fleet) error
}

// newMeeting returns how the others are met that the configuration names a NATS for.
func newMeeting(cfg config, of cluster.Config) (meeting, error) {
	if cfg.nats == "" {
		return meeting{}, nil
	}
	of.URL, of.Credentials, of.CA, of.Name = string(cfg.nats), cfg.natsCredentials, cfg.natsCA, cfg.serverName
	c, err := cluster.New(of)
	if err != nil {
		return meeting{}, err
	}
	return meeting{others: siblings{c}, view: c.View, run: c.Run}, nil
}

// Run meets them until ctx is done, as cluster.Cluster does.
func (m meeting) Run(ctx context.Context, fleet *orchestrator.Orchestrator) error {
	if m.run == nil {
		return nil
	}
	return m.run(ctx, member{fleet})
}
