package hub

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A door is where connections are let in. Its lock is none of the hub's, so that those who crowd in do not hold back the
// stream.
type door struct {
	mu   sync.Mutex
	gate *gate.Gate
}

// admit lets a connection in, or refuses and counts it. One that is refused is upgraded all the same, to be told
// goodbye, but only so often.
func (h *Hub) admit(addr netip.Addr) (refused gate.Refusal, upgrade bool) {
	now, _ := h.cfg.Clock.Now()
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	refused = h.door.gate.Admit(now, addr)
	if refused == gate.Admitted {
		return refused, true
	}
	h.stats.refused.Add(refused)
	return refused, h.door.gate.Goodbye(now)
}

// release makes room again where a connection was let in.
func (h *Hub) release(c *conn) {
	if c.refused != gate.Admitted {
		return
	}
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	h.door.gate.Leave(c.addr)
}

// reasonOf is what somebody is told who is refused: whether there is room for nobody, or none for those of its address.
func reasonOf(r gate.Refusal) wire.Reason {
	if r == gate.Full {
		return wire.ReasonFull
	}
	return wire.ReasonCrowded
}

// turnAway answers a request that is refused without an upgrade, at the least cost, and hangs up: who waits for the next
// request meanwhile holds a descriptor.
func turnAway(w http.ResponseWriter, reason wire.Reason) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Retry-After", strconv.Itoa(int(later()/time.Second)))
	http.Error(w, reason.String(), http.StatusServiceUnavailable)
}
