package hub

import (
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// finalBinary and finalClose are the first bytes of WebSocket frames that are whole messages.
	finalBinary = 0x80 | 2
	finalClose  = 0x80 | 8
	// maxIgnored is how many bytes are read of who is sent away. A tab that does not know yet sends a hello and probes.
	maxIgnored = 4 << 10
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
		h.cfg.Log.Error("the peer's address is none", "addr", r.RemoteAddr, "err", err)
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

// sendAway says goodbye to a connection that was refused, at less cost than that of one that stays: goodbye and closing
// frame are one write, and what comes back is not looked at. It is read all the same, as much as an honest tab has sent,
// since closing before would have the other side's kernel throw the goodbye away.
func (c *conn) sendAway() {
	c.hub.stats.closed[wire.ReasonFull].Add(1)
	goodbye := wire.Goodbye{Reason: wire.ReasonFull, Retry: uint32(comeBack / time.Millisecond)}.Append(nil)
	status := binary.BigEndian.AppendUint16(nil, uint16(statusOf(wire.ReasonFull)))
	frames := slices.Concat([]byte{finalBinary, byte(len(goodbye))}, goodbye, []byte{finalClose, byte(len(status))}, status)
	c.tcp.SetDeadline(time.Now().Add(farewell))
	if _, err := c.tcp.Write(frames); err != nil {
		return
	}
	if tcp, ok := c.tcp.(interface{ CloseWrite() error }); ok {
		tcp.CloseWrite()
	}
	io.CopyN(io.Discard, c.tcp, maxIgnored) // whatever ends it
}

// turnAway answers a request that is refused without an upgrade, at the least cost, and hangs up: who waits for the next
// request meanwhile holds a descriptor.
func turnAway(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Retry-After", strconv.Itoa(int(comeBack/time.Second)))
	http.Error(w, "full", http.StatusServiceUnavailable)
}
