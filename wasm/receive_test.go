package main

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/handle"
	"github.com/distributed-donut/donut/wasm/wire"
)

var someStats = wire.Stats{
	Viewers: 1, Workers: 2, Threads: 3, LeadMillis: 4, Aired: 5, Unaudited: 6, Fleet: 7, Server: 8, Stalled: 9, Audited: 10,
	Forged: 11, Evictions: 12, Hedged: 13, Wasted: 14, StreamSize: math.MaxUint64,
	Foreign: 16, Servers: 17, AllViewers: 18, AllWorkers: 19, AllThreads: 20,
}

const someStatsJSON = `{"viewers":1,"workers":2,"threads":3,"leadMillis":4,"aired":5,"unaudited":6,"fleet":7,"server":8,` +
	`"stalled":9,"audited":10,"forged":11,"evictions":12,"hedged":13,"wasted":14,"streamSize":18446744073709551615,` +
	`"foreign":16,"servers":17,"allViewers":18,"allWorkers":19,"allThreads":20}`

func handleOf(number uint32) string { return string(handle.Append(nil, number)) }

// TestReceive holds what the page reads: exactly these members.
func TestReceive(t *testing.T) {
	blank := new(codec.Encoder).Append(nil, 300, make([]*donut.Picture, 2), true)
	for _, c := range []struct {
		message interface{ Append([]byte) []byte }
		want    string
	}{
		{wire.Welcome{Detail: 1, Threads: 2, You: 3, Generation: 4, Now: 5, Epoch: -6, Lead: 7, Digest: wire.Digest{0xab, 31: 0x01}},
			`{"kind":"welcome","detail":1,"threads":2,"you":3,"handle":"` + handleOf(3) +
				`","generation":4,"now":5,"epoch":-6,"lead":7,"digest":"ab` +
				strings.Repeat("00", 30) + `01"}`},
		{wire.Reply{Sent: 1, Received: math.MinInt64, Replied: 3, Generation: 4, Verified: math.MaxUint64},
			`{"kind":"reply","sent":1,"received":-9223372036854775808,"replied":3,"generation":4,` +
				`"verified":18446744073709551615}`},
		{wire.Lease{Lease: 1, Thread: 2, Detail: 3, First: 4, Count: 5, Within: 6},
			`{"kind":"lease","lease":1,"thread":2,"detail":3,"first":4,"count":5,"within":6}`},
		{wire.Revoke{Lease: math.MaxUint64}, `{"kind":"revoke","lease":18446744073709551615}`},
		{wire.Goodbye{Reason: wire.ReasonOutdated, Retry: 1500}, `{"kind":"goodbye","reason":"outdated","retry":1500}`},
		{wire.Broadcast{Generation: 9, Stats: someStats, Ring: wire.Ring{First: 8}, Stream: blank},
			`{"kind":"broadcast","generation":9,"number":1,"first":300,"count":2,"size":SIZE,"stats":` + someStatsJSON +
				`,"ring":{"first":8,"runs":[]},"board":[]}`},
		{wire.Broadcast{Stats: someStats, Stream: blank, Ring: wire.Ring{Runs: []wire.RingRun{
			{State: wire.RingAired, Count: 60}, {State: wire.RingLeased, Owner: math.MaxUint32, Count: 1}}},
			Board: []wire.Contributor{{Owner: math.MaxUint32, Verified: 90}, {Owner: 7, Verified: 80}}},
			`{"kind":"broadcast","generation":0,"number":1,"first":300,"count":2,"size":SIZE,"stats":` + someStatsJSON +
				`,"ring":{"first":0,"runs":[[4,0,60],[1,4294967295,1]]}` +
				`,"board":[{"owner":4294967295,"handle":"` + handleOf(math.MaxUint32) + `","verified":90}` +
				`,{"owner":7,"handle":"` + handleOf(7) + `","verified":80}]}`},
	} {
		instantiate()
		b := c.message.Append(nil)
		size, err := json.Marshal(len(b))
		if err != nil {
			t.Fatal(err)
		}
		got := answer(t, Receive(pass(b)))
		if !json.Valid(got) {
			t.Errorf("%T answers invalid JSON %s", c.message, got)
		}
		if want := strings.Replace(c.want, "SIZE", string(size), 1); string(got) != want {
			t.Errorf("%T answers\n%s, want\n%s", c.message, got, want)
		}
	}
}

func TestReceiveFrames(t *testing.T) {
	instantiate()
	// What the longest message leaves behind must not shine through the holes of the next.
	var e codec.Encoder
	r := donut.NewRenderer(1)
	frames := make([]*donut.Picture, codec.MaxFrames)
	first := uint64(0)
	for _, hole := range []func(int) bool{
		func(int) bool { return false },
		func(i int) bool { return i%3 == 1 || i == codec.MaxFrames-1 },
		func(int) bool { return true },
	} {
		want := make([]byte, 0, len(texts))
		for i := range frames {
			if hole(i) {
				frames[i] = nil
				want = append(want, make([]byte, donut.TextSize)...)
				continue
			}
			frames[i] = new(donut.Picture)
			r.Render(frames[i], first+uint64(i))
			want = frames[i].AppendText(want)
		}
		m := wire.Broadcast{Stream: e.Append(nil, first, frames, first == 0)}
		answer(t, Receive(pass(m.Append(nil))))
		if got := unsafe.Slice((*byte)(Frames()), len(want)); !bytes.Equal(got, want) {
			t.Errorf("the texts of frames %d on are wrong from byte %d on", first, mismatch(got, want))
		}
		first += codec.MaxFrames
	}
}

func mismatch(a, b []byte) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return len(a)
}

func TestReceiveLongestRing(t *testing.T) {
	instantiate()
	m := wire.Broadcast{Generation: math.MaxUint32, Stream: new(codec.Encoder).Append(nil, 0, make([]*donut.Picture, 1), true)}
	for i := range wire.MaxRingRuns {
		m.Ring.Runs = append(m.Ring.Runs, wire.RingRun{
			State: wire.RingState(i % 6), Owner: math.MaxUint32, Count: math.MaxUint64 / wire.MaxRingRuns,
		})
	}
	var got struct {
		Ring struct{ Runs [][3]uint64 }
	}
	if err := json.Unmarshal(answer(t, Receive(pass(m.Append(nil)))), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Ring.Runs) != wire.MaxRingRuns {
		t.Fatalf("%d runs came through, want %d", len(got.Ring.Runs), wire.MaxRingRuns)
	}
	for i, run := range m.Ring.Runs {
		if want := [3]uint64{uint64(run.State), uint64(run.Owner), run.Count}; got.Ring.Runs[i] != want {
			t.Fatalf("run %d is %v, want %v", i, got.Ring.Runs[i], want)
		}
	}
}

func TestReceiveRefuses(t *testing.T) {
	instantiate()
	var e codec.Encoder
	for n := range uint64(3) {
		receiveBlank(t, &e, n)
	}
	blank := make([]*donut.Picture, 1)
	third := wire.Broadcast{Stream: e.Append(nil, 3, blank, false)}.Append(nil)
	fourth := wire.Broadcast{Stream: e.Append(nil, 4, blank, false)}.Append(nil)
	for _, c := range []struct {
		name    string
		message []byte
		want    string
	}{
		{"nothing", nil, "kind 0x0"},
		{"an unknown kind", []byte{0xff}, "kind 0xff"},
		{"a tab's own message", wire.Probe{}.Append(nil), "kind: got probe, want one that servers send"},
		{"a short welcome", []byte{0x81, wire.Version}, "welcome: detail: got 0 bytes, want 1"},
		{"a lease at detail 0", wire.Lease{Count: 1}.Append(nil), "lease: detail: got 0, want 1..32"},
		{"a broadcast out of turn", fourth, "not the next message of the stream: number: got 5, want 4"},
		{"a broadcast cut short", third[:len(third)-1], "codec: malformed message"},
		{"the next one, now without its key", third, "got 4, want a key first"},
	} {
		t.Run(c.name, func(t *testing.T) { wantRefusal(t, Receive(pass(c.message)), c.want) })
	}
	var again codec.Encoder
	receiveBlank(t, &again, 0)
}

func TestOutOfBoundsSizesTrap(t *testing.T) {
	for name, call := range map[string]func(int32) int32{"Receive": Receive, "Begin": Begin} {
		for _, size := range []int32{-1, InputSize() + 1, math.MinInt32} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s(%d) returned, want a trap", name, size)
					}
				}()
				call(size)
			}()
		}
	}
}
