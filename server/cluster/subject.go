package cluster

import (
	"fmt"
	"iter"
	"strconv"

	"github.com/distributed-donut/donut/server/timeline"
)

// subjects are the subjects that a server speaks and listens on; the package's comment has them all. Everything is
// below one prefix, replies too, so that "donut.>" is all that NATS has to permit.
type subjects struct {
	announce string
	frames   string // to all, and with an identity to one
	fetch    string
	probe    string // with an identity
	reply    string // with an identity
}

const prefix = "donut."

func subjectsOf(f fleet) subjects {
	version := prefix + strconv.Itoa(Version)
	// Half of the digest is more than enough to tell modules apart by; announcements have all of it.
	mine := fmt.Sprintf("%s.%x-%d-%d", version, f.digest[:len(f.digest)/2], f.detail, f.epoch)
	return subjects{
		announce: version + ".announce",
		frames:   mine + ".frames",
		fetch:    mine + ".fetch",
		probe:    mine + ".probe",
		reply:    mine + ".reply",
	}
}

// of returns a subject that is one server's own.
func of(subject string, identity uint64) string { return subject + "." + hex(identity) }

// hex returns an identity as it is written in subjects and logs.
func hex(identity uint64) string { return fmt.Sprintf("%016x", identity) }

// A span is a run of frames.
type span struct {
	first uint64
	count int
}

// chunks cuts count frames from first on at the borders of chunks. Frames that have no number are left out.
func chunks(first uint64, count int) iter.Seq[span] {
	return func(yield func(span) bool) {
		for count > 0 {
			s := span{first, min(count, timeline.ChunkFrames-int(first%timeline.ChunkFrames))}
			next := first + uint64(s.count)
			if next < first || !yield(s) {
				return
			}
			first, count = next, count-s.count
		}
	}
}
