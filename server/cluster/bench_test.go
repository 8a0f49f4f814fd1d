package cluster

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/moduletest"
)

// BenchmarkOwner asks whose a chunk is, in fleets of several sizes.
func BenchmarkOwner(b *testing.B) {
	for _, n := range []int{3, 100} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			all := crowd(rng, n)
			m := server(0, all[0], all, rng)
			for chunk := uint64(0); b.Loop(); chunk++ {
				m.owner(0, chunk)
			}
		})
	}
}

// BenchmarkFrames makes a message of a chunk, and reads it.
func BenchmarkFrames(b *testing.B) {
	var p packer
	var u unpacker
	packed := moduletest.Native(1, 1_000_000, timeline.ChunkFrames)
	message, err := p.append(nil, 1, 1_000_000, packed)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		buffer := make([]byte, 0, 2*len(message))
		for b.Loop() {
			if _, err := p.append(buffer, 1, 1_000_000, packed); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(message)), "B/chunk")
	})
	b.Run("parse", func(b *testing.B) {
		for b.Loop() {
			if _, err := u.parse(message); err != nil {
				b.Fatal(err)
			}
		}
	})
}
