package hub

import (
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
)

const (
	// parts is how many parts a big audience is served in, one after the other, and partPeriod how long each one is given:
	// the last one has a message a second after the first.
	parts      = 50
	partPeriod = time.Second / parts
	// intimate is how many viewers are served all at once.
	intimate = 100
	// leisure is how long before its first frame is on screen a message must air to be delivered part by part.
	leisure = 2 * time.Second
)

// An audience is the connections that the stream goes to. The hub's mu guards it.
type audience struct {
	parts [parts]map[*conn]struct{} // nil while empty
	size  int

	next    int     // the part that is served next
	rounds  []round // that are not over, oldest first
	hurry   bool    // without a pause between the parts
	serving bool    // a goroutine serves them
}

// A round is the serving of one message to all parts. The next one may begin before it is over.
type round struct {
	began time.Time
	due   int // parts that have yet to be served
}

func (a *audience) part(c *conn) *map[*conn]struct{} { return &a.parts[c.number%parts] }

func (a *audience) has(c *conn) bool {
	_, ok := (*a.part(c))[c]
	return ok
}

func (a *audience) add(c *conn) {
	if a.has(c) {
		return
	}
	part := a.part(c)
	if *part == nil {
		*part = make(map[*conn]struct{})
	}
	(*part)[c] = struct{}{}
	a.size++
}

func (a *audience) remove(c *conn) {
	if !a.has(c) {
		return
	}
	delete(*a.part(c), c)
	a.size--
}

// Broadcast implements orchestrator.Audience. It returns at once.
//
// A message airs long before its frames are on screen, so a big audience gets it spread over a second: a burst of writes
// would hold up everything else that the process does, and fill the queues of the network card.
func (h *Hub) Broadcast(message []byte, header codec.Header) {
	now, _ := h.cfg.Clock.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.backlog = append(h.backlog, aired{framed(message), header})
	h.trim()
	if h.closed {
		return
	}
	a := &h.audience
	urgent := a.size <= intimate || timeline.Start(header.First).Sub(now) < leisure
	a.hurry = urgent || a.hurry && len(a.rounds) > 0 // for one that is being served
	a.begin()
	if !a.serving {
		a.serving = true
		h.running.Go(h.deliver)
	}
}

// begin has all parts served the newest message.
func (a *audience) begin() { a.rounds = append(a.rounds, round{time.Now(), parts}) }

// advance moves on to the next part, and returns the rounds that are over once it is served.
func (a *audience) advance() (over []round) {
	a.next = (a.next + 1) % parts
	ended := 0
	for i := range a.rounds {
		if a.rounds[i].due--; a.rounds[i].due == 0 {
			ended++
		}
	}
	over, a.rounds = a.rounds[:ended], a.rounds[ended:]
	return over
}

// deliver serves the audience until all of it has the newest message.
func (h *Hub) deliver() {
	pause := time.NewTicker(partPeriod)
	defer pause.Stop()
	for {
		wait, ok := h.serveNext()
		if !ok {
			return
		}
		if wait {
			<-pause.C
		}
	}
}

// serveNext serves the next part of the audience, unless all of it is served. It reports whether the one after it, if any, is to
// wait.
func (h *Hub) serveNext() (wait, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := &h.audience
	if len(a.rounds) == 0 {
		a.serving = false
		return false, false
	}
	part := a.parts[a.next]
	over := a.advance()
	for c := range part {
		c.follow(h.backlog)
	}
	if h.cfg.Served != nil && a.size > 0 {
		for _, r := range over {
			h.cfg.Served(time.Since(r.began))
		}
	}
	return len(a.rounds) > 0 && !a.hurry && !h.draining, true
}
