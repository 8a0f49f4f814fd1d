package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"unsafe"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/digest"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// instantiate puts the package's variables where a new instance has them.
func instantiate() {
	hash, named, stream = digest.New(), [digest.Size]byte{}, codec.Decoder{}
	renderer, detail, task = nil, 0, work{}
	clear(in[:])
	clear(out[:])
	clear(texts[:])
}

// pass writes a message where a host does and returns its size.
func pass(b []byte) int32 {
	return int32(copy(unsafe.Slice((*byte)(Input()), InputSize()), b))
}

// answer returns what a call that returned n answered.
func answer(t testing.TB, n int32) []byte {
	t.Helper()
	if n < 0 {
		t.Fatalf("refused: %s", unsafe.Slice((*byte)(Output()), -n))
	}
	return unsafe.Slice((*byte)(Output()), n)
}

// wantRefusal checks that a call that returned n refused, and that its text says want.
func wantRefusal(t testing.TB, n int32, want string) {
	t.Helper()
	if n >= 0 {
		t.Fatalf("call answers %d bytes, want a refusal that says %q", n, want)
	}
	if text := string(unsafe.Slice((*byte)(Output()), -n)); !strings.Contains(text, want) {
		t.Errorf("refusal is %q, want one that says %q", text, want)
	}
}

// packed renders frames natively, apart from the exports.
func packed(detail int, first uint64, count int) []byte {
	r := donut.NewRenderer(detail)
	b := make([]byte, count*wire.PackedSize)
	for i := range count {
		var p donut.Picture
		r.Render(&p, first+uint64(i))
		wire.Pack(b[i*wire.PackedSize:], &p)
	}
	return b
}

func begin(t testing.TB, lease wire.Lease) {
	t.Helper()
	if n := Begin(pass(lease.Append(nil))); n != int32(lease.Count) {
		t.Fatalf("Begin answers %d, want %d frames", n, lease.Count)
	}
}

func TestConstants(t *testing.T) {
	instantiate()
	var got map[string]any
	if err := json.Unmarshal(answer(t, Constants()), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"fps": 60, "columns": 80, "rows": 22, "textSize": 1760, "packedSize": 869,
		"maxThreads": wire.MaxThreads, "maxDetail": donut.MaxDetail, "wireVersion": wire.Version, "codecVersion": codec.Version,
		"firstMember": float64(wire.FirstMember),
		"ringStates":  []string{"free", "leased", "filled", "ready", "aired", "stalled"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("constants are %v, want %v", got, want)
	}
}

func TestOffer(t *testing.T) {
	instantiate()
	got, err := wire.ParseOffer(bytes.Clone(out[:Offer(3)]))
	if err != nil || got.Threads != 3 {
		t.Errorf("offer is %+v, %v, want 3 threads", got, err)
	}
}

func TestHello(t *testing.T) {
	instantiate()
	module := bytes.Repeat([]byte("a module "), 50_000)
	for rest := module; len(rest) > 0; {
		n := pass(rest)
		Hash(n)
		rest = rest[n:]
	}
	for _, threads := range []uint8{0, 3, wire.MaxThreads} {
		got, err := wire.ParseHello(answer(t, Hello(int32(threads))))
		want := wire.Hello{Threads: threads, Codec: codec.Version, Digest: sha256.Sum256(module)}
		if err != nil || got != want {
			t.Errorf("hello is %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestName(t *testing.T) {
	instantiate()
	Hash(pass([]byte("what is hashed counts only where the host has computed nothing")))
	name := sha256.Sum256([]byte("the module"))
	if got := Name(pass(name[:])); got != 0 {
		t.Fatalf("name answers %d, want 0", got)
	}
	if got, err := wire.ParseHello(answer(t, Hello(1))); err != nil || got.Digest != name {
		t.Errorf("hello is %+v, %v, want the digest %x", got, err, name)
	}
	for _, size := range []int32{-1, 0, 31, 33} {
		if got := Name(size); got >= 0 || !strings.Contains(string(out[:-got]), "want 32") {
			t.Errorf("name of %d bytes answers %d, want a refusal", size, got)
		}
	}
}

func TestProbe(t *testing.T) {
	instantiate()
	probe := func(took float64) wire.Probe {
		t.Helper()
		p, err := wire.ParseProbe(answer(t, Probe(1.7e15+0.5, took)))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got, want := probe(0), (wire.Probe{Sent: 1.7e15}); got != want {
		t.Errorf("first probe is %+v, want %+v", got, want)
	}
	var e codec.Encoder
	for number := range uint64(3) {
		receiveBlank(t, &e, number)
	}
	for took, told := range map[float64]uint32{-1: 0, 1.5: 1, 42_000: 42_000, 1e12: wire.MaxRoundTrip} {
		if got, want := probe(took), (wire.Probe{Sent: 1.7e15, Ack: 3, Took: told}); got != want {
			t.Errorf("probe after 3 broadcasts and a round trip of %v us is %+v, want %+v", took, got, want)
		}
	}
}

// receiveBlank passes the broadcast of frame n, blank, on to Receive.
func receiveBlank(t testing.TB, e *codec.Encoder, n uint64) {
	t.Helper()
	m := wire.Broadcast{Stream: e.Append(nil, n, make([]*donut.Picture, 1), n == 0)}
	answer(t, Receive(pass(m.Append(nil))))
}

func TestLease(t *testing.T) {
	for _, c := range []struct {
		name   string
		lease  wire.Lease
		slices []int32
	}{
		{"at once", wire.Lease{Lease: 1, Detail: 1, First: 150, Count: 5}, []int32{5}},
		{"in slices", wire.Lease{Lease: 1 << 60, Detail: 2, First: 1_000_000, Count: 7}, []int32{1, 2, 0, 4}},
		{"more than there is", wire.Lease{Lease: 7, Detail: 1, First: 0, Count: 3}, []int32{2, math.MaxInt32}},
		{"less than nothing", wire.Lease{Lease: 7, Detail: 1, First: 0, Count: 1}, []int32{-1, 1}},
		{"the longest", wire.Lease{Lease: 8, Detail: 1, First: 1 << 40, Count: wire.MaxChunk}, []int32{100, 20}},
	} {
		t.Run(c.name, func(t *testing.T) {
			instantiate()
			begin(t, c.lease)
			left := int32(c.lease.Count)
			for _, n := range c.slices {
				wantRefusal(t, Result(0), fmt.Sprintf("%d of %d frames left", left, c.lease.Count))
				left -= max(0, min(n, left))
				if got := Work(n); got != left {
					t.Fatalf("Work(%d) leaves %d frames, want %d", n, got, left)
				}
			}
			for range 2 { // asking again changes nothing
				wantResult(t, c.lease, 1234.9, 1234)
			}
			if got := Work(1); got != 0 {
				t.Errorf("Work after the end leaves %d frames, want 0", got)
			}
		})
	}
}

func wantResult(t *testing.T, lease wire.Lease, spent float64, wantSpent uint32) {
	t.Helper()
	got, err := wire.ParseResult(answer(t, Result(spent)))
	if err != nil {
		t.Fatal(err)
	}
	if got.Lease != lease.Lease || got.First != lease.First || got.Spent != wantSpent || got.Count() != int(lease.Count) {
		t.Fatalf("result of lease %d is %d frames from %d on in %d us, want lease %d, %d frames from %d on in %d us",
			got.Lease, got.Count(), got.First, got.Spent, lease.Lease, lease.Count, lease.First, wantSpent)
	}
	if !bytes.Equal(got.Frames, packed(int(lease.Detail), lease.First, int(lease.Count))) {
		t.Errorf("frames of lease %d are not what the package donut renders", lease.Lease)
	}
}

func TestResultSpent(t *testing.T) {
	instantiate()
	lease := wire.Lease{Lease: 1, Detail: 1, Count: 1}
	begin(t, lease)
	Work(1)
	for _, c := range []struct {
		spent float64
		want  uint32
	}{{-1, 0}, {0, 0}, {1 << 40, math.MaxUint32}, {math.Inf(1), math.MaxUint32}, {math.Inf(-1), 0}} {
		wantResult(t, lease, c.spent, c.want)
	}
}

func TestResultBeforeLease(t *testing.T) {
	instantiate()
	wantRefusal(t, Result(0), "0 of 0 frames left")
	if left := Work(5); left != 0 {
		t.Errorf("Work before the first lease leaves %d frames, want 0", left)
	}
}

func TestBeginReplacesWork(t *testing.T) {
	instantiate()
	begin(t, wire.Lease{Lease: 1, Detail: 1, First: 0, Count: 60})
	Work(10)
	second := wire.Lease{Lease: 2, Detail: 2, First: 500, Count: 3}
	begin(t, second)
	Work(3)
	wantResult(t, second, 1, 1)
}

func TestBeginRefuses(t *testing.T) {
	instantiate()
	kept := wire.Lease{Lease: 1, Detail: 1, First: 3, Count: 2}
	begin(t, kept)
	Work(1)
	wantRefusal(t, Begin(pass(wire.Lease{Lease: 2, Detail: 1, Count: wire.MaxChunk + 1}.Append(nil))), "count: got 121, want 1..120")
	wantRefusal(t, Begin(0), "kind: got 0 bytes, want 1")
	Work(1)
	wantResult(t, kept, 0, 0)
}

func TestRender(t *testing.T) {
	instantiate()
	most := int32(len(out) / wire.PackedSize)
	for _, c := range []struct {
		detail int32
		first  uint64
		count  int32
	}{{1, 0, 0}, {1, 599, 1}, {3, 1_000_000, 4}, {1, 1 << 40, most}} {
		if got := answer(t, Render(c.detail, c.first, c.count)); !bytes.Equal(got, packed(int(c.detail), c.first, int(c.count))) {
			t.Errorf("Render(%d, %d, %d) is not what the package donut renders", c.detail, c.first, c.count)
		}
	}
	for _, c := range []struct {
		detail, count int32
		want          string
	}{
		{0, 1, "detail: got 0, want 1..32"},
		{-1, 1, "detail: got -1"},
		{donut.MaxDetail + 1, 1, "detail: got 33"},
		{1, -1, "count: got -1, want 0..301"},
		{1, most + 1, "count: got 302"},
	} {
		wantRefusal(t, Render(c.detail, 0, c.count), c.want)
	}
}

// TestRenderDuringLease asks for another detail while a lease is half done.
func TestRenderDuringLease(t *testing.T) {
	instantiate()
	lease := wire.Lease{Lease: 1, Detail: 2, First: 10, Count: 2}
	begin(t, lease)
	Work(1)
	answer(t, Render(1, 0, 1))
	Work(1)
	wantResult(t, lease, 0, 0)
}

func TestLongestMessagesFit(t *testing.T) {
	const longestBroadcast = 1 + 4 + 15*10 + 10 + 2 + wire.MaxRingRuns*(1+5+10) + 1 + wire.MaxBoard*(5+10) +
		codec.MaxMessage
	if longestBroadcast > len(in) || wire.MaxResult > len(out) {
		t.Errorf("the buffers hold %d and %d bytes, want %d and %d", len(in), len(out), longestBroadcast, wire.MaxResult)
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	instantiate()
	lease := wire.Lease{Lease: 1, Detail: 1, Count: 2}.Append(nil)
	welcome := wire.Welcome{Detail: 1, You: 7}.Append(nil)
	reply := wire.Reply{Sent: 1}.Append(nil)
	for name, call := range map[string]func(){
		"a lease": func() { Begin(pass(lease)); Work(1); Work(1); Result(9) },
		"render":  func() { Render(1, 7, 2) },
		"probe":   func() { Probe(1, 1) },
		"welcome": func() { Receive(pass(welcome)) },
		"reply":   func() { Receive(pass(reply)) },
	} {
		if n := testing.AllocsPerRun(10, call); n != 0 {
			t.Errorf("%s takes %v allocations, want 0", name, n)
		}
	}
}
