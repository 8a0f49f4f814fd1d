// Package cluster joins several servers into one, over NATS.
//
// There is no leader. Every server announces itself four times a second, and every server works out by itself, from
// what it heard in the last second, whose each chunk of the timeline is: weighted rendezvous hashing, so that who heard
// the same agrees. Frames are pure functions of their number, so the worst that disagreement can cost is that one is
// rendered twice. Who has rendered a chunk publishes it to all; who misses one when its time is near asks for it.
//
// Servers work together where module, detail and epoch are the same, for then frame n is the same picture at the same
// moment. Others use other subjects and see no more of each other than announcements, so a new edition is rolled out
// as a second fleet beside the first:
//
//	donut.2.announce              announcements of all fleets
//	donut.2.<fleet>.frames        chunks, for all
//	donut.2.<fleet>.fetch         who has these frames?
//	donut.2.<fleet>.frames.<id>   the answers to one server's fetches
//	donut.2.<fleet>.probe.<id>    what does your clock show?
//	donut.2.<fleet>.reply.<id>    the answers to one server's probes
//
// The wall clocks of a fleet are measured against each other, and every server steers its timeline by their median
// (timeline.Clock.Steer). One whose wall clock is more than a second off the others' stays out, and says so.
//
// Who may connect to NATS is taken for a server of ours: messages are checked for their form, frames are audited by
// whoever receives them, and a server that forged one is cut off, but nothing here keeps out whom NATS lets in.
package cluster

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// FirstMember is the first number that another server gets. Numbers below are the tabs'. None is ever used for two
	// servers, and one that starts again is another.
	FirstMember uint32 = wire.FirstMember
)

// A Fleet is what the cluster tells and asks the rest of its server. Its methods are called by goroutines of Run, some
// concurrently with each other; they may block briefly, and must return when Run's context is done.
type Fleet interface {
	// Foreign hands over frames that a member published, or sent because they were fetched: pictures of
	// wire.PackedSize each, well-formed, and as yet unaudited. The slice becomes the callee's.
	Foreign(member uint32, first uint64, packed []byte)

	// Frames calls answer, before it returns, for every run of consecutive frames of first to first + count - 1 that
	// are there and have been audited, at most count frames in all. What is handed to answer is copied.
	Frames(first uint64, count int, answer func(first uint64, packed []byte))

	// Report returns what is announced: four times a second.
	Report() Report
}

// A Report is what a server says of itself in every announcement.
type Report struct {
	Capacity float64 // frames a second that its own tabs can render
	Playhead uint64  // the frame number on screen

	Viewers uint64 // connections that watch
	Workers uint64 // connections that render
	Threads uint64 // their threads
	Fleet   uint64 // frames rendered by its own tabs
	Server  uint64 // frames rendered by itself
	Aired   uint64 // frames aired
}

// counts returns what is counted, in the order of the announcement.
func (r *Report) counts() [6]*uint64 {
	return [6]*uint64{&r.Viewers, &r.Workers, &r.Threads, &r.Fleet, &r.Server, &r.Aired}
}

// Add adds up what can be added up: everything but the playhead.
func (r *Report) Add(other Report) {
	r.Capacity += other.Capacity
	theirs := other.counts()
	for i, count := range r.counts() {
		*count += *theirs[i]
	}
}

// Config says which fleet a server belongs to and where it finds NATS.
type Config struct {
	URL         string      // of NATS servers: "nats://host:4222", or "tls://…"; several are separated by commas
	Credentials string      // a file of NATS credentials (JWT and key); none if empty
	CA          string      // a PEM file of the authorities to trust for TLS; the system's if empty
	Name        string      // shown to people; the host's name if empty, cut to 64 bytes
	Identity    uint64      // of this process; random if 0
	Digest      wire.Digest // of the module
	Detail      int         // 1 to donut.MaxDetail
	Clock       *timeline.Clock
	Log         *slog.Logger
}

// A Cluster is this server's part in the fleet. Its methods may be called concurrently, before Run, during and after.
type Cluster struct {
	config Config
	fleet  fleet
	log    *slog.Logger
	names  subjects

	mu      sync.Mutex
	members members
	counts  Counters // but for what the outboxes and the connection count
	steered time.Duration
	line    *line // nil before Run

	publishes outbox[frames]
	fetches   outbox[fetch]
}

// New checks the configuration. It connects nothing: Run does.
func New(config Config) (*Cluster, error) {
	switch {
	case config.URL == "":
		return nil, errors.New("cluster: got no URL of a NATS server, want one")
	case config.Detail < 1 || config.Detail > donut.MaxDetail:
		return nil, fmt.Errorf("cluster: got detail %d, want 1..%d", config.Detail, donut.MaxDetail)
	}
	for _, file := range []string{config.Credentials, config.CA} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
	}
	if config.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("cluster: no name given, and the host has none: %w", err)
		}
		config.Name = host[:min(len(host), maxName)]
	}
	if !validName(config.Name) {
		return nil, fmt.Errorf("cluster: got name %q, want 1..%d bytes of printable UTF-8", config.Name, maxName)
	}
	for config.Identity == 0 {
		var b [8]byte
		rand.Read(b[:])
		config.Identity = binary.LittleEndian.Uint64(b[:])
	}
	f := fleet{digest: config.Digest, detail: uint8(config.Detail), epoch: config.Clock.Epoch().UnixMicro()}
	c := &Cluster{config: config, fleet: f, log: config.Log, names: subjectsOf(f)}
	c.members.self = announcement{from: config.Identity, fleet: f, name: config.Name}
	c.publishes.init()
	c.fetches.init()
	return c, nil
}

// Owner returns who is to render a chunk: 0 for this server, else a member's number. It does not block.
func (c *Cluster) Owner(now timeline.Instant, chunk uint64) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.members.owner(now, chunk)
}

// Alive says whether a member was heard from within a second, is fit to work with, and is not cut off. It does not
// block.
func (c *Cluster) Alive(now timeline.Instant, number uint32) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.members.numbered(number)
	return o != nil && c.members.alive(now, o)
}

// Publish sends frames to all others of the fleet: packed pictures, well-formed, which it copies. It does not block:
// they wait in a short queue, and what is oldest there makes way. While there is no connection they are dropped, as
// old frames are worth nothing.
func (c *Cluster) Publish(first uint64, packed []byte) {
	for run := range chunks(first, len(packed)/wire.PackedSize) {
		from := int(run.first-first) * wire.PackedSize
		copied := append([]byte(nil), packed[from:from+run.count*wire.PackedSize]...)
		c.publishes.put(frames{from: c.config.Identity, first: run.first, packed: copied})
	}
}

// Fetch asks the others for frames. What comes arrives as Foreign, more than once perhaps, or not at all. It does not
// block, and asks nobody while there is no connection.
func (c *Cluster) Fetch(first uint64, count int) {
	for run := range chunks(first, count) {
		c.fetches.put(fetch{from: c.config.Identity, first: run.first, count: run.count})
	}
}

// Cut shuts a member out for good, for the reason given: it published a forged frame. Its process has to start again to
// be let in.
func (c *Cluster) Cut(number uint32, why string) {
	c.mu.Lock()
	o := c.members.shutOut(number, why)
	c.mu.Unlock()
	if o != nil {
		c.log.Error("a server is cut off", "why", why,
			"name", o.said.name, "identity", hex(o.said.from), "member", number)
	}
}

// Run connects, and takes part in the fleet until ctx is done. It may be called once. It returns nil when ctx is done,
// or an error where the configuration cannot work; that NATS is not there is none, and is tried again for ever.
func (c *Cluster) Run(ctx context.Context, fleet Fleet) error {
	return c.run(ctx, fleet)
}
