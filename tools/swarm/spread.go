package main

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// A spread is how durations that come again and again are spread. Its methods may be called concurrently.
type spread struct {
	mu     sync.Mutex
	counts map[time.Duration]int // by grains
	total  int
}

// grain is how finely durations are told apart.
const grain = 100 * time.Microsecond

func (s *spread) add(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = make(map[time.Duration]int)
	}
	s.counts[d.Round(grain)]++
	s.total++
}

// percentile returns the least, in milliseconds, that p percent do not exceed, or nil for none.
func (s *spread) percentile(p int) *float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := 0
	for _, d := range slices.Sorted(maps.Keys(s.counts)) {
		if seen += s.counts[d]; seen*100 >= s.total*p {
			return new(float64(d) / float64(time.Millisecond))
		}
	}
	return nil
}
