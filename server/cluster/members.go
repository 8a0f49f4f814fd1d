package cluster

import (
	"slices"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

const (
	// aliveFor is how long a server counts after it was heard from: four announcements.
	aliveFor = time.Second
	// keptFor is how long one that has fallen silent is still shown.
	keptFor = time.Minute
	// maxMembers is how many servers are kept in mind, the silent ones and those cut off included.
	maxMembers = 256
	// answerers is how many servers answer a fetch, of however many there are.
	answerers = 3
)

// members is what a server knows of the others: who is there, who is fit, whose clock shows what, and so whose a chunk
// is. It is plain state; time is an argument. Servers that have heard the same announcements agree about every chunk,
// and those that have not render a frame twice at worst.
type members struct {
	scale    scale        // weighs this server
	self     announcement // as last announced: what the others know, too
	standing standing
	all      []*member // in no order
	numbers  uint32    // how many were given out
	refused  uint64    // announcements there was no room for
}

// A member is another server. One whose process starts again is another one.
type member struct {
	number uint32
	said   announcement
	heard  timeline.Instant
	cut    string // why it was cut off, empty while it is not

	shown bool // its state was logged
	last  State

	measured bool
	clock    sample
	asked    probing
}

// A probing is a probe on its way.
type probing struct {
	open bool
	sent time.Duration // monotonic; it also names the probe
	wall timeline.Instant
}

// find returns the member of an identity, or nil.
func (m *members) find(identity uint64) *member {
	for _, o := range m.all {
		if o.said.from == identity {
			return o
		}
	}
	return nil
}

// numbered returns the member of a number, or nil.
func (m *members) numbered(number uint32) *member {
	for _, o := range m.all {
		if o.number == number {
			return o
		}
	}
	return nil
}

// hear takes in an announcement, and returns a member that was not known before. It returns nil for one that was, for
// this server's own, and where there is no room.
func (m *members) hear(now timeline.Instant, a announcement) *member {
	if a.from == m.self.from {
		return nil
	}
	if known := m.find(a.from); known != nil {
		known.said, known.heard = a, now
		return nil
	}
	if m.numbers == FirstMember || len(m.all) >= maxMembers && !m.makeRoom(now) {
		m.refused++
		return nil
	}
	fresh := &member{number: FirstMember + m.numbers, said: a, heard: now}
	m.numbers++
	m.all = append(m.all, fresh)
	return fresh
}

// makeRoom forgets the member that has been silent for longest, those that were cut off last, and reports whether there
// was one.
func (m *members) makeRoom(now timeline.Instant) bool {
	victim := -1
	for i, o := range m.all {
		if m.present(now, o) {
			continue
		}
		if victim < 0 || (o.cut == "") != (m.all[victim].cut == "") && o.cut == "" ||
			(o.cut == "") == (m.all[victim].cut == "") && o.heard < m.all[victim].heard {
			victim = i
		}
	}
	if victim < 0 {
		return false
	}
	m.all = slices.Delete(m.all, victim, victim+1)
	return true
}

// forget lets go of members that have been silent for long. Who was cut off is remembered, so as to stay so.
func (m *members) forget(now timeline.Instant) {
	m.all = slices.DeleteFunc(m.all, func(o *member) bool { return o.cut == "" && now.Sub(o.heard) > keptFor })
}

// shutOut cuts a member off for good, and returns it; nil if it is not known, or cut off already.
func (m *members) shutOut(number uint32, why string) *member {
	o := m.numbered(number)
	if o == nil || o.cut != "" {
		return nil
	}
	if why == "" {
		why = "no reason given"
	}
	o.cut = why
	return o
}

// present says whether a member was heard from of late and has not said goodbye.
func (m *members) present(now timeline.Instant, o *member) bool {
	return !o.said.leaving && now.Sub(o.heard) <= aliveFor
}

// mate says whether a member is present and of this server's fleet, whatever its clock shows.
func (m *members) mate(now timeline.Instant, o *member) bool {
	return o.cut == "" && o.said.fleet == m.self.fleet && m.present(now, o)
}

// alive says whether a member works with this server: a mate that does not stay out.
func (m *members) alive(now timeline.Instant, o *member) bool {
	return m.mate(now, o) && !o.said.out
}

// owner returns the number of the member that a chunk belongs to, or 0 if that is this server. Who stays out has it all
// to itself.
func (m *members) owner(now timeline.Instant, chunk uint64) uint32 {
	if m.standing.out() {
		return 0
	}
	best, number := bidOf(m.self.from, m.self.weight, chunk), uint32(0)
	for _, o := range m.all {
		if m.alive(now, o) {
			if b := bidOf(o.said.from, o.said.weight, chunk); b.beats(best) {
				best, number = b, o.number
			}
		}
	}
	return number
}

// answers says whether this server is one of those that answer a fetch from a chunk: the first few by rendezvous, of
// whom the first is the chunk's owner, and has it if anybody does. So a fetch costs the same however large the fleet
// is, nobody waits to see whether others answer, and a chunk's answers do not all fall to one server.
func (m *members) answers(now timeline.Instant, chunk, asker uint64) bool {
	if m.standing.out() {
		return false
	}
	mine, before := bidOf(m.self.from, m.self.weight, chunk), 0
	for _, o := range m.all {
		if o.said.from != asker && m.alive(now, o) && bidOf(o.said.from, o.said.weight, chunk).beats(mine) {
			before++
		}
	}
	return before < answerers
}
