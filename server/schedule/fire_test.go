package schedule

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/tools/seeds"
)

// TestRandomFire does to a scheduler whatever can be done to it, and holds it to its promises.
func TestRandomFire(t *testing.T) {
	for seed := range seeds.Count(t, 6) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			first := fire(t, seed)
			if second := fire(t, seed); first != second {
				t.Error("the second run with this seed is another one")
			}
		})
	}
}

// A gunner knows, by the simplest means, what a scheduler must know.
type gunner struct {
	*stage
	t   *testing.T
	rng *rand.Rand
	log strings.Builder

	conns   map[uint32]int     // threads, by connection
	running map[uint64]Lease   // by number
	missed  map[uint64]Lease   // ran out, and may be answered
	ended   map[uint32][]Lease // by connection, in this order
	joined  uint32
}

func fire(t *testing.T, seed uint64) string {
	st := newStage(t)
	g := &gunner{
		stage: st, t: t, rng: rand.New(rand.NewPCG(seed, 1)),
		conns: make(map[uint32]int), running: make(map[uint64]Lease), missed: make(map[uint64]Lease),
		ended: make(map[uint32][]Lease),
	}
	for range 2000 {
		switch g.rng.IntN(14) {
		case 0:
			if len(g.conns) < 8 {
				g.join()
			}
		case 1:
			if g.rng.IntN(10) == 0 {
				g.leave(g.someConn())
			}
		case 2, 3:
			g.wait()
		case 4, 5:
			g.lend()
		case 6, 7, 8:
			g.answerRunning()
		case 9:
			g.answerAny()
		case 10:
			g.deliver()
		case 11:
			if g.rng.IntN(100) == 0 {
				g.forget()
			}
		case 12:
			g.trust()
		case 13:
			g.offer(g.someConn())
		}
		g.bounds()
	}
	for _, conn := range slices.Sorted(maps.Keys(g.conns)) {
		g.leave(conn)
	}
	if len(g.Scheduler.conns) != 0 || g.Trusted() != 0 || g.Threads() != 0 || g.Conns() != 0 {
		t.Errorf("%d connections and %d threads are left when everybody has gone", len(g.Scheduler.conns), g.Threads())
	}
	if len(g.sky.lent) != 0 {
		t.Errorf("%d frames are lent when everybody has gone", len(g.sky.lent))
	}
	return g.log.String()
}

func (g *gunner) note(format string, args ...any) { fmt.Fprintf(&g.log, format+"\n", args...) }

// one picks one of a map in a way that is the same in each run.
func one[K uint32 | uint64, V any](rng *rand.Rand, m map[K]V) (K, bool) {
	if len(m) == 0 {
		return 0, false
	}
	return slices.Sorted(maps.Keys(m))[rng.IntN(len(m))], true
}

func (g *gunner) someConn() uint32 {
	conn, _ := one(g.rng, g.conns)
	return conn
}

func (g *gunner) join() {
	g.joined++
	g.conns[g.joined] = 1 + g.rng.IntN(4)
	g.Offer(g.joined, g.conns[g.joined])
	g.note("join %d", g.joined)
}

// offer has somebody offer another number of threads, or none.
func (g *gunner) offer(conn uint32) {
	if conn == 0 {
		return
	}
	g.conns[conn] = g.rng.IntN(5)
	freed := g.Offer(conn, g.conns[conn])
	g.note("offer %d of %d: %+v", g.conns[conn], conn, freed)
	for _, l := range freed {
		if int(l.Thread.Index) < g.conns[conn] {
			g.t.Errorf("lease %d of thread %d is taken back, where %d go on", l.ID, l.Thread.Index, g.conns[conn])
		}
		g.end(l)
		g.missed[l.ID] = l
		g.sky.release(l)
	}
	for id, l := range g.running {
		if l.Thread.Conn == conn && int(l.Thread.Index) >= g.conns[conn] {
			g.t.Errorf("lease %d is not freed when its thread is no longer offered", id)
		}
	}
}

// trust trusts somebody, who may be trusted already, and changes what newcomers may be lent.
func (g *gunner) trust() {
	if conn := g.someConn(); g.rng.IntN(4) == 0 {
		g.Trust(conn)
		g.note("trust %d", conn)
	}
	g.sky.alone = g.rng.IntN(40)
	g.sky.beside = g.rng.IntN(g.sky.alone + 1)
}

// end takes a lease out of those that run.
func (g *gunner) end(l Lease) {
	g.t.Helper()
	if g.running[l.ID] != l {
		g.t.Fatalf("%+v has ended, but it did not run\n%s", l, &g.log)
	}
	delete(g.running, l.ID)
	conn := l.Thread.Conn
	g.ended[conn] = append(g.ended[conn], l)
	if len(g.ended[conn]) > remembered {
		g.ended[conn] = g.ended[conn][1:]
	}
}

func (g *gunner) leave(conn uint32) {
	freed := g.Leave(conn)
	g.note("leave %d: %+v", conn, freed)
	for _, l := range freed {
		g.end(l)
		g.sky.release(l)
	}
	for id, l := range g.running {
		if l.Thread.Conn == conn {
			g.t.Errorf("lease %d is not freed when its holder leaves", id)
		}
	}
	maps.DeleteFunc(g.missed, func(_ uint64, l Lease) bool { return l.Thread.Conn == conn })
	delete(g.conns, conn)
	delete(g.ended, conn)
}

// wait lets time pass and takes back what ran out.
func (g *gunner) wait() {
	g.pass(time.Duration(g.rng.ExpFloat64() * float64(150*ms)))
	if g.rng.IntN(200) == 0 {
		g.pass(time.Duration(g.rng.IntN(60)) * time.Second)
	}
	missed, withdrawn := g.Expire(g.now)
	g.note("at %d ran out: %+v, and with them %+v", g.now, missed, withdrawn)
	late := make(map[Thread]bool)
	for _, l := range missed {
		g.end(l)
		g.missed[l.ID] = l
		g.sky.release(l)
		late[l.Thread] = true
	}
	for _, l := range withdrawn {
		if !late[l.Thread] {
			g.t.Errorf("%+v is taken from a thread that missed nothing", l)
		}
		g.end(l)
		g.sky.release(l)
	}
	for th := range g.threads() {
		if th.overdue(g.now) {
			g.t.Errorf("%+v is overdue and yet running", th.queue[0].Lease)
		}
	}
}

// lend lends everything, and compares each lease with what a patient search finds.
func (g *gunner) lend() {
	for {
		want, found := g.search()
		before := make(map[Thread]int)
		for th := range g.threads() {
			before[th.id] = th.window(th.chunk(g.share(g.sky.size)))
			if th.silent(g.now) {
				before[th.id] = max(before[th.id], len(th.queue)+1)
			}
		}
		l, ok := g.next() // which fails the test when one of the frames is lent already
		if got := (Lease{Thread: l.Thread, First: l.First, Count: l.Count, Probation: l.Probation}); ok != found || got != want {
			g.t.Fatalf("lent %+v, %v; want %+v, %v", got, ok, want, found)
		}
		g.note("lent %+v", l)
		if !ok {
			return
		}
		if _, twice := g.running[l.ID]; twice || l.Count < 1 || l.Count > 120 || l.Within < 100*ms || l.Within > 5*time.Second {
			g.t.Errorf("lent %+v", l)
		}
		g.running[l.ID] = l
		held := 0
		for _, other := range g.running {
			if other.Thread == l.Thread {
				held++
			}
		}
		if held > before[l.Thread] {
			g.t.Errorf("thread %v holds %d leases, it may hold %d", l.Thread, held, before[l.Thread])
		}
	}
}

// search is Next without its shortcuts: it asks for every thread, and changes nothing.
func (g *gunner) search() (Lease, bool) {
	l, ok := g.searchFrom(g.fresh)
	for th := range g.threads() {
		if th.proven() {
			return l, ok
		}
	}
	if !ok {
		return g.searchFrom(0)
	}
	return l, ok
}

// searchFrom lends what is before fresh to threads that are proven alone.
func (g *gunner) searchFrom(fresh uint64) (Lease, bool) {
	l, ok := Lease{}, false
	for _, kind := range []occupation{answering, idle} {
		if !ok {
			l, ok = g.searchAmong(g.newcomers.ordered(), kind, g.sky.beside, fresh)
		}
	}
	room := false
	for _, th := range g.trusted.ordered() {
		room = room || g.now >= th.restUntil && g.mayHold(th, g.now, g.sky.size)
	}
	for _, kind := range []occupation{idle, busy} {
		if !ok {
			l, ok = g.searchAmong(g.trusted.ordered(), kind, 120, fresh)
		}
	}
	for _, kind := range []occupation{answering, idle, busy} {
		if !ok && !room {
			l, ok = g.searchAmong(g.newcomers.ordered(), kind, g.sky.alone, fresh)
		}
	}
	return l, ok
}

func (g *gunner) searchAmong(threads []*thread, kind occupation, most int, fresh uint64) (Lease, bool) {
	if most < 1 {
		return Lease{}, false
	}
	share := max(MinChunk, min(most, g.share(g.sky.size)))
	for _, th := range threads {
		stranger := *th
		stranger.refresh(g.now)
		if g.now < th.restUntil || !g.mayHold(th, g.now, g.sky.size) || kind == busy != (len(th.queue) > 0) {
			continue
		}
		if kind == answering && !stranger.proven() {
			continue
		}
		limit := stranger.chunk(share)
		from := g.sky.Due(stranger.delivery(g.now, limit))
		if !stranger.proven() {
			from = max(from, fresh)
		}
		first, count := g.sky.FreeRun(from, limit)
		if count > 0 && !g.early(g.now, g.sky, first, count, share) {
			return Lease{Thread: th.id, First: first, Count: count, Probation: !g.Scheduler.conns[th.id.Conn].trusted}, true
		}
	}
	return Lease{}, false
}

// spent is what a thread says about a lease: mostly the truth.
func (g *gunner) spent(l Lease) time.Duration {
	switch g.rng.IntN(8) {
	case 0:
		return 0
	case 1:
		return time.Duration(1<<32-1) * time.Microsecond
	default:
		return time.Duration(l.Count) * time.Duration(1+int(l.Thread.Conn)%20) * ms
	}
}

// answerRunning answers a lease, mostly the one that its thread is at.
func (g *gunner) answerRunning() {
	id, ok := one(g.rng, g.running)
	if !ok {
		return
	}
	l := g.running[id]
	var before []Lease // what the thread got earlier
	for _, other := range slices.Sorted(maps.Keys(g.running)) {
		if o := g.running[other]; o.Thread == l.Thread && other < id {
			before = append(before, o)
		}
	}
	if len(before) > 0 && g.rng.IntN(5) > 0 {
		l, before = before[0], nil
	}
	got, outcome, skipped := g.Answer(g.now, l.Thread.Conn, l.ID, g.spent(l))
	g.note("answered %+v, skipped %+v", got, skipped)
	if got != l || outcome != OnTime || !slices.Equal(skipped, before) {
		g.t.Fatalf("the answer to %+v is to %+v, %v, and frees %+v; want %+v", l, got, outcome, skipped, before)
	}
	for _, s := range append(skipped, l) {
		g.end(s)
		g.sky.release(s)
	}
	maps.DeleteFunc(g.missed, func(_ uint64, m Lease) bool { return m.Thread == l.Thread })
	g.sky.fill(l)
	g.lose(l.First, l.Count)
}

// answerAny answers whatever lease there was, or was not, by whomever.
func (g *gunner) answerAny() {
	conn := g.rng.Uint32N(g.joined + 2)
	id := g.rng.Uint64N(g.lastID + 2)
	if ended := g.ended[conn]; len(ended) > 0 && g.rng.IntN(2) == 0 {
		id = ended[len(ended)-1-g.rng.IntN(min(len(ended), 10))].ID
	}
	if l, running := g.running[id]; running && l.Thread.Conn == conn {
		return // that is the business of answerRunning
	}
	want, outcome := Lease{}, Unknown
	for _, l := range g.ended[conn] {
		if l.ID == id {
			want, outcome = l, Late
		}
	}
	got, gotOutcome, skipped := g.Answer(g.now, conn, id, g.spent(want))
	g.note("answer by %d to %d: %v", conn, id, gotOutcome)
	if got != want || gotOutcome != outcome || skipped != nil {
		g.t.Fatalf("the answer by %d to %d is to %+v, %v, and frees %+v; want %+v, %v", conn, id, got, gotOutcome, skipped, want, outcome)
	}
	if outcome == Late {
		if _, owed := g.missed[id]; owed { // and so are those before it lost
			maps.DeleteFunc(g.missed, func(m uint64, l Lease) bool { return l.Thread == want.Thread && m <= id })
		}
		g.sky.fill(want)
		g.lose(want.First, want.Count)
	}
}

// deliver delivers frames that the server rendered.
func (g *gunner) deliver() {
	first, count := g.sky.begin+g.rng.Uint64N(100), 1+g.rng.IntN(40)
	g.sky.fill(Lease{First: first, Count: count})
	g.lose(first, count)
}

// lose notes that frames were delivered, and looks at who may stop.
func (g *gunner) lose(first uint64, count int) {
	lost := g.Delivered(g.now, first, count)
	g.note("delivered %d from %d on: lost %+v", count, first, lost)
	for _, l := range lost {
		switch {
		case g.running[l.ID] == l:
			g.end(l)
			g.sky.release(l)
		case g.missed[l.ID] != l:
			g.t.Errorf("%+v is to be stopped, but it is not owed any more, or was stopped before", l)
		}
		delete(g.missed, l.ID)
		for n := max(l.First, g.sky.begin); n < l.First+uint64(l.Count); n++ {
			if !g.sky.done[n] {
				g.t.Errorf("%+v is to be stopped, but frame %d is not there", l, n)
			}
		}
	}
}

func (g *gunner) forget() {
	freed := g.Forget()
	g.note("forgotten: %+v", freed)
	for _, l := range freed {
		g.end(l)
		g.sky.release(l)
	}
	if len(g.running) != 0 {
		g.t.Errorf("%d leases are left when all are forgotten", len(g.running))
	}
	clear(g.missed)
}

// bounds checks that nothing grows without an end, and that what is kept twice agrees.
func (g *gunner) bounds() {
	g.t.Helper()
	running, threads, working := 0, 0, 0
	for id, c := range g.Scheduler.conns {
		threads += c.offered
		for _, away := range c.threads[c.offered:] {
			if len(away.queue) > 0 {
				g.t.Fatalf("thread %v is not offered, and holds %+v", away.id, away.queue)
			}
		}
		if c.offered != g.conns[id] {
			g.t.Fatalf("%d of %d's threads take part, want %d", c.offered, id, g.conns[id])
		}
		working += min(c.offered, 1)
		if len(c.ended) != len(g.ended[id]) {
			g.t.Fatalf("%d ended leases of %d are known, want %d", len(c.ended), id, len(g.ended[id]))
		}
		for _, th := range c.threads {
			running += len(th.queue)
			if len(th.owed) > maxOwed {
				g.t.Fatalf("%d leases are owed by %v", len(th.owed), th.id)
			}
			if th.perFrame < 0 || th.overhead < 0 || th.variance < 0 || th.misses < 0 || th.restUntil.Sub(g.now) > maxRest {
				g.t.Fatalf("thread %v takes %v a frame, %v ± %v beyond, with %d misses, and rests for %v", th.id,
					th.perFrame, th.overhead, th.variance, th.misses, th.restUntil.Sub(g.now))
			}
			for i, l := range th.queue {
				if g.running[l.ID] != l.Lease || i > 0 && th.queue[i-1].ID >= l.ID {
					g.t.Fatalf("thread %v holds %+v", th.id, l.Lease)
				}
			}
		}
	}
	g.seats()
	if working != g.Conns() {
		g.t.Fatalf("%d connections take part, want %d", g.Conns(), working)
	}
	if running != len(g.running) || threads != g.Threads() || len(g.conns) != len(g.Scheduler.conns) {
		g.t.Fatalf("%d leases run on %d threads of %d connections, want %d on %d of %d", running, g.Threads(),
			len(g.Scheduler.conns), len(g.running), threads, len(g.conns))
	}
}

// seats checks that whoever holds or owes something is engaged, in its own seat, and stands in the list it belongs in.
func (g *gunner) seats() {
	g.t.Helper()
	for i, th := range g.Scheduler.engaged {
		if th.seat != i+1 || g.Scheduler.conns[th.id.Conn] == nil {
			g.t.Fatalf("thread %v sits in seat %d and thinks it is %d", th.id, i+1, th.seat)
		}
	}
	for _, l := range []*line{&g.trusted, &g.newcomers} {
		size := 0
		for th := range l.all() {
			size++
			if th.seat == 0 && (len(th.queue) > 0 || th.owes()) {
				g.t.Fatalf("thread %v is not engaged, but holds %d leases and owes %d", th.id, len(th.queue), len(th.owed))
			}
			if untouched := th.perFrame == 0 && th.misses == 0 && th.seat == 0; !th.place.lent && !untouched {
				g.t.Fatalf("thread %v stands among those that were never lent anything", th.id)
			}
			if next := th.place.next; next != nil && (next.place.turn <= th.place.turn || next.place.prev != th) {
				g.t.Fatalf("thread %v stands before %v, out of turn", th.id, next.id)
			}
		}
		if size != l.size {
			g.t.Fatalf("%d threads stand in a line of %d", size, l.size)
		}
	}
}
