package cluster

import "sync"

// outboxSize is how many messages wait to be sent: ten seconds of chunks, thrice.
const outboxSize = 64

// An outbox is where the orchestrator's loop leaves what is to be sent, without waiting. It is short, and what is
// oldest there makes way: its frames would be the first to be too late.
type outbox[T any] struct {
	ready chan struct{} // holds a token where something may wait

	mu      sync.Mutex
	waiting []T
	dropped uint64
}

func (b *outbox[T]) init() { b.ready = make(chan struct{}, 1) }

func (b *outbox[T]) put(v T) {
	b.mu.Lock()
	if len(b.waiting) == outboxSize {
		copy(b.waiting, b.waiting[1:])
		b.waiting = b.waiting[:outboxSize-1]
		b.dropped++
	}
	b.waiting = append(b.waiting, v)
	b.mu.Unlock()
	select {
	case b.ready <- struct{}{}:
	default:
	}
}

// take returns what has waited longest, if there is anything.
func (b *outbox[T]) take() (v T, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return v, false
	}
	v = b.waiting[0]
	n := copy(b.waiting, b.waiting[1:])
	clear(b.waiting[n:])
	b.waiting = b.waiting[:n]
	return v, true
}

func (b *outbox[T]) drops() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.dropped
}
