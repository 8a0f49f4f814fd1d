package gate

import "sync/atomic"

// A Tally counts refusals by why. Its zero value is ready, and its methods may be called concurrently.
type Tally struct {
	counts [refusalEnd]atomic.Uint64
}

// Add counts a refusal.
func (t *Tally) Add(r Refusal) { t.counts[r].Add(1) }

// Of returns how often there was a refusal.
func (t *Tally) Of(r Refusal) uint64 { return t.counts[r].Load() }

// ByName returns Of all Refusals by their names.
func (t *Tally) ByName() map[string]uint64 {
	counts := make(map[string]uint64)
	for _, r := range Refusals {
		counts[r.String()] = t.Of(r)
	}
	return counts
}
