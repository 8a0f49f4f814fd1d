package main

import (
	"strconv"
	"unsafe"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/digest"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// What a call answers when it failed: the text at output(), of which the first -n bytes count, says why.
//
// The buffers are as large as the longest message either way.
var (
	in    [256 << 10]byte
	out   [256 << 10]byte
	texts [codec.MaxFrames * donut.TextSize]byte
)

// The state of an instance. A connection's instance uses hash or named, and stream; a thread's uses renderer and task, and
// one that verifies lays what it renders into texts.
var (
	hash     = digest.New()
	named    [digest.Size]byte // what Name took, or zeros
	stream   codec.Decoder
	renderer *donut.Renderer
	detail   int // of renderer
	picture  donut.Picture
	task     work
)

// Input returns the address of the bytes that the host passes in, InputSize of them.
//
//go:wasmexport input
func Input() unsafe.Pointer { return unsafe.Pointer(&in) }

// InputSize returns the size of the input in bytes.
//
//go:wasmexport inputSize
func InputSize() int32 { return int32(len(in)) }

// Output returns the address of what calls answer.
//
//go:wasmexport output
func Output() unsafe.Pointer { return unsafe.Pointer(&out) }

// Frames returns the address of the frames that the last Receive decoded: for each frame that the broadcast covers, in
// order, its text of textSize bytes, or textSize zeros where the frame is missing.
//
//go:wasmexport frames
func Frames() unsafe.Pointer { return unsafe.Pointer(&texts) }

// Constants answers the fixed numbers as JSON, so that no host has to spell them a second time.
//
//go:wasmexport constants
func Constants() int32 {
	var o object
	o.number("fps", donut.FPS)
	o.number("columns", donut.Columns)
	o.number("rows", donut.Rows)
	o.number("textSize", donut.TextSize)
	o.number("packedSize", wire.PackedSize)
	o.number("maxThreads", wire.MaxThreads)
	o.number("maxDetail", donut.MaxDetail)
	o.number("wireVersion", wire.Version)
	o.number("codecVersion", codec.Version)
	o.number("firstMember", wire.FirstMember)
	o.texts("ringStates", wire.RingStateNames)
	return o.answer()
}

// Hash takes in the next size bytes of the module's own file from the input. After all of them, Hello can name it.
//
//go:wasmexport hash
func Hash(size int32) { hash.Write(in[:size]) }

// Name takes the digest of the module's file, size bytes of input, from a host that has computed it faster than Hash.
// Which digest is right only the server can say.
//
//go:wasmexport name
func Name(size int32) int32 {
	if size != digest.Size {
		return refuse("name: got " + strconv.Itoa(int(size)) + " bytes, want " + strconv.Itoa(digest.Size))
	}
	named = [digest.Size]byte(in[:size])
	return 0
}

// Hello answers the Hello of a tab that offers so many threads; 0 of them means that it only watches.
//
//go:wasmexport hello
func Hello(threads int32) int32 {
	h := wire.Hello{Threads: uint8(threads), Codec: codec.Version, Digest: named}
	if named == [digest.Size]byte{} {
		h.Digest = hash.Sum()
	}
	return int32(len(h.Append(out[:0])))
}

// Offer answers an Offer of so many threads.
//
//go:wasmexport offer
func Offer(threads int32) int32 {
	return int32(len(wire.Offer{Threads: uint8(threads)}.Append(out[:0])))
}

// Probe answers a Probe sent now, in microseconds on any clock of the host's, that tells of a round trip, in microseconds;
// 0 for none.
//
//go:wasmexport probe
func Probe(now, took float64) int32 {
	p := wire.Probe{Sent: int64(now), Ack: stream.Number(), Took: uint32(max(0, min(took, wire.MaxRoundTrip)))}
	return int32(len(p.Append(out[:0])))
}

// Receive takes a message of the server's, size bytes of input, and answers what it says as JSON. The object's "kind"
// is the message's, and its other members are the message's fields in lower camel case; a broadcast's frames are at
// Frames. A message that is malformed or not the stream's next is answered by minus the length of a text that says why.
//
//go:wasmexport receive
func Receive(size int32) int32 {
	return receive(in[:size])
}

// Render draws count frames of a detail from first on and answers them packed, count times packedSize bytes. It answers
// minus the length of a text where that cannot be done.
//
//go:wasmexport render
func Render(wantDetail int32, first uint64, count int32) int32 {
	if wantDetail < 1 || wantDetail > donut.MaxDetail {
		return refuseDetail("render", wantDetail)
	}
	if count < 0 || int(count) > len(out)/wire.PackedSize {
		return refuse("render: count: got " + strconv.Itoa(int(count)) + ", want 0.." + strconv.Itoa(len(out)/wire.PackedSize))
	}
	useDetail(int(wantDetail))
	for i := range int(count) {
		renderer.Render(&picture, first+uint64(i))
		wire.Pack(out[i*wire.PackedSize:], &picture)
	}
	return count * wire.PackedSize
}

// Begin takes a Lease, size bytes of input, as the thread's work, in place of whatever it was working on. It answers
// how many frames there are to render, or minus the length of a text that says why there are none.
//
//go:wasmexport begin
func Begin(size int32) int32 {
	lease, err := wire.ParseLease(in[:size])
	if err != nil {
		return refuse(err.Error())
	}
	task.begin(lease)
	return int32(task.left())
}

// Work renders at most count more frames of the lease and answers how many are left.
//
//go:wasmexport work
func Work(count int32) int32 {
	for range min(int(count), task.left()) {
		task.renderNext()
	}
	return int32(task.left())
}

// Result answers the Result of the lease, which the thread spent so many microseconds on. It is an error to ask for it
// while frames are left.
//
//go:wasmexport result
func Result(spent float64) int32 {
	if task.count == 0 || task.left() > 0 {
		return refuse("result: got a lease with " + strconv.Itoa(task.left()) + " of " + strconv.Itoa(task.count) +
			" frames left, want one that is rendered")
	}
	return int32(copy(out[:], task.result(spent)))
}

// useDetail makes the renderer's tables anew where the detail is another than before.
func useDetail(want int) {
	if detail != want {
		renderer, detail = donut.NewRenderer(want), want
	}
}

// refuseDetail answers that a call was asked for a detail that there is not.
func refuseDetail(call string, got int32) int32 {
	return refuse(call + ": detail: got " + strconv.Itoa(int(got)) + ", want 1.." + strconv.Itoa(donut.MaxDetail))
}

// refuse answers an error.
func refuse(text string) int32 {
	return -int32(copy(out[:], text))
}
