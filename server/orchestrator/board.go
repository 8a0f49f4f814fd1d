package orchestrator

import (
	"slices"

	"github.com/distributed-donut/donut/wasm/wire"
)

// A board ranks the connections that are here by how many of their frames were audited and found right. The best are kept
// in order whenever somebody passes an audit; only where one of them has left are all looked through for who moves up.
type board struct {
	best []wire.Contributor // at most wire.MaxBoard
	gap  bool               // somebody has left a full board
}

// outranks reports whether a comes before b: by its frames, and where they are as many, as who came first.
func outranks(a, b wire.Contributor) bool {
	return a.Verified > b.Verified || a.Verified == b.Verified && a.Owner < b.Owner
}

// note notes how many verified frames a connection has, which are at least 1 and never become fewer.
func (b *board) note(c wire.Contributor) {
	last := len(b.best) - 1
	i := slices.IndexFunc(b.best, func(o wire.Contributor) bool { return o.Owner == c.Owner })
	switch {
	case i >= 0: // it rises from where it is
	case len(b.best) < wire.MaxBoard:
		b.best = append(b.best, c)
		i = last + 1
	case outranks(c, b.best[last]):
		i = last
	default:
		return
	}
	for ; i > 0 && outranks(c, b.best[i-1]); i-- {
		b.best[i] = b.best[i-1]
	}
	b.best[i] = c
}

// leave takes a connection off the board that has left.
func (b *board) leave(number uint32) {
	i := slices.IndexFunc(b.best, func(o wire.Contributor) bool { return o.Owner == number })
	if i < 0 {
		return
	}
	b.gap = b.gap || len(b.best) == wire.MaxBoard // else nobody is waiting for the place
	b.best = slices.Delete(b.best, i, i+1)
}

// ranking returns the best of those who are here, which the board goes on using.
func (b *board) ranking(peers map[uint32]*peer) []wire.Contributor {
	if b.gap {
		b.gap = false
		for number, p := range peers {
			if p.passes > 0 {
				b.note(wire.Contributor{Owner: number, Verified: p.passes})
			}
		}
	}
	return b.best
}
