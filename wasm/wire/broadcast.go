package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
)

const (
	// MaxRingRuns is the most runs in a ring's picture.
	MaxRingRuns = 1024
	// FirstMember is the first number of another server as the owner of frames. Tabs' numbers are below, and 0 is the
	// server itself.
	FirstMember = 1 << 31
	// MaxBoard is the most contributors on a board.
	MaxBoard = 8
)

// A Broadcast goes to every viewer once a second, the same bytes to each.
//
//	kind        1
//	generation  4  of the server's clock
//	stats          uvarints, in the order of Stats' fields
//	ring           first frame (uvarint), number of runs (uvarint, at most MaxRingRuns), then each run:
//	               state (1), owner (uvarint), count (uvarint, at least 1)
//	board          number of contributors (uvarint, at most MaxBoard), then each, none twice:
//	               owner (uvarint, not 0), verified (uvarint, at least 1, never more than of the one before)
//	stream         the rest: one message of package codec
type Broadcast struct {
	Generation uint32
	Stats      Stats
	Ring       Ring
	Board      []Contributor // the one with the most verified frames first
	// Stream is what codec.Decoder takes. ParseBroadcast lets it alias its input.
	Stream []byte
}

// Stats is what the server tells everybody about itself, and in the end of those that it renders with. Counts are totals since
// it started.
type Stats struct {
	Viewers    uint64 // connections that watch, workers included
	Workers    uint64 // connections that render
	Threads    uint64 // their threads
	LeadMillis uint64 // unbroken stretch of frames ready to air, from the playhead on
	Aired      uint64 // frames broadcast
	Unaudited  uint64 // of these: not re-rendered before they aired
	Fleet      uint64 // of these: rendered by tabs
	Server     uint64 // of these: rendered by the server as a last resort
	Stalled    uint64 // frames that were not there to air
	Audited    uint64 // frames re-rendered and compared
	Forged     uint64 // frames that differed
	Evictions  uint64 // workers shut out for them
	Hedged     uint64 // frames lent a second time because the first copy was late
	Wasted     uint64 // frames rendered and not used
	StreamSize uint64 // bytes of all broadcasts so far, as sent to one viewer
	Foreign    uint64 // of the frames broadcast: rendered by other servers and their tabs
	Servers    uint64 // that render this timeline together, this one included
	AllViewers uint64 // of all of them
	AllWorkers uint64 // likewise
	AllThreads uint64 // likewise
}

// fields lists the statistics in the order of the wire, with the names they have wherever they are shown.
func (s *Stats) fields() [20]statistic {
	return [...]statistic{
		{"viewers", &s.Viewers}, {"workers", &s.Workers}, {"threads", &s.Threads}, {"leadMillis", &s.LeadMillis},
		{"aired", &s.Aired}, {"unaudited", &s.Unaudited}, {"fleet", &s.Fleet}, {"server", &s.Server},
		{"stalled", &s.Stalled}, {"audited", &s.Audited}, {"forged", &s.Forged}, {"evictions", &s.Evictions},
		{"hedged", &s.Hedged}, {"wasted", &s.Wasted}, {"streamSize", &s.StreamSize},
		{"foreign", &s.Foreign}, {"servers", &s.Servers}, {"allViewers", &s.AllViewers}, {"allWorkers", &s.AllWorkers},
		{"allThreads", &s.AllThreads},
	}
}

type statistic struct {
	name  string
	value *uint64
}

// All calls yield with each statistic's name and value, in the order of the wire.
func (s Stats) All(yield func(name string, value uint64) bool) {
	for _, f := range s.fields() {
		if !yield(f.name, *f.value) {
			return
		}
	}
}

// A Ring is the picture of the frames ahead: consecutive runs of frames in the same state.
type Ring struct {
	First uint64 // number of the first frame of the first run
	Runs  []RingRun
}

// A RingRun is a stretch of frames of one state and owner.
type RingRun struct {
	State RingState
	Owner uint32 // Welcome.You of the connection that renders or rendered them; 0 is the server, or nobody
	Count uint64 // frames, at least 1
}

// A RingState says how far a frame has come.
type RingState uint8

// The states of a frame, in the order in which it passes through them.
const (
	// RingFree: nobody renders it.
	RingFree RingState = iota
	// RingLeased: Owner is rendering it.
	RingLeased
	// RingFilled: it came back, and waits for its audit.
	RingFilled
	// RingReady: it may air.
	RingReady
	// RingAired: it was broadcast.
	RingAired
	// RingStalled: it was not there to air.
	RingStalled

	ringStates
)

var ringStateNames = [...]string{
	RingFree: "free", RingLeased: "leased", RingFilled: "filled", RingReady: "ready", RingAired: "aired",
	RingStalled: "stalled",
}

// RingStateNames yields the names of the states in the order of their numbers, from 0.
func RingStateNames(yield func(name string) bool) {
	for _, name := range ringStateNames {
		if !yield(name) {
			return
		}
	}
}

// A Contributor is a connection that renders, and how much of what it sent has proved right.
type Contributor struct {
	Owner    uint32 // Welcome.You of the connection
	Verified uint64 // its frames that were audited and found right, as in Reply
}

// Append appends the message to dst.
func (m Broadcast) Append(dst []byte) []byte {
	dst = append(dst, byte(KindBroadcast))
	dst = binary.LittleEndian.AppendUint32(dst, m.Generation)
	for _, f := range m.Stats.fields() {
		dst = binary.AppendUvarint(dst, *f.value)
	}
	dst = binary.AppendUvarint(dst, m.Ring.First)
	dst = binary.AppendUvarint(dst, uint64(len(m.Ring.Runs)))
	for _, run := range m.Ring.Runs {
		dst = append(dst, byte(run.State))
		dst = binary.AppendUvarint(dst, uint64(run.Owner))
		dst = binary.AppendUvarint(dst, run.Count)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Board)))
	for _, c := range m.Board {
		dst = binary.AppendUvarint(dst, uint64(c.Owner))
		dst = binary.AppendUvarint(dst, c.Verified)
	}
	return append(dst, m.Stream...)
}

// ParseBroadcast parses a Broadcast, but for its stream.
func ParseBroadcast(b []byte) (Broadcast, error) {
	r := read(b, KindBroadcast)
	m := Broadcast{Generation: r.Uint32("generation")}
	for _, f := range m.Stats.fields() {
		*f.value = r.Uvarint(f.name, math.MaxUint64)
	}
	m.Ring.First = r.Uvarint("ring's first frame", math.MaxUint64)
	runs := r.Uvarint("ring's runs", MaxRingRuns)
	end := m.Ring.First
	for range runs {
		run := RingRun{State: RingState(r.Uint8("ring's state"))}
		run.Owner = uint32(r.Uvarint("ring's owner", math.MaxUint32))
		run.Count = r.Uvarint("ring's count", math.MaxUint64)
		r.Between("ring's state", uint64(run.State), 0, uint64(ringStates)-1)
		r.Between("ring's count", run.Count, 1, math.MaxUint64-end)
		if !r.OK() {
			return Broadcast{}, r.end()
		}
		end += run.Count
		m.Ring.Runs = append(m.Ring.Runs, run)
	}
	if m.Board = r.board(); !r.OK() {
		return Broadcast{}, r.end()
	}
	m.Stream = r.Rest()
	if len(m.Stream) == 0 {
		r.Fail("stream", "0 bytes", "at least 1")
	}
	return m, r.end()
}

// board reads the contributors of a Broadcast.
func (r *reader) board() (board []Contributor) {
	most := uint64(math.MaxUint64)
	for range r.Uvarint("board's length", MaxBoard) {
		c := Contributor{Owner: uint32(r.Uvarint("board's owner", math.MaxUint32))}
		c.Verified = r.Uvarint("board's verified", most)
		r.Between("board's owner", uint64(c.Owner), 1, math.MaxUint32)
		r.Between("board's verified", c.Verified, 1, most)
		if slices.ContainsFunc(board, func(other Contributor) bool { return other.Owner == c.Owner }) {
			r.Fail("board's owner", strconv.FormatUint(uint64(c.Owner), 10)+" twice", "each once")
		}
		if !r.OK() {
			return nil
		}
		board, most = append(board, c), c.Verified
	}
	return board
}
