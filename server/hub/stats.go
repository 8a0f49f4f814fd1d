package hub

import (
	"sync/atomic"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/wasm/wire"
)

// Stats counts what happened to connections since the start. Its methods may be called concurrently with everything.
type Stats struct {
	Accepted atomic.Uint64 // let in
	Replayed atomic.Uint64 // times that a viewer lost part of the stream and was sent the open group again
	refused  gate.Tally
	closed   [256]atomic.Uint64
}

// Closed returns how many connections the server ended for a reason. Those that were refused and told so are among them,
// as wire.ReasonFull or wire.ReasonCrowded.
func (s *Stats) Closed(r wire.Reason) uint64 { return s.closed[r].Load() }

// Refused returns how many connections were never let in for a reason, whether they were told so or not.
func (s *Stats) Refused(r gate.Refusal) uint64 { return s.refused.Of(r) }

// ClosedByName returns Closed of every reason by its name.
func (s *Stats) ClosedByName() map[string]uint64 {
	closed := make(map[string]uint64)
	for r := wire.Reason(1); known(r); r++ {
		closed[r.String()] = s.Closed(r)
	}
	return closed
}

// Open reports whether the hub lets anybody in, room permitting: until Close.
func (h *Hub) Open() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return !h.draining
}

// known reports whether there is such a reason.
func known(r wire.Reason) bool {
	_, err := wire.ParseGoodbye(wire.Goodbye{Reason: r}.Append(nil))
	return err == nil
}

// RefusedByName returns Refused of every reason by its name.
func (s *Stats) RefusedByName() map[string]uint64 { return s.refused.ByName() }
