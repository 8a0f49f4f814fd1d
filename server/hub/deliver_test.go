package hub

import (
	"bytes"
	"io"
	"net"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// assembly returns a hub with so many viewers whose writers never come, at the instant 0.
func assembly(viewers int) (h *Hub, all []*conn) {
	start := time.Now()
	h = New(Config{Clock: timeline.NewClock(start, func() timeline.Reading {
		return timeline.Reading{Monotonic: time.Since(start), Wall: time.Now()}
	})})
	for i := range viewers {
		c := &conn{hub: h, number: uint32(i + 1), writing: true}
		h.audience.add(c)
		all = append(all, c)
	}
	return h, all
}

// served returns how many viewers have so many messages.
func served(viewers []*conn, messages int) (n int) {
	for _, c := range viewers {
		c.mu.Lock()
		if len(c.pending) == messages {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

// message is a header of the stream's message with that number, whose first frame is on screen then.
func message(number uint64, on time.Duration) codec.Header {
	return codec.Header{Key: number == 1, Number: number, First: timeline.Instant(on / time.Microsecond).Frame(), Count: 60}
}

func TestBigAudienceIsServedOverASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const viewers = 10 * parts
		h, all := assembly(viewers)
		h.Broadcast([]byte{1}, message(1, 2500*time.Millisecond))
		for i := range parts {
			synctest.Wait()
			if got, want := served(all, 1), viewers*(i+1)/parts; got != want {
				t.Fatalf("%d viewers are served after %v, want %d", got, time.Duration(i)*partPeriod, want)
			}
			<-time.After(partPeriod)
		}
		synctest.Wait()
		if h.audience.serving {
			t.Error("nobody waits, but somebody serves")
		}
	})
}

func TestMessageThatComesWhileAnotherIsServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const viewers = 10 * parts
		h, all := assembly(viewers)
		h.Broadcast([]byte{1}, message(1, 2500*time.Millisecond))
		<-time.After(partPeriod*parts/2 - partPeriod/2)
		h.Broadcast([]byte{2}, message(2, 3500*time.Millisecond))
		<-time.After(time.Second)
		synctest.Wait()
		if got := served(all, 2); got != viewers {
			t.Errorf("%d of %d viewers have both messages a second after the second one", got, viewers)
		}
		for _, c := range all {
			if got := c.waits(); !bytes.Equal(got, []byte{1, 2}) {
				t.Fatalf("somebody is sent messages %v, want 1 and 2", got)
			}
		}
	})
}

func TestWhatIsUrgentIsServedAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		viewers int
		on      time.Duration
	}{
		"a few viewers":         {intimate, 2500 * time.Millisecond},
		"frames that show soon": {10 * parts, leisure - time.Second/60},
		"frames that have been": {10 * parts, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, all := assembly(c.viewers)
				h.Broadcast([]byte{1}, message(1, c.on))
				synctest.Wait()
				if got := served(all, 1); got != c.viewers {
					t.Errorf("%d of %d viewers are served at once", got, c.viewers)
				}
			})
		})
	}
}

// TestWhatFollowsHoldsUpNothingUrgent has a stream that starts: what airs next has time, and goes along.
func TestWhatFollowsHoldsUpNothingUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const viewers = 10 * parts
		h, all := assembly(viewers)
		h.Broadcast([]byte{1}, message(1, leisure-time.Second))
		h.Broadcast([]byte{2}, message(2, leisure))
		synctest.Wait()
		if got := served(all, 2); got != viewers {
			t.Errorf("%d of %d viewers are served at once", got, viewers)
		}
		h.Broadcast([]byte{3}, message(3, leisure+time.Second))
		synctest.Wait()
		if got := served(all, 3); got == viewers {
			t.Error("what airs long afterwards is served at once as well")
		}
		<-time.After(2 * time.Second)
	})
}

func TestAudience(t *testing.T) {
	var a audience
	c := &conn{number: parts + 3}
	for _, add := range []bool{true, true, false, false} {
		if add {
			a.add(c)
		} else {
			a.remove(c)
		}
		if want := map[bool]int{true: 1}[add]; a.has(c) != add || a.size != want {
			t.Errorf("after %v: has %v, size %d", add, a.has(c), a.size)
		}
	}
}

// TestTryLeavesTheRest writes more than the kernel takes at once, to somebody who does not read yet.
func TestTryLeavesTheRest(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	reader, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	accepted, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	o, err := newOutlet(accepted, DefaultSendBuffer)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	sent := bytes.Repeat([]byte("a message that is long"), 1<<15)
	n, ok := o.try(sent, false)
	if !ok {
		t.Skip("nothing is ever written at once on this system")
	}
	if n == len(sent) {
		t.Fatalf("the kernel took %d bytes at once", n)
	}
	if n, ok := o.try([]byte("in between"), false); ok {
		t.Fatalf("%d bytes were written amid a message", n)
	}
	finished := make(chan error, 1)
	go func() { finished <- o.finish(sent[n:]) }()
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(reader, got); err != nil {
		t.Fatal(err)
	}
	if err := <-finished; err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, sent) {
		t.Error("what was read is not what was sent")
	}
	if n, ok := o.try([]byte("after it"), false); !ok || n != 8 {
		t.Errorf("tried to write 8 bytes after it: %d, %v", n, ok)
	}
}

// TestLaterProbesOfViewersAreAnsweredWithTheStream probes as tabs do when they come, and later.
func TestLaterProbesOfViewersAreAnsweredWithTheStream(t *testing.T) {
	for name, threads := range map[string]uint8{"a viewer": 0, "a worker": 1} {
		t.Run(name, func(t *testing.T) {
			h, d, m, url := setUp(t, nil)
			s := &stream{hub: h, machine: m, size: 100, frames: 60}
			tab := upgrade(t, url, 0)
			write := func(payload []byte) {
				t.Helper()
				if _, err := tab.Write(frame(binaryFrame, payload)); err != nil {
					t.Fatal(err)
				}
			}
			next := func(want wire.Kind) []byte {
				t.Helper()
				_, message, err := tab.read()
				if err != nil || wire.KindOf(message) != want {
					t.Fatalf("got %v, %v; want %v", wire.KindOf(message), err, want)
				}
				return message
			}
			s.next()
			write(hello(threads))
			<-d.joined
			next(wire.KindWelcome)
			next(wire.KindBroadcast)
			for range 20 {
				write(wire.Probe{}.Append(nil))
				next(wire.KindReply)
			}
			m.set(m.get() + settling) // the first answer later than that waits
			write(wire.Probe{}.Append(nil))
			next(wire.KindReply)
			m.set(m.get() + time.Microsecond)

			asked, _ := h.cfg.Clock.Now()
			write(wire.Probe{Sent: 42}.Append(nil))
			if threads == 0 {
				await(t, func() bool { return h.owes() == 1 })
				s.next()
			}
			reply, err := wire.ParseReply(next(wire.KindReply))
			if err != nil {
				t.Fatal(err)
			}
			answered, _ := h.cfg.Clock.Now()
			if reply.Sent != 42 || reply.Received != int64(asked) || reply.Replied != int64(answered) {
				t.Errorf("got %+v, want the answer to 42 from %d on at %d", reply, asked, answered)
			}
			if threads == 0 {
				next(wire.KindBroadcast)
				s.next()
				next(wire.KindBroadcast)        // and no second reply
				write(wire.Probe{}.Append(nil)) // waits
				write(wire.Probe{}.Append(nil)) // two are not kept waiting
				next(wire.KindReply)
			}
		})
	}
}

// owes returns how many replies wait for the stream.
func (h *Hub) owes() (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		c.mu.Lock()
		if c.owed != nil {
			n++
		}
		c.mu.Unlock()
	}
	return n
}

// TestWhoLacksTooMuchAtOnceIsSentTheOpenGroup delivers more messages at once than may wait: somebody has to write them.
func TestWhoLacksTooMuchAtOnceIsSentTheOpenGroup(t *testing.T) {
	h, d, _, url := setUp(t, nil)
	tab := upgrade(t, url, 0)
	if _, err := tab.Write(frame(binaryFrame, hello(0))); err != nil {
		t.Fatal(err)
	}
	<-d.joined
	_, _, err := tab.read() // the welcome
	if err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return !h.writes() })
	h.mu.Lock() // so that nothing is delivered before all are there
	for number := range uint64(6) {
		header := codec.Header{Key: number == 0, Number: number + 1, First: 600 + 60*number, Count: 60}
		h.backlog = append(h.backlog, aired{framed([]byte{byte(wire.KindBroadcast), byte(number + 1)}), header})
	}
	h.audience.begin()
	h.mu.Unlock()
	h.serve()
	for number := byte(1); number <= 6; number++ {
		if _, message, err := tab.read(); err != nil || message[1] != number {
			t.Fatalf("got %v, %v; want message %d", message, err, number)
		}
	}
	if got := h.Stats().Replayed.Load(); got != 1 {
		t.Errorf("%d replays are counted, want 1", got)
	}
}

// writes reports whether anybody's writer is at work.
func (h *Hub) writes() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		c.mu.Lock()
		writing := c.writing
		c.mu.Unlock()
		if writing {
			return true
		}
	}
	return false
}

// TestServedTellsWhenTheLastPartHasAMessage has two messages overlap, and two begin at once.
func TestServedTellsWhenTheLastPartHasAMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const whole = (parts - 1) * partPeriod // there is no pause after the last one
		h, all := assembly(10 * parts)
		var served []time.Duration
		h.cfg.Served = func(took time.Duration) { served = append(served, took) }
		h.Broadcast([]byte{1}, message(1, 2500*time.Millisecond))
		synctest.Wait()
		<-time.After(whole/2 + partPeriod/4)
		h.Broadcast([]byte{2}, message(2, 3500*time.Millisecond))
		h.Broadcast([]byte{3}, message(3, 4500*time.Millisecond))
		<-time.After(2 * time.Second)
		synctest.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		if len(served) != 3 || served[0] != whole || served[1] != served[2] {
			t.Fatalf("messages took %v, want the first one %v, and the two others as long as each other", served, whole)
		}
		if last := served[2]; last > whole+partPeriod || last < whole {
			t.Errorf("a message that came between two parts took %v, want at most a pause more than %v", last, whole)
		}
		for _, c := range all {
			h.audience.remove(c)
		}
	})
}

func TestServedIsNotToldOfAnEmptyAudience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := assembly(0)
		h.cfg.Served = func(took time.Duration) { t.Errorf("told that serving nobody took %v", took) }
		h.Broadcast([]byte{1}, message(1, 2500*time.Millisecond))
		synctest.Wait()
		if h.audience.serving {
			t.Error("nobody waits, but somebody serves")
		}
	})
}
