package schedule

import (
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A loan is a lease as the scheduler keeps it for as long as an answer to it teaches something.
type loan struct {
	Lease
	started timeline.Instant // when the thread could start on it, once it is the first in the queue
	sure    bool             // that it did then: the thread owed no other answer
	asked   timeline.Instant // when its frames were last lent, to this thread or once more to others

	there   [(wire.MaxChunk + 63) / 64]uint64 // a bit for each of the frames that somebody delivered
	lacking int                               // how many nobody has
	stopped bool                              // it ran out, all are there, and the thread is told to stop
}

// overlaps reports whether the lease is of one of count frames from first on.
func (l *loan) overlaps(first uint64, count int) bool {
	return l.First < first+uint64(count) && first < l.First+uint64(l.Count)
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

// missing returns the frames of the lease from begin on that nobody has delivered: the first of them, and how many there
// are from there to the last.
func (l *loan) missing(begin uint64) (first uint64, count int) {
	end := l.First + uint64(l.Count)
	for first = max(begin, l.First); first < end && l.delivered(first); first++ {
	}
	for n := first; n < end; n++ {
		if !l.delivered(n) {
			count = int(n-first) + 1
		}
	}
	return first, count
}

// delivered reports whether somebody has delivered frame n, which is of the lease.
func (l *loan) delivered(n uint64) bool {
	i := n - l.First
	return l.there[i/64]&(1<<(i%64)) != 0
}
