package cluster

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// Servers send each other five kinds of messages. Integers are little-endian, a uvarint takes as few bytes as it can,
// and every message begins with
//
//	kind     1
//	version  1  Version
//	from     8  the sender's identity, not 0
//
// What a parser accepts prints back to the same bytes, but for the frames' coding.
//
//	every server           announcement  four times a second, to all
//	who rendered a chunk   frames        once, to all of its fleet
//	who misses frames      fetch         to all of its fleet, near the frames' deadline
//	  a few that have them   frames        to who asked
//	every server           probe         once a second, to each of its fleet
//	  who is asked           reply         at once, to who asked
type kind uint8

const (
	kindAnnouncement kind = iota + 1
	kindFrames
	kindFetch
	kindProbe
	kindReply
)

var kindNames = [...]string{
	kindAnnouncement: "announcement", kindFrames: "frames", kindFetch: "fetch", kindProbe: "probe", kindReply: "reply",
}

// Version is the version of these messages, and part of every subject: servers of two versions do not hear each other.
const Version = 2

const (
	headerSize = 1 + 1 + 8
	maxName    = 64                // bytes of a server's name
	maxCount   = uint64(1)<<53 - 1 // of whatever is counted, so that a script may read it as a number
)

// appendHeader begins a message.
func appendHeader(dst []byte, k kind, from uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, byte(k), Version), from)
}

// A fleet is what servers must have in common to work together: then frames of one number are the same picture, on
// screen at the same moment.
type fleet struct {
	digest wire.Digest
	detail uint8
	epoch  int64 // Unix time in microseconds
}

// An announcement says that a server is there, and what the others go by.
//
//	digest   32
//	detail    1  1 to donut.MaxDetail
//	epoch     8  Unix time in microseconds, signed
//	flags     1  bit 0: it stays out of the fleet, as its clock is off; bit 1: it leaves; the others are 0
//	weight    1  0 to maxWeight
//	capacity  8  frames a second, a float64, finite and not negative
//	playhead     uvarint
//	viewers, workers, threads, fleet, server, aired
//	             uvarint each, at most 2^53 - 1
//	name         the rest: printable UTF-8, 1 to 64 bytes
type announcement struct {
	from    uint64
	fleet   fleet
	out     bool
	leaving bool
	weight  weight
	report  Report
	name    string
}

const (
	flagOut = 1 << iota
	flagLeaving
)

func (a announcement) append(dst []byte) []byte {
	dst = appendHeader(dst, kindAnnouncement, a.from)
	dst = append(dst, a.fleet.digest[:]...)
	dst = append(dst, a.fleet.detail)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(a.fleet.epoch))
	flags := byte(0)
	if a.out {
		flags |= flagOut
	}
	if a.leaving {
		flags |= flagLeaving
	}
	dst = append(dst, flags, byte(a.weight))
	dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(a.report.Capacity))
	dst = binary.AppendUvarint(dst, a.report.Playhead)
	for _, count := range a.report.counts() {
		dst = binary.AppendUvarint(dst, *count)
	}
	return append(dst, a.name...)
}

func parseAnnouncement(b []byte) (announcement, error) {
	r := read(b, kindAnnouncement)
	a := announcement{from: r.from}
	copy(a.fleet.digest[:], r.Take("digest", len(a.fleet.digest)))
	a.fleet.detail = r.Uint8("detail")
	r.Between("detail", uint64(a.fleet.detail), 1, donut.MaxDetail)
	a.fleet.epoch = int64(r.Uint64("epoch"))
	flags := r.Uint8("flags")
	r.Between("flags", uint64(flags), 0, flagOut|flagLeaving)
	a.out, a.leaving = flags&flagOut != 0, flags&flagLeaving != 0
	a.weight = weight(r.Uint8("weight"))
	r.Between("weight", uint64(a.weight), 0, uint64(maxWeight))
	a.report.Capacity = r.amount("capacity")
	a.report.Playhead = r.Uvarint("playhead", math.MaxUint64)
	for _, count := range a.report.counts() {
		*count = r.Uvarint("count", maxCount)
	}
	a.name = r.name("name")
	return a, r.end()
}

// A fetch asks for frames of one chunk.
//
//	first  8  number of the first frame
//	count  1  1 to timeline.ChunkFrames, all of the same chunk
type fetch struct {
	from  uint64
	first uint64
	count int
}

func (f fetch) append(dst []byte) []byte {
	dst = appendHeader(dst, kindFetch, f.from)
	dst = binary.LittleEndian.AppendUint64(dst, f.first)
	return append(dst, byte(f.count))
}

func parseFetch(b []byte) (fetch, error) {
	r := read(b, kindFetch)
	f := fetch{from: r.from, first: r.Uint64("first"), count: int(r.Uint8("count"))}
	r.Between("count", uint64(f.count), 1, timeline.ChunkFrames-f.first%timeline.ChunkFrames)
	r.Span(f.first, f.count)
	return f, r.end()
}

// A probe asks a server for its wall clock.
//
//	name  8  of the probe: it comes back with the reply
type probe struct {
	from uint64
	name time.Duration
}

func (p probe) append(dst []byte) []byte {
	return binary.LittleEndian.AppendUint64(appendHeader(dst, kindProbe, p.from), uint64(p.name))
}

func parseProbe(b []byte) (probe, error) {
	r := read(b, kindProbe)
	p := probe{from: r.from, name: time.Duration(r.Uint64("name"))}
	return p, r.end()
}

// A reply answers a probe.
//
//	name      8  the probe's
//	received  8  when the probe came, by the sender's wall clock: microseconds from the epoch, signed
//	answered  8  when the reply left, no earlier
type reply struct {
	from               uint64
	name               time.Duration
	received, answered timeline.Instant
}

func (m reply) append(dst []byte) []byte {
	dst = appendHeader(dst, kindReply, m.from)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.name))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(m.received))
	return binary.LittleEndian.AppendUint64(dst, uint64(m.answered))
}

func parseReply(b []byte) (reply, error) {
	r := read(b, kindReply)
	m := reply{from: r.from, name: time.Duration(r.Uint64("name"))}
	m.received = timeline.Instant(r.Uint64("received"))
	m.answered = timeline.Instant(r.Uint64("answered"))
	r.ordered("answered", int64(m.received), int64(m.answered))
	return m, r.end()
}
