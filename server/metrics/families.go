package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/distributed-donut/donut/server/cluster"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/terminal"
	"github.com/distributed-donut/donut/server/turnstile"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A reading is all sources, read once for a scrape.
type reading struct {
	playhead  uint64 // frame number
	fleet     *orchestrator.Snapshot
	hub       *hub.Stats
	terminals terminal.Snapshot
	plain     turnstile.Stats
	module    verify.Stats
	cluster   *cluster.View // nil where the server is alone
}

// A family is all series of one name.
type family struct {
	name, help string
	kind       prometheus.ValueType
	label      string // that tells its series apart; empty where there is only one

	values func(r reading) values
}

// Values are a family's series, by the value of its label.
type values map[string]float64

// one is the values of a family without a label.
func one[N uint64 | float64](n N) values { return values{"": float64(n)} }

// byLabel is counters by the value of a label.
func byLabel(counters map[string]uint64) values {
	v := make(values, len(counters))
	for label, n := range counters {
		v[label] = float64(n)
	}
	return v
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// families are all that is read from the sources.
var families = []family{
	{"donut_playhead_frame", "Number of the frame that is on screen now.", gauge, "",
		func(r reading) values { return one(r.playhead) }},
	{"donut_lead_seconds", "Unbroken stretch of frames that are ready, from the playhead on.", gauge, "",
		func(r reading) values { return one(r.fleet.Lead.Seconds()) }},
	{"donut_connections", "Connections by role: those that render are workers, and all others watch.", gauge, "role",
		func(r reading) values {
			return values{
				"viewer":   float64(r.fleet.Viewers - r.fleet.Workers),
				"worker":   float64(r.fleet.Workers),
				"terminal": float64(r.terminals.Streams),
			}
		}},
	{"donut_servers", "Servers that render this timeline together, this one included.", gauge, "",
		func(r reading) values { return one(r.fleet.Servers) }},
	{"donut_cluster_connections", "Connections of all these servers, by what they do.", gauge, "role",
		func(r reading) values {
			return values{
				"viewer": float64(r.fleet.AllViewers - min(r.fleet.AllWorkers, r.fleet.AllViewers)),
				"worker": float64(r.fleet.AllWorkers),
			}
		}},
	{"donut_cluster_threads", "Threads of all these servers.", gauge, "",
		func(r reading) values { return one(r.fleet.AllThreads) }},
	{"donut_cluster_connected", "Whether this server is connected to NATS, 1 or 0.", gauge, "", membership(
		func(v *cluster.View) values { return either(v.Connected) })},
	{"donut_cluster_out", "Whether this server stays out of its cluster, 1 or 0.", gauge, "", membership(
		func(v *cluster.View) values { return either(v.Out) })},
	{"donut_cluster_members", "Other servers that were heard from in the last minute, by how they stand with this one.",
		gauge, "state", membership(byState)},
	{"donut_cluster_clock_offset_seconds", "How far this server's wall clock is ahead of the others' median.",
		gauge, "", membership(func(v *cluster.View) values {
			if !v.Measured {
				return nil
			}
			return one(v.Ahead.Seconds())
		})},
	{"donut_cluster_clock_offset_max_seconds", "How far the wall clock of a server that works with this one, or stays " +
		"out, is from this server's, at most.", gauge, "", membership(func(v *cluster.View) values {
		return farthest(v, func(m cluster.Member) time.Duration { return m.Offset.Abs() })
	})},
	{"donut_cluster_round_trip_max_seconds", "Longest round trip of the probes that those clocks were measured with.",
		gauge, "", membership(func(v *cluster.View) values {
			return farthest(v, func(m cluster.Member) time.Duration { return m.RoundTrip })
		})},
	{"donut_cluster_sent_messages_total", "Messages sent to other servers, by what they are: chunks are published once, " +
		"and given to who asks.", counter, "kind", membership(sentMessages)},
	{"donut_cluster_received_messages_total", "Messages of other servers, by what they are.", counter, "kind",
		membership(receivedMessages)},
	{"donut_cluster_lost_messages_total", "Messages of other servers that were thrown away, and to them that never left, " +
		"by reason.", counter, "reason", membership(lostMessages)},
	{"donut_cluster_sent_bytes_total", "Bytes of all messages sent to other servers.", counter, "",
		membership(func(v *cluster.View) values { return one(v.Counters.BytesSent) })},
	{"donut_cluster_received_bytes_total", "Bytes of all messages of other servers.", counter, "",
		membership(func(v *cluster.View) values { return one(v.Counters.BytesReceived) })},
	{"donut_cluster_reconnects_total", "Times that the connection to NATS was lost and found again.", counter, "",
		membership(func(v *cluster.View) values { return one(v.Counters.Reconnects) })},

	{"donut_threads", "Threads that render.", gauge, "",
		func(r reading) values { return one(r.fleet.Threads) }},
	{"donut_trusted_threads", "Threads of connections that are no newcomers.", gauge, "",
		func(r reading) values { return one(r.fleet.Trusted) }},

	{"donut_aired_frames_total", "Frames broadcast, by who rendered them.", counter, "source",
		func(r reading) values {
			return values{"fleet": float64(r.fleet.Fleet), "server": float64(r.fleet.Server), "peer": float64(r.fleet.Foreign)}
		}},
	{"donut_aired_unaudited_frames_total", "Frames broadcast that had not been rendered once more.", counter, "",
		func(r reading) values { return one(r.fleet.Unaudited) }},
	{"donut_stream_bytes_total", "Bytes of all broadcasts, as sent to one viewer.", counter, "",
		func(r reading) values { return one(r.fleet.StreamSize) }},
	{"donut_stalled_frames_total", "Frames that were not there to air.", counter, "",
		func(r reading) values { return one(r.fleet.Stalled) }},
	{"donut_hedged_frames_total", "Frames lent a second time because the first copy was late.", counter, "",
		func(r reading) values { return one(r.fleet.Hedged) }},
	{"donut_wasted_frames_total", "Frames rendered here and not used.", counter, "",
		func(r reading) values { return one(r.fleet.Wasted) }},
	{"donut_late_frames_total", "Frames of answers to leases that had ended.", counter, "",
		func(r reading) values { return one(r.fleet.Late) }},
	{"donut_missed_leases_total", "Leases that ran out.", counter, "",
		func(r reading) values { return one(r.fleet.Missed) }},

	{"donut_audited_frames_total", "Frames rendered once more and compared.", counter, "",
		func(r reading) values { return one(r.fleet.Audited) }},
	{"donut_forged_frames_total", "Frames that differed from what the module renders.", counter, "",
		func(r reading) values { return one(r.fleet.Forged) }},
	{"donut_disputed_frames_total", "Frames of which two copies came that differ.", counter, "",
		func(r reading) values { return one(r.fleet.Disputed) }},
	{"donut_evictions_total", "Connections shut out for a forged frame.", counter, "",
		func(r reading) values { return one(r.fleet.Evictions) }},
	{"donut_verifier_errors_total", "Audits and renders that came to no result.", counter, "",
		func(r reading) values { return one(r.fleet.VerifierErrors) }},

	{"donut_module_frames_total", "Frames that the server rendered with the module, audits included.", counter, "",
		func(r reading) values { return one(r.module.Rendered) }},
	{"donut_module_cpu_seconds_total", "Processor time of the module in the server.", counter, "",
		func(r reading) values { return one(r.module.Spent.Seconds()) }},
	{"donut_module_instances_started_total", "Instances of the module that were made, or tried to.", counter, "",
		func(r reading) values { return one(r.module.Started) }},
	{"donut_module_instances_condemned_total", "Instances of the module taken out of use, by what a call did.", counter,
		"reason", func(r reading) values {
			return values{
				"overdue": float64(r.module.Overdue),
				"failed":  float64(r.module.Condemned - min(r.module.Overdue, r.module.Condemned)),
			}
		}},

	{"donut_plain_connections", "Connections without a socket: requests, streams of text, and what waits.", gauge, "",
		func(r reading) values { return one(float64(r.plain.Open)) }},
	{"donut_plain_connections_dropped_total", "Connections without a socket that were closed to keep within a limit, by " +
		"whether that is the one in all or that of an address.", counter, "reason",
		func(r reading) values { return byLabel(r.plain.Dropped) }},
	{"donut_accepted_connections_total", "Connections that were let in.", counter, "",
		func(r reading) values { return one(r.hub.Accepted.Load()) }},
	{"donut_refused_connections_total", "Connections that were never let in, by reason.", counter, "reason",
		func(r reading) values { return byLabel(r.hub.RefusedByName()) }},
	{"donut_closed_connections_total", "Connections that the server ended, by reason; who is refused and told so, too.",
		counter, "reason", func(r reading) values { return byLabel(r.hub.ClosedByName()) }},
	{"donut_queue_drops_total", "Times that a connection was too slow for its queue, by what it cost: a replay of the " +
		"open key group in place of what waited, or its dismissal.", counter, "reason",
		func(r reading) values {
			return values{
				"replay":    float64(r.hub.Replayed.Load()),
				"dismissal": float64(r.hub.Closed(wire.ReasonSlow)),
			}
		}},

	{"donut_terminal_streams_opened_total", "Streams to terminals that were let in.", counter, "",
		func(r reading) values { return one(r.terminals.Opened) }},
	{"donut_terminal_streams_refused_total", "Streams to terminals that were never let in, by reason.", counter, "reason",
		func(r reading) values { return byLabel(r.terminals.Refused) }},
	{"donut_terminal_streams_talking_total", "Streams ended because their client sent something.", counter, "",
		func(r reading) values { return one(r.terminals.Talked) }},
	{"donut_terminal_queue_drops_total", "Times that a terminal was too slow, by what it cost: frames that it missed, " +
		"or its dismissal.", counter, "reason",
		func(r reading) values {
			return values{"skip": float64(r.terminals.Skipped), "dismissal": float64(r.terminals.Slow)}
		}},
	{"donut_recordings_total", "Recordings handed out.", counter, "",
		func(r reading) values { return one(r.terminals.Recordings) }},
}
