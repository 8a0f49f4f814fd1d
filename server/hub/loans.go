package hub

import (
	"slices"

	"github.com/distributed-donut/donut/wasm/wire"
)

// loans are the leases that say how much a connection may send at once: those that it was sent, be they expired or revoked
// meanwhile, and no later one of the same thread answered. A thread answers in order, so one that it was lent before a
// longer one never counts. The one that it answered last still does, since an answer that comes twice is no crime. What is
// left of a thread's leases gets ever shorter, and so there are fewer of them than a lease can have frames.
type loans []loan

type loan struct {
	lease  uint64
	thread uint8
	frames uint16
}

// add notes that a lease is sent. Its number is greater than those before.
func (l *loans) add(m wire.Lease) {
	*l = slices.DeleteFunc(*l, func(o loan) bool { return o.thread == m.Thread && o.frames <= m.Count })
	*l = append(*l, loan{m.Lease, m.Thread, m.Count})
}

// answered notes that a lease, if it is one of them, is answered.
func (l *loans) answered(lease uint64) {
	i := slices.IndexFunc(*l, func(o loan) bool { return o.lease == lease })
	if i < 0 {
		return
	}
	thread := (*l)[i].thread
	*l = slices.DeleteFunc(*l, func(o loan) bool { return o.thread == thread && o.lease < lease })
}

// limit is the length in bytes of the longest message that the connection has reason to send.
func (l loans) limit() int {
	limit := wire.MaxProbe
	for _, o := range l {
		limit = max(limit, wire.ResultSize(int(o.frames)))
	}
	return limit
}
