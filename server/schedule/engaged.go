package schedule

import "iter"

// Engaged is the threads that hold leases, or owe answers that have yet to be stopped, and at most some more that did a
// moment ago: whoever is idle costs nothing as results come in and time passes.
type engaged []*thread

// add adds a thread that may be in it already.
func (e *engaged) add(t *thread) {
	if t.seat == 0 {
		*e = append(*e, t)
		t.seat = len(*e)
	}
}

// remove removes a thread that may not be in it.
func (e *engaged) remove(t *thread) {
	if t.seat == 0 {
		return
	}
	last := len(*e) - 1
	moved := (*e)[last]
	(*e)[t.seat-1], (*e)[last] = moved, nil
	*e = (*e)[:last]
	moved.seat, t.seat = t.seat, 0
}

// all yields the threads, in an order of no meaning, and forgets those that are not engaged any more.
func (e *engaged) all() iter.Seq[*thread] {
	return func(yield func(*thread) bool) {
		for i := 0; i < len(*e); {
			t := (*e)[i]
			if len(t.queue) == 0 && !t.owes() {
				e.remove(t)
				continue
			}
			if !yield(t) {
				return
			}
			i++
		}
	}
}
