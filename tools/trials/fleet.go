package main

import "time"

// fleets are trials of several servers that meet over NATS, each a process of its own.
var fleets = []trial{together, serverKilled, natsKilled, natsCut, capacity, serverIdle, serverJoins, serverLies}

const (
	// comeBack is how long a viewer may be without a picture whose server was killed, in milliseconds.
	comeBack = 5_000
	// healed is how long servers may take to be one again when they can hear each other, in milliseconds.
	healed = 2_000
	// apart is how long one crowd comes after the other where viewers may go from one server to another: then the streams'
	// messages have other numbers, and none is taken for another server's.
	apart = 3 * time.Second
)

// unharmed adds what no viewer of any server may see.
func (f *findings) unharmed(crowd map[string]float64, servers look) {
	f.believed(crowd)
	f.tell("frames aired", servers.sum("aired_frames"))
	f.exactly("frames stalled", servers.sum("stalled_frames"), 0)
	f.steady("frames missed by viewers", crowd)
	f.exactly("other faults that they found", crowd["faults"], 0)
}

// steady wants no frame to have been missed once the stream was far enough ahead of whoever missed it.
func (f *findings) steady(name string, crowd map[string]float64) {
	f.exactly(name+", but for their first 5 s", crowd["frames_missed"]-crowd["frames_missed_at_first"], 0)
	f.tell(name+" in their first 5 s", crowd["frames_missed_at_first"])
}

// three is three servers that meet over NATS.
var three = setting{servers: 3}
