package cluster

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
)

const (
	// announcePeriod is how often a server announces itself, and works out where it stands.
	announcePeriod = 250 * time.Millisecond
	// probeEvery is how many announcements apart the clocks of the others are asked for.
	probeEvery = 4
	// farewell is how long a server that leaves waits for NATS to have taken its last announcement.
	farewell = 250 * time.Millisecond
)

func (c *Cluster) run(ctx context.Context, fleet Fleet) error {
	up := make(chan struct{}, 1)
	l, err := connect(c.config, c.names, func() {
		select {
		case up <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.line = l
	c.mu.Unlock()

	running, stop := context.WithCancel(ctx)
	var loops sync.WaitGroup
	loops.Go(func() { c.beat(running, l, fleet, up) })
	loops.Go(func() { c.listen(running, l) })
	loops.Go(func() { c.receive(running, l, fleet) })
	loops.Go(func() { c.serve(running, l, fleet) })
	loops.Go(func() { c.send(running, l) })
	select {
	case <-ctx.Done():
	case <-l.closed:
		err = errors.New("cluster: NATS closed the connection for good")
	}
	stop()
	loops.Wait()
	c.leave(l)
	l.close()
	return err
}

// beat announces this server, asks for the others' clocks, and steers this server's by them.
func (c *Cluster) beat(ctx context.Context, l *line, fleet Fleet, up <-chan struct{}) {
	ticker := time.NewTicker(announcePeriod)
	defer ticker.Stop()
	for n := 0; ; n++ {
		l.check()
		c.judge()
		c.announce(l, fleet.Report())
		c.probe(l, n%probeEvery == 0)
		select {
		case <-ticker.C:
		case <-up:
		case <-ctx.Done():
			return
		}
	}
}

// judge works out where this server stands, and steers its clock.
func (c *Cluster) judge() {
	now, _ := c.config.Clock.Now()
	c.mu.Lock()
	before := c.members.standing
	c.members.forget(now)
	s := c.members.judge(now)
	if by, ok := s.steer(); ok {
		c.steered = by
	}
	steered := c.steered
	changes := c.members.changes(now)
	c.mu.Unlock()

	c.config.Clock.Steer(steered)
	for _, change := range changes {
		c.log.Info("a server of the cluster", "state", change.state.String(),
			"name", change.name, "identity", hex(change.identity), "member", change.number)
	}
	switch {
	case s.clockOff && !before.clockOff:
		c.log.Error("this server's clock is off, so it stays out of the fleet", "ahead", s.ahead, "most", maxClockOff)
	case !s.clockOff && before.clockOff:
		c.log.Info("this server's clock is right again", "ahead", s.ahead)
	}
}

// announce tells all servers of this one.
func (c *Cluster) announce(l *line, report Report) {
	if !(report.Capacity > 0) || math.IsInf(report.Capacity, 0) {
		report.Capacity = 0
	}
	c.mu.Lock()
	self := &c.members.self
	self.report, self.weight, self.out = report, c.members.scale.weigh(report.Capacity), c.members.standing.out()
	message := self.append(nil)
	c.mu.Unlock()
	if l.send(c.names.announce, message) {
		c.count(func(n *Counters) { n.Announced++ })
	}
}

// leave tells all servers that this one is gone, so that they need not wait for it to be silent.
func (c *Cluster) leave(l *line) {
	c.mu.Lock()
	c.members.self.leaving = true
	message := c.members.self.append(nil)
	c.mu.Unlock()
	if l.send(c.names.announce, message) {
		_ = l.conn.FlushTimeout(farewell) // who misses it hears silence
	}
}

// probe asks the other servers of the fleet for their clocks: all of them, or only those that have not answered yet.
func (c *Cluster) probe(l *line, all bool) {
	now, _ := c.config.Clock.Now()
	c.mu.Lock()
	var mates []uint64
	for _, o := range c.members.all {
		if c.members.mate(now, o) && (all || !o.measured) {
			mates = append(mates, o.said.from)
		}
	}
	c.mu.Unlock()
	for _, identity := range mates {
		c.probeOne(l, identity)
	}
}

func (c *Cluster) probeOne(l *line, identity uint64) {
	c.mu.Lock()
	o := c.members.find(identity)
	if o == nil {
		c.mu.Unlock()
		return
	}
	name := o.ask(c.config.Clock.Reading())
	c.mu.Unlock()
	l.send(of(c.names.probe, identity), probe{from: c.config.Identity, name: name}.append(nil))
}

// listen takes in what is small and answered at once.
func (c *Cluster) listen(ctx context.Context, l *line) {
	for {
		select {
		case m := <-l.announcements:
			c.hearAnnouncement(l, m.Data)
		case m := <-l.probes:
			c.hearProbe(l, m.Data)
		case m := <-l.replies:
			c.hearReply(m.Data)
		case <-ctx.Done():
			return
		}
	}
}

func (c *Cluster) hearAnnouncement(l *line, b []byte) {
	a, err := parseAnnouncement(b)
	if err != nil {
		c.count(func(n *Counters) { n.Malformed.Announcement++ })
		return
	}
	now, _ := c.config.Clock.Now()
	c.mu.Lock()
	c.counts.Heard++
	fresh := c.members.hear(now, a)
	ask := fresh != nil && c.members.mate(now, fresh)
	c.mu.Unlock()
	if ask {
		c.probeOne(l, a.from)
	}
}

func (c *Cluster) hearProbe(l *line, b []byte) {
	_, received := c.config.Clock.Reading()
	p, err := parseProbe(b)
	if err != nil {
		c.count(func(n *Counters) { n.Malformed.Probe++ })
		return
	}
	_, answered := c.config.Clock.Reading()
	answer := reply{from: c.config.Identity, name: p.name, received: received, answered: max(received, answered)}
	l.send(of(c.names.reply, p.from), answer.append(nil))
}

func (c *Cluster) hearReply(b []byte) {
	monotonic, _ := c.config.Clock.Reading()
	m, err := parseReply(b)
	if err != nil {
		c.count(func(n *Counters) { n.Malformed.Reply++ })
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.members.find(m.from); o != nil {
		o.told(m.name, m.received, m.answered, monotonic) // what is not true is as good as lost
	}
}

// receive takes in frames.
func (c *Cluster) receive(ctx context.Context, l *line, fleet Fleet) {
	var u unpacker
	for {
		select {
		case m := <-l.frames:
			if c.take(&u, m.Data, fleet) {
				c.count(func(n *Counters) { n.ChunksReceived++ })
			}
		case m := <-l.fetched:
			if c.take(&u, m.Data, fleet) {
				c.count(func(n *Counters) { n.ChunksFetched++ })
			}
		case <-ctx.Done():
			return
		}
	}
}

// take hands over the frames of a message, if they come from somebody who is alive.
func (c *Cluster) take(u *unpacker, b []byte, fleet Fleet) bool {
	from, err := sender(b)
	if err != nil {
		c.count(func(n *Counters) { n.Malformed.Frames++ })
		return false
	}
	number, ok := c.known(from)
	if !ok {
		c.count(func(n *Counters) { n.Strangers++ })
		return false
	}
	f, err := u.parse(b)
	if err != nil {
		c.count(func(n *Counters) { n.Malformed.Frames++ })
		return false
	}
	fleet.Foreign(number, f.first, f.packed)
	return true
}

// known returns the number of a server that is alive, while this one is of the fleet itself.
func (c *Cluster) known(identity uint64) (number uint32, ok bool) {
	now, _ := c.config.Clock.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if o := c.members.find(identity); o != nil && c.members.alive(now, o) && !c.members.standing.out() {
		return o.number, true
	}
	return 0, false
}

// serve answers fetches.
func (c *Cluster) serve(ctx context.Context, l *line, fleet Fleet) {
	var p packer
	for {
		select {
		case m := <-l.fetches:
			c.answer(&p, l, m.Data, fleet)
		case <-ctx.Done():
			return
		}
	}
}

func (c *Cluster) answer(p *packer, l *line, b []byte, fleet Fleet) {
	f, err := parseFetch(b)
	if err != nil {
		c.count(func(n *Counters) { n.Malformed.Fetch++ })
		return
	}
	if _, ok := c.known(f.from); !ok {
		c.count(func(n *Counters) { n.Strangers++ })
		return
	}
	now, _ := c.config.Clock.Now()
	c.mu.Lock()
	mine := c.members.answers(now, f.first/timeline.ChunkFrames, f.from)
	c.mu.Unlock()
	if !mine {
		return
	}
	var runs []frames
	fleet.Frames(f.first, f.count, func(first uint64, packed []byte) {
		runs = append(runs, frames{first: first, packed: append([]byte(nil), packed...)})
	})
	for _, run := range runs {
		if c.sendFrames(p, l, of(c.names.frames, f.from), run) {
			c.count(func(n *Counters) { n.ChunksAnswered++ })
		}
	}
}

// send sends what the orchestrator's loop has left to be sent, fetches first: they are in a hurry.
func (c *Cluster) send(ctx context.Context, l *line) {
	var p packer
	for {
		if f, ok := c.fetches.take(); ok {
			if c.in() && l.send(c.names.fetch, f.append(nil)) {
				c.count(func(n *Counters) { n.Fetches++ })
			} else {
				c.count(func(n *Counters) { n.Dropped++ })
			}
			continue
		}
		if f, ok := c.publishes.take(); ok {
			if c.in() && c.sendFrames(&p, l, c.names.frames, f) {
				c.count(func(n *Counters) { n.ChunksPublished++ })
			} else {
				c.count(func(n *Counters) { n.Dropped++ })
			}
			continue
		}
		select {
		case <-c.fetches.ready:
		case <-c.publishes.ready:
		case <-ctx.Done():
			return
		}
	}
}

// in says whether this server takes part in its fleet.
func (c *Cluster) in() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.members.standing.out()
}

func (c *Cluster) sendFrames(p *packer, l *line, subject string, f frames) bool {
	if !l.conn.IsConnected() {
		return false
	}
	message, err := p.append(nil, c.config.Identity, f.first, f.packed)
	if err != nil {
		c.log.Error("frames of this server's own are malformed", "err", err)
		return false
	}
	return l.send(subject, message)
}

func (c *Cluster) count(add func(*Counters)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	add(&c.counts)
}
