package hub

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// comeBack is how long a connection that is refused should wait before it tries again, at least, and less than twice
	// that at most, so that a crowd that was refused does not come again as one.
	comeBack = 10 * time.Second
	// maxReturn is how long after the first one the last of those is asked back whom a hub that closes has said goodbye
	// to. A crowd that takes longer shares its moments.
	maxReturn = time.Minute
)

// later draws when somebody who is refused should come again.
func later() time.Duration { return comeBack + rand.N(comeBack) }

// goodbye returns the goodbye for a reason, with when to come back.
func goodbye(reason wire.Reason, retry time.Duration) wire.Goodbye {
	return wire.Goodbye{Reason: reason, Retry: uint32(retry / time.Millisecond)}
}

// Returns say when those whom a hub that closes says goodbye to are asked back: each at a moment of their own.
type Returns struct {
	// First is how long after its goodbye the first one is.
	First time.Duration
	// PerSecond is how many of them are a second, 1 or more.
	PerSecond int
}

// returns hands out the moments.
type returns struct {
	Returns
	given int
}

// next returns how long after its goodbye the next one is asked back.
func (r *returns) next() time.Duration {
	after := time.Duration(r.given) * time.Second / time.Duration(r.PerSecond) % maxReturn
	r.given++
	return r.First + after
}

// Close says goodbye to everybody, and to who still comes, and returns when all connections have ended. Those that have
// not when ctx is done are cut off. It must be called once.
func (h *Hub) Close(ctx context.Context, r Returns) {
	h.mu.Lock()
	h.draining = true
	h.returns = returns{Returns: r}
	for c := range h.conns { // in whatever order, so that nobody is always last
		c.Dismiss(goodbye(wire.ReasonDraining, h.returns.next()))
	}
	h.closeIfEmpty()
	h.mu.Unlock()

	select {
	case <-h.left:
	case <-ctx.Done():
	}
	h.mu.Lock()
	for c := range h.conns {
		c.tcp.Close()
	}
	h.mu.Unlock()
	<-h.left
	h.running.Wait()
}
