package schedule

import "iter"

// A line is threads by who was leased to longest ago, but for newcomers that answer, who stay where they are. Those that
// were never lent anything are all alike: what the first of them cannot be lent, none of them can. They are kept apart, so
// that a crowd of them costs no more than one.
type line struct {
	lent   list
	unlent list
	size   int    // of both
	turns  uint64 // the last one that was given out
}

// A place is where in its line a thread stands.
type place struct {
	turn       uint64 // those with lower ones stand before it
	lent       bool   // in which list
	prev, next *thread
}

// push puts a thread, which is in no line, behind all others.
func (l *line) push(t *thread) {
	l.turns++
	t.place.turn = l.turns
	l.list(t).push(t)
	l.size++
}

// remove takes a thread out.
func (l *line) remove(t *thread) {
	l.list(t).remove(t)
	l.size--
}

// next puts a thread that is lent something behind all others.
func (l *line) next(t *thread) {
	l.remove(t)
	t.place.lent = true
	l.push(t)
}

func (l *line) list(t *thread) *list {
	if t.place.lent {
		return &l.lent
	}
	return &l.unlent
}

// candidates yields those who may be lent to, in the order of the line: of the threads that were never lent anything the
// first alone. Once one of them has been given its lease, the rest is not to be asked for.
func (l *line) candidates() iter.Seq[*thread] {
	return func(yield func(*thread) bool) {
		stranger := l.unlent.first
		for t := range l.lent.all() {
			if stranger != nil && stranger.place.turn < t.place.turn {
				if !yield(stranger) {
					return
				}
				stranger = nil
			}
			if !yield(t) {
				return
			}
		}
		if stranger != nil {
			yield(stranger)
		}
	}
}

// all yields the threads of the line, in an order of no meaning.
func (l *line) all() iter.Seq[*thread] {
	return func(yield func(*thread) bool) {
		for _, each := range []*list{&l.lent, &l.unlent} {
			for t := range each.all() {
				if !yield(t) {
					return
				}
			}
		}
	}
}

// A list is threads that know their neighbours, in the order of their turns.
type list struct{ first, last *thread }

func (l *list) push(t *thread) {
	t.place.prev, t.place.next = l.last, nil
	if l.last == nil {
		l.first = t
	} else {
		l.last.place.next = t
	}
	l.last = t
}

func (l *list) remove(t *thread) {
	prev, next := t.place.prev, t.place.next
	if prev == nil {
		l.first = next
	} else {
		prev.place.next = next
	}
	if next == nil {
		l.last = prev
	} else {
		next.place.prev = prev
	}
}

func (l *list) all() iter.Seq[*thread] {
	return func(yield func(*thread) bool) {
		for t := l.first; t != nil; t = t.place.next {
			if !yield(t) {
				return
			}
		}
	}
}
