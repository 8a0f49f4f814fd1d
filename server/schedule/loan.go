package schedule

import (
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A loan is a lease as the scheduler keeps it for as long as an answer to it teaches something.
type loan struct {
	Lease
	lent    timeline.Instant
	started timeline.Instant // when the thread could start on it, once it is the first in the queue
	sure    bool             // that it did then: the thread owed no other answer

	there   [(wire.MaxChunk + 63) / 64]uint64 // a bit for each of the frames that somebody delivered
	lacking int                               // how many nobody has
	stopped bool                              // it ran out, all are there, and the thread is told to stop
}

// deliver notes that count frames from first on are there.
func (l *loan) deliver(first uint64, count int) {
	begin, end := max(first, l.First), min(first+uint64(count), l.First+uint64(l.Count))
	for n := begin; n < end; n++ {
		word, bit := (n-l.First)/64, uint64(1)<<((n-l.First)%64)
		if l.there[word]&bit == 0 {
			l.there[word] |= bit
			l.lacking--
		}
	}
}
