package cluster

import (
	"cmp"
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

// A View is a picture of the cluster for people and scripts. It belongs to whoever asked for it.
type View struct {
	Name      string
	Identity  uint64
	Connected bool // to a NATS server

	// Out says that this server stays out of its fleet: its clock is off (ClockOff), or for a moment not yet measured.
	Out      bool
	ClockOff bool
	// Steered is by how much the timeline is led away from this server's wall clock: to the median of the fleet's.
	Steered time.Duration
	// Ahead is how far this server's wall clock is ahead of the median of the others', negative where it is behind, and
	// 0 while none of them is Measured. More than a second either way is ClockOff.
	Ahead    time.Duration
	Measured bool

	Members  []Member // by number
	Sum      Report   // of the members that are alive, this server not included; the playhead is 0
	Counters Counters
}

// A Member is another server.
type Member struct {
	Number    uint32
	Identity  uint64
	Name      string
	State     State
	Why       string        // it does not work with this server, where its state leaves a question
	Heard     time.Duration // how long ago
	Report    Report        // its last one; its Capacity is what it can render
	Measured  bool          // whether its clock was: else Offset and RoundTrip are 0
	Offset    time.Duration // how far its wall clock is ahead of this server's
	RoundTrip time.Duration // of the probe that says so
}

// A State is how a member stands with this server.
type State uint8

const (
	Alive         State = iota // works with this server
	Silent                     // was not heard from for a second, or has left
	OtherModule                // runs another module, and so is of another fleet
	OtherTimeline              // has another epoch or detail, and so is of another fleet
	ClockOff                   // stays out, since its clock is off or not yet measured
	CutOff                     // published a forged frame
)

var stateNames = [...]string{"alive", "silent", "other module", "other epoch or detail", "clock off", "cut off"}

func (s State) String() string { return stateNames[s] }

// States yields all states, Alive first.
func States(yield func(State) bool) {
	for s := range stateNames {
		if !yield(State(s)) {
			return
		}
	}
}

// Counters count since the start, messages unless they say otherwise.
type Counters struct {
	Announced       uint64 // announcements sent
	Heard           uint64 // announcements received
	ChunksPublished uint64
	ChunksReceived  uint64 // published by others
	ChunksFetched   uint64 // sent by others because this server asked, second answers included
	ChunksAnswered  uint64 // sent because others asked
	Fetches         uint64 // asked
	Malformed       Malformed
	Strangers       uint64 // frames and fetches from servers that are not alive here: unknown, out, or cut off
	Crowded         uint64 // announcements of servers that there was no room for
	Dropped         uint64 // chunks and fetches that waited too long to be sent, or found no connection
	Overrun         uint64 // received and thrown away unread, since this server was too slow
	Reconnects      uint64
	BytesSent       uint64 // payloads
	BytesReceived   uint64
}

// Malformed counts messages that were none, by the kind that was to be there.
type Malformed struct{ Announcement, Frames, Fetch, Probe, Reply uint64 }

// state says how a member stands with this server now.
func (m *members) state(now timeline.Instant, o *member) State {
	theirs, ours := o.said.fleet, m.self.fleet
	switch {
	case o.cut != "":
		return CutOff
	case !m.present(now, o):
		return Silent
	case theirs.digest != ours.digest:
		return OtherModule
	case theirs != ours:
		return OtherTimeline
	case o.said.out:
		return ClockOff
	}
	return Alive
}

// why returns what a state leaves to be said.
func (o *member) why(s State) string {
	switch {
	case s == CutOff:
		return o.cut
	case s == Silent && o.said.leaving:
		return "it said goodbye"
	case s == ClockOff:
		return "it says that its clock is off, or not yet measured"
	}
	return ""
}

// View returns what there is to see. It does not block.
func (c *Cluster) View() View {
	now, _ := c.config.Clock.Now()
	v := View{Name: c.config.Name, Identity: c.config.Identity}

	c.mu.Lock()
	m := &c.members
	v.Out, v.ClockOff, v.Steered = m.standing.out(), m.standing.clockOff, c.steered
	v.Ahead, v.Measured = m.standing.ahead, m.standing.measured > 0
	for _, o := range m.all {
		seen := Member{
			Number: o.number, Identity: o.said.from, Name: o.said.name, State: m.state(now, o),
			Heard: now.Sub(o.heard), Report: o.said.report,
		}
		seen.Why = o.why(seen.State)
		if o.measured {
			seen.Measured, seen.Offset, seen.RoundTrip = true, o.clock.offset, o.clock.rtt
		}
		if seen.State == Alive {
			v.Sum.Add(seen.Report)
		}
		v.Members = append(v.Members, seen)
	}
	v.Counters = c.counts
	v.Counters.Crowded = m.refused
	line := c.line
	c.mu.Unlock()

	slices.SortFunc(v.Members, func(a, b Member) int { return cmp.Compare(a.Number, b.Number) })
	v.Counters.Dropped += c.publishes.drops() + c.fetches.drops()
	if line != nil {
		v.Connected = line.conn.IsConnected()
		line.count(&v.Counters)
	}
	return v
}

// A change is a member whose state is another one than when it was last told.
type change struct {
	name     string
	identity uint64
	number   uint32
	state    State
}

// changes returns what has changed since it was last asked.
func (m *members) changes(now timeline.Instant) []change {
	var all []change
	for _, o := range m.all {
		if s := m.state(now, o); !o.shown || s != o.last {
			o.shown, o.last = true, s
			all = append(all, change{o.said.name, o.said.from, o.number, s})
		}
	}
	return all
}
