package main

import (
	"cmp"
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/cluster"
)

const (
	// maxMembersShown is how many members /api/stats shows: anybody may ask for it, and each takes some 300 bytes.
	maxMembersShown = 100
	// maxWhy is how many bytes of a reason it shows.
	maxWhy = 256
)

// clusterStats is how this server stands with the others of its cluster, in /api/stats.
type clusterStats struct {
	Name      string `json:"name"`
	Connected bool   `json:"connected"` // to NATS
	StaysOut  bool   `json:"stays_out"` // so that it renders all for its own viewers
	Why       string `json:"why"`       // it stays out

	Offset  *float64 `json:"clock_offset_ms"` // of its wall clock from the others' median; null while none was measured
	Steered float64  `json:"steered_ms"`      // by which its timeline is led away from its wall clock

	LeftOut int `json:"members_left_out"` // for which there was no room
}

// memberStats is another server in /api/stats. Its name and numbers are its own word.
type memberStats struct {
	Number uint32 `json:"number"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Why    string `json:"why"` // it does not work with this server, where its state leaves a question
	Heard  int64  `json:"heard_ms_ago"`

	Offset    *float64 `json:"clock_offset_ms"` // of its wall clock from this server's; both are null while not measured
	RoundTrip *float64 `json:"round_trip_ms"`

	Capacity float64 `json:"capacity"` // frames a second that its tabs can render
	Viewers  uint64  `json:"viewers"`
	Workers  uint64  `json:"workers"`
	Threads  uint64  `json:"threads"`
}

// showCluster returns what /api/stats says of a cluster: of its members first those that work with this server, then by the
// state that they are in, and by number.
func showCluster(v cluster.View) (*clusterStats, []memberStats) {
	shown := &clusterStats{Name: v.Name, Connected: v.Connected, StaysOut: v.Out, Steered: milliseconds(v.Steered)}
	switch {
	case v.ClockOff:
		shown.Why = "its clock is off"
	case v.Out:
		shown.Why = "its clock is not yet measured"
	}
	if v.Measured {
		shown.Offset = new(float64)
		*shown.Offset = milliseconds(v.Ahead)
	}
	slices.SortStableFunc(v.Members, func(a, b cluster.Member) int {
		return cmp.Compare(urgency[a.State], urgency[b.State])
	})
	members := make([]memberStats, 0, min(len(v.Members), maxMembersShown))
	for _, m := range v.Members[:cap(members)] {
		members = append(members, showMember(m))
	}
	shown.LeftOut = len(v.Members) - len(members)
	return shown, members
}

// urgency orders members for whom there may be no room.
var urgency = map[cluster.State]int{
	cluster.Alive: 0, cluster.CutOff: 1, cluster.ClockOff: 2, cluster.OtherTimeline: 3, cluster.OtherModule: 4,
	cluster.Silent: 5,
}

func showMember(m cluster.Member) memberStats {
	shown := memberStats{
		Number: m.Number, Name: m.Name, State: m.State.String(), Why: m.Why[:min(len(m.Why), maxWhy)],
		Heard: m.Heard.Milliseconds(), Capacity: m.Report.Capacity,
		Viewers: m.Report.Viewers, Workers: m.Report.Workers, Threads: m.Report.Threads,
	}
	if m.Measured {
		offset, roundTrip := milliseconds(m.Offset), milliseconds(m.RoundTrip)
		shown.Offset, shown.RoundTrip = &offset, &roundTrip
	}
	return shown
}

// milliseconds returns a duration in milliseconds, to a microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
