package orchestrator

import (
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A world runs a core in virtual time, with a fleet, an audience and a verifier of its own. It is one goroutine, and
// the same calls give the same run.
type world struct {
	t    *testing.T
	core *core
	now  timeline.Instant
	todo agenda

	joined uint32 // how many, which numbers them

	// The verifier.
	renderTime time.Duration // per frame
	broken     bool          // every call fails
	sampling   bool          // frames may air unaudited
	auditors   int
	jobs       func(job) // is told of each; nil for nobody

	forgeryAirs bool // a forged frame that airs is counted, and no error
	forged      int  // frames that aired and are forged

	// What was aired, in order.
	decoder  codec.Decoder
	messages []codec.Header
	shown    map[uint64]bool // whether the frame was there, by number
	next     uint64
	late     int // frames that went out after their moment
}

// start is the instant at which worlds begin: not on any grid.
const start = timeline.Instant(1_000_000_007_000)

func newWorld(t *testing.T, change func(*Config)) *world {
	w := &world{t: t, now: start, renderTime: 300 * time.Microsecond, shown: make(map[uint64]bool)}
	cfg := Config{
		Audience: w, Log: slog.New(slog.DiscardHandler), Lead: 10 * time.Second, Detail: 1, Auditors: 2, MaxLease: MaxLease,
		Policy: trust.Policy{Floor: 0.05}, AuditBudget: 0.1, Random: rand.NewPCG(1, 2),
	}
	if change != nil {
		change(&cfg)
	}
	w.auditors = cfg.Auditors
	w.core = newCore(cfg, func(j job) {
		if w.jobs != nil {
			w.jobs(j)
		}
		count := 1
		switch {
		case j.render != nil:
			count = j.render.count
		case j.audit != nil:
			count = j.audit.span.Count
		}
		w.after(time.Duration(count)*w.renderTime, func() {
			done := j.run(context.Background(), w)
			done(w.core, w.now)
			w.core.tick(w.now)
		})
	})
	w.core.generation = 1
	return w
}

// truth is the picture of frame n in this world: cheaper than a donut, and no two neighbours alike.
func truth(n uint64) []byte {
	packed := make([]byte, wire.PackedSize)
	putTruth(packed, n)
	return packed
}

// putTruth puts the truth into a blank frame.
func putTruth(packed []byte, n uint64) {
	for i := range 8 {
		digit := byte(n >> (8 * i))
		packed[2*i], packed[2*i+1] = digit&0xf%13, digit>>4%13
	}
	binary.LittleEndian.PutUint16(packed[100:], uint16(n%13)*0x1111)
}

// Render implements Verifier.
func (w *world) Render(_ context.Context, first uint64, count int) (packed []byte, err error) {
	if w.broken {
		return nil, errors.New("broken")
	}
	for n := first; n < first+uint64(count); n++ {
		packed = append(packed, truth(n)...)
	}
	return packed, nil
}

// Check implements Verifier.
func (w *world) Check(_ context.Context, first uint64, packed []byte) (spent time.Duration, err error) {
	if w.broken {
		return 0, errors.New("broken")
	}
	for i := range len(packed) / wire.PackedSize {
		n := first + uint64(i)
		spent += w.renderTime
		if string(packed[i*wire.PackedSize:(i+1)*wire.PackedSize]) != string(truth(n)) {
			return spent, &Forgery{Frame: n}
		}
	}
	return spent, nil
}

// Broadcast implements Audience: it checks that what airs is in order, whole and true.
func (w *world) Broadcast(message []byte, header codec.Header) {
	w.t.Helper()
	m, err := wire.ParseBroadcast(message)
	if err != nil {
		w.t.Fatal(err)
	}
	if m.Generation != w.core.generation {
		w.t.Errorf("a broadcast of generation %d, want %d", m.Generation, w.core.generation)
	}
	if want := ranking(w.core.peers); !slices.Equal(m.Board, want) {
		w.t.Errorf("the board is %v, want %v", m.Board, want)
	}
	if len(w.messages) > 0 && !header.Key && header.First != w.next {
		w.t.Errorf("frame %d is aired after frame %d", header.First, w.next-1)
	}
	got, err := w.decoder.Decode(m.Stream, func(n uint64, p *donut.Picture) {
		if _, twice := w.shown[n]; twice {
			w.t.Errorf("frame %d is aired twice", n)
		}
		w.shown[n] = p != nil
		if p == nil {
			return
		}
		if timeline.Start(n) < w.now {
			w.late++
		}
		packed := make([]byte, wire.PackedSize)
		wire.Pack(packed, p)
		if string(packed) != string(truth(n)) {
			if w.forged++; !w.forgeryAirs {
				w.t.Errorf("frame %d is forged", n)
			}
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if got != header {
		w.t.Errorf("the header says %+v and the message %+v", header, got)
	}
	w.messages = append(w.messages, header)
	w.next = header.First + uint64(header.Count)
}

// holes returns how many frames were aired as missing.
func (w *world) holes() (n int) {
	for _, there := range w.shown {
		if !there {
			n++
		}
	}
	return n
}

// after plans an action.
func (w *world) after(d time.Duration, do func()) {
	heap.Push(&w.todo, action{at: w.now.Add(d), order: w.todo.planned, do: do})
	w.todo.planned++
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	end := w.now.Add(d)
	tick := w.now
	for {
		at := tick
		if len(w.todo.actions) > 0 && w.todo.actions[0].at < tick {
			at = w.todo.actions[0].at
		}
		if at > end {
			w.now = end
			return
		}
		w.now = max(w.now, at)
		if at == tick {
			w.core.tick(w.now)
			tick = tick.Add(tickPeriod)
		} else {
			heap.Pop(&w.todo).(action).do()
		}
		if at == tick || w.core.race == nil { // the ring of a race is long
			w.invariants()
		}
	}
}

// invariants hold at every moment.
func (w *world) invariants() {
	w.t.Helper()
	c := w.core
	if c.counts.Aired != c.counts.Fleet+c.counts.Server+c.counts.Foreign {
		w.t.Fatalf("%d frames aired, but %d of the fleet, %d of the server and %d of others", c.counts.Aired, c.counts.Fleet,
			c.counts.Server, c.counts.Foreign)
	}
	if c.counts.Unaudited != 0 && !w.sampling {
		w.t.Fatalf("%d frames aired unaudited", c.counts.Unaudited)
	}
	if c.idle < 0 || c.idle > w.auditors {
		w.t.Fatalf("%d of %d auditors are idle", c.idle, w.auditors)
	}
	verified := uint64(0)
	for number, p := range c.peers {
		if verified += p.passes; p.conn.(*member).credit != p.passes {
			w.t.Fatalf("connection %d has passed %d audits and knows of %d", number, p.passes, p.conn.(*member).credit)
		}
	}
	if verified > c.counts.Audited {
		w.t.Fatalf("%d frames are verified of those who are here, and %d were audited in all", verified, c.counts.Audited)
	}
	for _, run := range c.ring.Picture(nil).Runs {
		if isMember(run.Owner) {
			continue
		}
		_, here := c.peers[run.Owner]
		if run.State == wire.RingLeased && !here {
			w.t.Fatalf("%d frames are lent to connection %d, which is not there", run.Count, run.Owner)
		}
		if _, known := c.culprit(run.Owner); run.State == wire.RingFilled && !known {
			w.t.Fatalf("%d frames are left of connection %d, which is neither there nor was a moment ago", run.Count, run.Owner)
		}
	}
}

// A member is a connection of the world's fleet.
type member struct {
	w      *world
	number uint32
	addr   netip.Addr

	// How it behaves.
	perFrame time.Duration
	rtt      time.Duration
	frozen   bool
	lost     func() bool // whether an answer gets lost; nil for none
	forge    func(n uint64, packed []byte)

	// What happened to it.
	threads  int    // that it was welcomed with
	credit   uint64 // frames that it was told are verified
	leases   int
	revoked  map[uint64]bool
	busy     map[uint8]timeline.Instant
	goodbye  wire.Goodbye
	answered func(wire.Result)
	lent     func(frames int)
}

// join adds a member with so many threads.
func (w *world) join(threads int, change func(*member)) *member {
	w.joined++
	m := &member{
		w: w, number: w.joined, addr: netip.MustParseAddr("192.0.2.1"),
		perFrame: 500 * time.Microsecond, rtt: 5 * time.Millisecond, threads: -1,
		revoked: make(map[uint64]bool), busy: make(map[uint8]timeline.Instant),
	}
	if change != nil {
		change(m)
	}
	w.todo.planned++
	w.core.join(w.now, m.number, m, m.addr, threads)
	w.core.tick(w.now)
	return m
}

func (w *world) leave(m *member) {
	w.core.leave(w.now, m.number)
	w.core.tick(w.now)
}

// Welcome implements Peer.
func (m *member) Welcome(threads int) { m.threads = threads }

// Credit implements Peer.
func (m *member) Credit(verified uint64) { m.credit = verified }

// Dismiss implements Peer.
func (m *member) Dismiss(g wire.Goodbye) { m.goodbye = g }

// Send implements Peer.
func (m *member) Send(message []byte) {
	revoke, err := wire.ParseRevoke(message)
	if err != nil {
		m.w.t.Fatal(err)
	}
	m.revoked[revoke.Lease] = true
}

// Lend implements Peer: it renders what it is lent, one lease after the other in each thread.
func (m *member) Lend(lease wire.Lease) {
	if _, err := wire.ParseLease(lease.Append(nil)); err != nil {
		m.w.t.Fatal(err)
	}
	m.leases++
	if m.lent != nil {
		m.lent(int(lease.Count))
	}
	spent := time.Duration(lease.Count) * m.perFrame
	begin := max(m.w.now.Add(m.rtt/2), m.busy[lease.Thread])
	m.busy[lease.Thread] = begin.Add(spent)
	m.w.after(begin.Add(spent+m.rtt/2).Sub(m.w.now), func() {
		if m.frozen || m.goodbye.Reason != 0 || m.lost != nil && m.lost() {
			return
		}
		result := wire.Result{Lease: lease.Lease, First: lease.First, Spent: uint32(spent.Microseconds())}
		result.Frames = make([]byte, int(lease.Count)*wire.PackedSize)
		for i := range uint64(lease.Count) {
			packed := result.Frames[i*wire.PackedSize:][:wire.PackedSize]
			putTruth(packed, lease.First+i)
			if m.forge != nil {
				m.forge(lease.First+i, packed)
			}
		}
		if m.answered != nil {
			m.answered(result)
		}
		m.send(result)
	})
}

// send sends a result.
func (m *member) send(result wire.Result) {
	m.w.core.result(m.w.now, m.number, result)
	m.w.core.tick(m.w.now)
}

// An agenda is what is to happen, in order.
type agenda struct {
	actions []action
	planned int
}

type action struct {
	at    timeline.Instant
	order int
	do    func()
}

func (a *agenda) Len() int { return len(a.actions) }
func (a *agenda) Less(i, j int) bool {
	x, y := a.actions[i], a.actions[j]
	return x.at < y.at || x.at == y.at && x.order < y.order
}
func (a *agenda) Swap(i, j int) { a.actions[i], a.actions[j] = a.actions[j], a.actions[i] }
func (a *agenda) Push(x any)    { a.actions = append(a.actions, x.(action)) }
func (a *agenda) Pop() any {
	last := a.actions[len(a.actions)-1]
	a.actions = a.actions[:len(a.actions)-1]
	return last
}
