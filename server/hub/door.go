package hub

import (
	"errors"
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

	stranger  sync.Once // warned of a peer that speaks for others unasked
	forwarded sync.Once // warned of a trusted proxy that does not say whom it speaks for
}

// addressOf returns the address that counts for a request. What is wrong with how it is forwarded is logged once: those
// who send it can do so as often as they like.
func (h *Hub) addressOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		h.cfg.Log.Error("the peer's address is none", "err", err)
	}
	addr, err := h.cfg.Proxies.Client(peer.Addr(), r.Header[gate.ForwardedFor])
	switch {
	case errors.Is(err, gate.ErrStranger):
		h.door.stranger.Do(func() {
			h.cfg.Log.Warn("ignored "+gate.ForwardedFor+": if its sender is your proxy, name it in -trusted-proxies, for its own "+
				"address counts for all it speaks for; said once", "peer", addr)
		})
	case err != nil:
		h.door.forwarded.Do(func() {
			h.cfg.Log.Warn("a proxy that -trusted-proxies names does not say whom it speaks for, so its own address counts; said once",
				"peer", addr, "err", err)
		})
	}
	return addr
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
	h.stats.refused[refused].Add(1)
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
	w.Header().Set("Retry-After", strconv.Itoa(int(comeBack/time.Second)))
	http.Error(w, reason.String(), http.StatusServiceUnavailable)
}
