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
	others := orchestrator.Others{Viewers: view.Sum.Viewers, Workers: view.Sum.Workers, Threads: view.Sum.Threads}
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

// newSiblings returns the other servers, and what connects to them until its context is done: nil, and what does nothing,
// where there are none to be.
func newSiblings(cfg config, of cluster.Config) (orchestrator.Cluster, func(context.Context, *orchestrator.Orchestrator) error, error) {
	if cfg.nats == "" {
		return nil, func(context.Context, *orchestrator.Orchestrator) error { return nil }, nil
	}
	of.URL, of.Credentials, of.CA, of.Name = string(cfg.nats), cfg.natsCredentials, cfg.natsCA, cfg.serverName
	c, err := cluster.New(of)
	if err != nil {
		return nil, nil, err
	}
	return siblings{c}, func(ctx context.Context, fleet *orchestrator.Orchestrator) error {
		return c.Run(ctx, member{fleet})
	}, nil
}
