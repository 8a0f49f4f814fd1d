package orchestrator

import (
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// counts is what the core counts: the totals of the statistics that everybody is told, and some more.
type counts struct {
	wire.Stats
	late           uint64 // frames of answers to leases that had ended
	missed         uint64 // leases that ran out
	verifierErrors uint64
	disputed       uint64        // frames of which two copies came that differ
	auditTime      time.Duration // that audits took
}

// A Snapshot is the state of the fleet at one moment. Snapshots are immutable.
type Snapshot struct {
	wire.Stats
	Frame          uint64        // the playhead
	Lead           time.Duration // unbroken stretch of frames that are ready, from the playhead on
	Late           uint64        // frames of answers to leases that had ended
	Missed         uint64        // leases that ran out
	VerifierErrors uint64        // audits and renders that came to no result
	Disputed       uint64        // frames of which two copies came that differ
	Trusted        uint64        // threads of connections that are no newcomers
	AuditTime      time.Duration // processor time that audits took
	Capacity       float64       // frames a second that the tabs could render; see capacity
	Streaming      bool          // somebody is there, so that the stream runs
}

// stats completes the totals with what is true now.
func (c *core) stats(now timeline.Instant) wire.Stats {
	s := c.counts.Stats
	s.Viewers = uint64(len(c.peers))
	s.Workers = uint64(c.fleet.Conns())
	s.Threads = uint64(c.fleet.Threads())
	s.Servers, s.AllViewers, s.AllWorkers, s.AllThreads = 1, s.Viewers, s.Workers, s.Threads
	if c.cluster != nil {
		others := c.cluster.Others()
		s.Servers += others.Servers
		s.AllViewers += others.Viewers
		s.AllWorkers += others.Workers
		s.AllThreads += others.Threads
	}
	if c.streaming {
		s.LeadMillis = uint64(timeline.Span(c.ring.Lead(!c.budget.Left(now))) / time.Millisecond)
	}
	return s
}

func (c *core) snapshot(now timeline.Instant) *Snapshot {
	s := &Snapshot{
		Stats: c.stats(now), Frame: now.Frame(), Late: c.counts.late, Missed: c.counts.missed,
		VerifierErrors: c.counts.verifierErrors, Disputed: c.counts.disputed, Trusted: uint64(c.fleet.Trusted()), AuditTime: c.counts.auditTime,
	}
	s.Capacity, s.Streaming = c.capacity(now), c.streaming
	s.Lead = time.Duration(s.LeadMillis) * time.Millisecond
	return s
}
