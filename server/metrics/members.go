package metrics

import (
	"strings"
	"time"

	"github.com/distributed-donut/donut/server/cluster"
)

// No series is of one member: names and identities are what their senders say, so whoever is on NATS could make as many
// series as there are names. What is told are sums by state and extremes; who it is stands in /api/stats.

// membership is the values of a family that only a server in a cluster has.
func membership(of func(*cluster.View) values) func(reading) values {
	return func(r reading) values {
		if r.cluster == nil {
			return nil
		}
		return of(r.cluster)
	}
}

// either is 1 or 0.
func either(yes bool) values {
	if yes {
		return one(1.0)
	}
	return one(0.0)
}

// byState counts the members in every state, as in state="clock_off".
func byState(v *cluster.View) values {
	counts := make(values)
	for s := range cluster.States {
		counts[stateLabel(s)] = 0
	}
	for _, m := range v.Members {
		counts[stateLabel(m.State)]++
	}
	return counts
}

func stateLabel(s cluster.State) string { return strings.ReplaceAll(s.String(), " ", "_") }

// farthest returns the most of something, in seconds, over the measured members of this server's fleet, those that stay
// out included. There is no value where there is no such member.
func farthest(v *cluster.View, of func(cluster.Member) time.Duration) values {
	most, found := time.Duration(0), false
	for _, m := range v.Members {
		if m.Measured && (m.State == cluster.Alive || m.State == cluster.ClockOff) {
			most, found = max(most, of(m)), true
		}
	}
	if !found {
		return nil
	}
	return one(most.Seconds())
}

func sentMessages(v *cluster.View) values {
	c := v.Counters
	return byLabel(map[string]uint64{
		"announcement": c.Announced, "chunk": c.ChunksPublished, "fetch": c.Fetches, "answer": c.ChunksAnswered,
	})
}

func receivedMessages(v *cluster.View) values {
	c := v.Counters
	return byLabel(map[string]uint64{"announcement": c.Heard, "chunk": c.ChunksReceived, "answer": c.ChunksFetched})
}

func lostMessages(v *cluster.View) values {
	c := v.Counters
	return byLabel(map[string]uint64{
		"malformed_announcement": c.Malformed.Announcement, "malformed_frames": c.Malformed.Frames,
		"malformed_fetch": c.Malformed.Fetch, "malformed_probe": c.Malformed.Probe, "malformed_reply": c.Malformed.Reply,
		"stranger": c.Strangers, "crowded": c.Crowded, "overrun": c.Overrun, "not_sent": c.Dropped,
	})
}
