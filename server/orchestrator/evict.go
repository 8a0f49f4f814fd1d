package orchestrator

import (
	"encoding/hex"
	"net/netip"
	"slices"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// dispute has both copies of a frame audited that are not the same.
func (c *core) dispute(number uint32, m wire.Result, n uint64) {
	c.counts.disputed++
	i := int(n-m.First) * wire.PackedSize
	c.accuse(n, ring.Copy{Packed: m.Frames[i : i+wire.PackedSize], Owner: number, Lease: m.Lease})
	// In the ring it is audited with its result, or was; what aired unaudited has nobody else to look at it.
	if here, ok := c.ring.Copy(n); ok && !here.Audited && n < c.ring.Cursor() {
		c.accuse(n, here)
	}
}

// evict shuts out a connection that is proven to have forged a frame, be it still there or not.
func (c *core) evict(now timeline.Instant, number uint32, lease uint64, proof *Forgery) {
	c.counts.Forged++
	purged := c.ring.Purge(number, lease)
	c.counts.Wasted += uint64(purged)
	if isMember(number) {
		c.cut(number, proof)
		return
	}
	addr, ok := c.culprit(number)
	if !ok {
		return // evicted for another of its frames already
	}
	c.counts.Evictions++
	banned := c.book.Strike(now, addr)
	c.log.Warn("evicted: a forged frame", "conn", number, "addr", addr, "frame", proof.Frame,
		"got", hex.EncodeToString(proof.Got[:]), "want", hex.EncodeToString(proof.Want[:]),
		"module_sha256", hex.EncodeToString(proof.Module[:]), "lease", lease, "purged", purged, "banned", banned)
	if _, ok := c.peers[number]; ok {
		c.dismiss(now, number, wire.ReasonEvicted)
	}
	c.departed = slices.DeleteFunc(c.departed, func(d departure) bool { return d.number == number })
}

// culprit returns the address of a connection that may be evicted.
func (c *core) culprit(number uint32) (netip.Addr, bool) {
	if p, ok := c.peers[number]; ok {
		return p.addr, true
	}
	for _, d := range c.departed {
		if d.number == number {
			return d.addr, true
		}
	}
	return netip.Addr{}, false
}
