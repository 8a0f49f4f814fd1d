package wire

import (
	"encoding/binary"
	"strconv"

	"github.com/distributed-donut/donut/wasm/donut"
)

// A Welcome lets a tab in.
//
//	kind        1
//	version     1  Version
//	detail      1  of the frames, 1 to donut.MaxDetail
//	threads     1  how many of the tab's threads will be leased to
//	you         4  number of this connection, as in RingRun.Owner; never 0
//	generation  4  of the server's clock
//	now         8  the server's instant of sending
//	epoch       8  the instant of frame 0, in microseconds of Unix time
//	lead        4  length of the ring in milliseconds
//	digest     32  SHA-256 of the server's module
type Welcome struct {
	Detail     uint8
	Threads    uint8
	You        uint32
	Generation uint32
	Now        int64
	Epoch      int64
	Lead       uint32
	Digest     Digest
}

// Append appends the message to dst.
func (w Welcome) Append(dst []byte) []byte {
	dst = append(dst, byte(KindWelcome), Version, w.Detail, w.Threads)
	dst = binary.LittleEndian.AppendUint32(dst, w.You)
	dst = binary.LittleEndian.AppendUint32(dst, w.Generation)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(w.Now))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(w.Epoch))
	dst = binary.LittleEndian.AppendUint32(dst, w.Lead)
	return append(dst, w.Digest[:]...)
}

// ParseWelcome parses a Welcome.
func ParseWelcome(b []byte) (Welcome, error) {
	r := read(b, KindWelcome)
	if version := r.Uint8("version"); version != Version {
		r.Fail("version", strconv.Itoa(int(version)), strconv.Itoa(Version))
	}
	w := Welcome{
		Detail: r.Uint8("detail"), Threads: r.Uint8("threads"), You: r.Uint32("you"), Generation: r.Uint32("generation"),
		Now: r.Int64("now"), Epoch: r.Int64("epoch"), Lead: r.Uint32("lead"),
	}
	copy(w.Digest[:], r.Take("digest", DigestSize))
	r.Between("detail", uint64(w.Detail), 1, donut.MaxDetail)
	r.Between("threads", uint64(w.Threads), 0, MaxThreads)
	r.Between("you", uint64(w.You), 1, 1<<32-1)
	return w, r.end()
}

// A Reply answers a Probe at once.
//
//	kind        1
//	sent        8  the probe's, on the tab's own clock
//	received    8  the instant at which the probe was read
//	replied     8  the instant at which this was written
//	generation  4  of the server's clock; after a change, older replies mean nothing
//	verified    8  frames of this connection's that were audited and found right; 0 where it does not render
type Reply struct {
	Sent       int64
	Received   int64
	Replied    int64
	Generation uint32
	Verified   uint64
}

// Append appends the message to dst.
func (m Reply) Append(dst []byte) []byte {
	dst = append(dst, byte(KindReply))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.Sent))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.Received))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.Replied))
	dst = binary.LittleEndian.AppendUint32(dst, m.Generation)
	return binary.LittleEndian.AppendUint64(dst, m.Verified)
}

// ParseReply parses a Reply.
func ParseReply(b []byte) (Reply, error) {
	r := read(b, KindReply)
	m := Reply{
		Sent: r.Int64("sent"), Received: r.Int64("received"), Replied: r.Int64("replied"),
		Generation: r.Uint32("generation"), Verified: r.Uint64("verified"),
	}
	return m, r.end()
}

// A Lease lends a chunk to one thread.
//
//	kind    1
//	lease   8  its number, never used twice
//	thread  1  which of the tab's threads, from 0
//	detail  1  1 to donut.MaxDetail
//	first   8  number of the first frame
//	count   2  frames, 1 to MaxChunk
//	within  4  milliseconds from now until the chunk is lent to somebody else
type Lease struct {
	Lease  uint64
	Thread uint8
	Detail uint8
	First  uint64
	Count  uint16
	Within uint32
}

// Append appends the message to dst.
func (m Lease) Append(dst []byte) []byte {
	dst = append(dst, byte(KindLease))
	dst = binary.LittleEndian.AppendUint64(dst, m.Lease)
	dst = append(dst, m.Thread, m.Detail)
	dst = binary.LittleEndian.AppendUint64(dst, m.First)
	dst = binary.LittleEndian.AppendUint16(dst, m.Count)
	return binary.LittleEndian.AppendUint32(dst, m.Within)
}

// ParseLease parses a Lease.
func ParseLease(b []byte) (Lease, error) {
	r := read(b, KindLease)
	m := Lease{
		Lease: r.Uint64("lease"), Thread: r.Uint8("thread"), Detail: r.Uint8("detail"), First: r.Uint64("first"),
		Count: r.Uint16("count"), Within: r.Uint32("within"),
	}
	r.Between("thread", uint64(m.Thread), 0, MaxThreads-1)
	r.Between("detail", uint64(m.Detail), 1, donut.MaxDetail)
	r.Between("count", uint64(m.Count), 1, MaxChunk)
	r.Span(m.First, int(m.Count))
	return m, r.end()
}

// A Revoke says that a lease's frames are no longer wanted. Its thread may stop in the middle and send nothing.
//
//	kind   1
//	lease  8  its number
type Revoke struct {
	Lease uint64
}

// Append appends the message to dst.
func (m Revoke) Append(dst []byte) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, byte(KindRevoke)), m.Lease)
}

// ParseRevoke parses a Revoke.
func ParseRevoke(b []byte) (Revoke, error) {
	r := read(b, KindRevoke)
	m := Revoke{Lease: r.Uint64("lease")}
	return m, r.end()
}

// A Reason says why a connection ends.
type Reason uint8

// The reasons of a Goodbye.
const (
	// ReasonDraining: the server is going down, and will be back.
	ReasonDraining Reason = 1 + iota
	// ReasonOutdated: another wire version, codec version or module than the server's. Reload the page.
	ReasonOutdated
	// ReasonEvicted: a result held a cell that the module does not render.
	ReasonEvicted
	// ReasonMalformed: a message could not be parsed, or came out of turn.
	ReasonMalformed
	// ReasonSlow: the connection did not take the stream at the pace at which it plays.
	ReasonSlow
	// ReasonFull: there are as many connections as the server allows.
	ReasonFull
	// ReasonSilent: nothing came for too long, or a message did not arrive whole.
	ReasonSilent
	// ReasonCrowded: its address has as many connections as one may have, or opens them too quickly.
	ReasonCrowded
	// ReasonFlooding: it sent more messages than a connection may.
	ReasonFlooding

	reasonEnd
)

var reasonNames = [...]string{
	ReasonDraining: "draining", ReasonOutdated: "outdated", ReasonEvicted: "evicted", ReasonMalformed: "malformed",
	ReasonSlow: "slow", ReasonFull: "full", ReasonSilent: "silent",
	ReasonCrowded: "crowded", ReasonFlooding: "flooding",
}

// String returns the reason in lower case, as in metrics.
func (r Reason) String() string {
	if r > 0 && r < reasonEnd {
		return reasonNames[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// A Goodbye is the last message before the server closes the connection.
//
//	kind    1
//	reason  1  a Reason
//	retry   4  milliseconds to wait before coming back
type Goodbye struct {
	Reason Reason
	Retry  uint32
}

// Append appends the message to dst.
func (m Goodbye) Append(dst []byte) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, byte(KindGoodbye), byte(m.Reason)), m.Retry)
}

// ParseGoodbye parses a Goodbye.
func ParseGoodbye(b []byte) (Goodbye, error) {
	r := read(b, KindGoodbye)
	m := Goodbye{Reason: Reason(r.Uint8("reason")), Retry: r.Uint32("retry")}
	r.Between("reason", uint64(m.Reason), 1, uint64(reasonEnd)-1)
	return m, r.end()
}
