package wire

import (
	"encoding/binary"
	"strconv"
)

const (
	// MaxThreads is the most threads that one connection renders with.
	MaxThreads = 8
	// MaxChunk is the most frames in a lease, and so in a result.
	MaxChunk = 120
	// DigestSize is the length in bytes of a module's SHA-256.
	DigestSize = 32
)

// The longest messages that tabs send, in bytes.
const (
	MaxHello  = 5 + DigestSize
	MaxProbe  = 1 + 8 + 8 + 4
	MaxOffer  = 1 + 1
	MaxResult = resultHeader + MaxChunk*PackedSize
)

// A Digest is the SHA-256 of a module's bytes.
type Digest [DigestSize]byte

// A Hello is a tab's first message, and is sent once.
//
//	kind     1
//	version  1  Version
//	threads  1  0 to MaxThreads; 0 watches only
//	codec    1  the codec version its module decodes
//	digest  32  SHA-256 of its module
type Hello struct {
	Threads uint8
	Codec   uint8
	Digest  Digest
}

// A VersionError says that a tab speaks another version of this package than the server. It should be told to reload.
type VersionError struct {
	Got uint8
}

func (e *VersionError) Error() string {
	return "wire: hello: version: got " + strconv.Itoa(int(e.Got)) + ", want " + strconv.Itoa(Version)
}

// Append appends the message to dst.
func (h Hello) Append(dst []byte) []byte {
	dst = append(dst, byte(KindHello), Version, h.Threads, h.Codec)
	return append(dst, h.Digest[:]...)
}

// ParseHello parses a Hello. The error for one of another version is a *VersionError, whatever follows the version.
func ParseHello(b []byte) (Hello, error) {
	r := read(b, KindHello)
	if version := r.Uint8("version"); r.OK() && version != Version {
		return Hello{}, &VersionError{Got: version}
	}
	h := Hello{Threads: r.Uint8("threads"), Codec: r.Uint8("codec")}
	copy(h.Digest[:], r.Take("digest", DigestSize))
	r.Between("threads", uint64(h.Threads), 0, MaxThreads)
	return h, r.end()
}

// An Offer says how many threads the tab renders with from now on, in place of what its Hello or an earlier Offer said. It
// voids the leases of the threads after those; answers to them that are under way are late, and still welcome.
//
//	kind     1
//	threads  1  0 to MaxThreads; 0 watches only
type Offer struct {
	Threads uint8
}

// Append appends the message to dst.
func (o Offer) Append(dst []byte) []byte { return append(dst, byte(KindOffer), o.Threads) }

// ParseOffer parses an Offer.
func ParseOffer(b []byte) (Offer, error) {
	r := read(b, KindOffer)
	o := Offer{Threads: r.Uint8("threads")}
	r.Between("threads", uint64(o.Threads), 0, MaxThreads)
	return o, r.end()
}

// A Probe asks for the server's clock and acknowledges the stream.
//
//	kind  1
//	sent  8  the instant of sending, on the tab's own clock; echoed
//	ack   8  number of the newest broadcast decoded; 0 before the first
//	took  4  microseconds of the last round trip that no probe has told of yet, at most MaxRoundTrip; 0 for none
type Probe struct {
	Sent int64
	Ack  uint64
	Took uint32
}

// MaxRoundTrip is the longest round trip that a Probe tells of, in microseconds: a minute. Longer ones count as that.
const MaxRoundTrip = 60_000_000

// Append appends the message to dst.
func (p Probe) Append(dst []byte) []byte {
	dst = append(dst, byte(KindProbe))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.Sent))
	dst = binary.LittleEndian.AppendUint64(dst, p.Ack)
	return binary.LittleEndian.AppendUint32(dst, p.Took)
}

// ParseProbe parses a Probe.
func ParseProbe(b []byte) (Probe, error) {
	r := read(b, KindProbe)
	p := Probe{Sent: r.Int64("sent"), Ack: r.Uint64("ack"), Took: r.Uint32("took")}
	r.Between("took", uint64(p.Took), 0, MaxRoundTrip)
	return p, r.end()
}

const resultHeader = 1 + 8 + 8 + 4 + 2

// A Result answers a Lease.
//
//	kind   1
//	lease  8  its number
//	first  8  number of the first frame
//	spent  4  microseconds that the thread spent on it, with its rests in between
//	count  2  frames, 1 to MaxChunk
//	frames count x PackedSize, packed pictures
type Result struct {
	Lease uint64
	First uint64
	Spent uint32
	// Frames holds the packed pictures one after the other. ParseResult lets it alias its input.
	Frames []byte
}

// ResultSize returns the length in bytes of a Result of so many frames.
func ResultSize(frames int) int { return resultHeader + frames*PackedSize }

// Count returns how many frames the result holds.
func (m Result) Count() int { return len(m.Frames) / PackedSize }

// AppendHeader appends all of the message but its frames, which are to follow: count packed pictures. It lets a thread
// render straight into the message.
func (m Result) AppendHeader(dst []byte, count int) []byte {
	dst = append(dst, byte(KindResult))
	dst = binary.LittleEndian.AppendUint64(dst, m.Lease)
	dst = binary.LittleEndian.AppendUint64(dst, m.First)
	dst = binary.LittleEndian.AppendUint32(dst, m.Spent)
	return binary.LittleEndian.AppendUint16(dst, uint16(count))
}

// Append appends the message to dst.
func (m Result) Append(dst []byte) []byte {
	return append(m.AppendHeader(dst, m.Count()), m.Frames...)
}

// ParseResult parses a Result. Every nibble of its frames is a level.
func ParseResult(b []byte) (Result, error) {
	r := read(b, KindResult)
	m := Result{Lease: r.Uint64("lease"), First: r.Uint64("first"), Spent: r.Uint32("spent")}
	count := int(r.Uint16("count"))
	r.Between("count", uint64(count), 1, MaxChunk)
	r.Span(m.First, count)
	if !r.OK() {
		return Result{}, r.end()
	}
	m.Frames = r.Rest()
	if err := CheckPacked(m.Frames, count); err != nil {
		return Result{}, &SyntaxError{KindResult.String(), "frames", err.(*SyntaxError).Got, err.(*SyntaxError).Want}
	}
	return m, nil
}
