package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/distributed-donut/donut/server/ring"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/wasm/wire"
)

const (
	// oddsTrials is how many forgers are let loose for each line of the odds.
	oddsTrials = 3000
	// oddsRate is the rate at which they are audited: the default floor.
	oddsRate = 0.05
)

// playOdds lets forgers loose whom everybody trusts, with no budget for audits but those that must be made, and counts
// what they submit before the first forged frame that is drawn, and what of it airs.
func playOdds(_ context.Context, f *findings) error {
	for _, chunk := range []struct{ frames, detail int }{{120, 1}, {20, 8}, {4, 16}} {
		for _, strategy := range []struct {
			name  string
			forge func(n uint64) bool
		}{
			{"every frame", func(uint64) bool { return true }},
			{"every second frame", func(n uint64) bool { return n%2 == 0 }},
			{"one frame of sixty", func(n uint64) bool { return n%60 == 17 }},
		} {
			submitted, aired := 0, 0
			for seed := range uint64(oddsTrials) {
				s, a := letLoose(rand.NewPCG(seed, uint64(chunk.frames)), chunk.frames, strategy.forge)
				submitted += s
				aired += a
			}
			mean := float64(submitted) / oddsTrials
			line := fmt.Sprintf("%s, chunks of %d as at detail %d: ", strategy.name, chunk.frames, chunk.detail)
			f.within(line+"forged frames submitted before the first that is drawn", mean, (1-oddsRate)/oddsRate, 0.15)
			f.tell(line+"forged frames aired", float64(aired)/oddsTrials)
		}
	}
	return nil
}

// letLoose has one forger fill a ring chunk by chunk until a forged frame of its is drawn, and returns how many it
// submitted before that one and how many aired.
func letLoose(random rand.Source, chunk int, forge func(n uint64) bool) (submitted, aired int) {
	const trusted = math.MaxUint64 // passes
	policy := trust.Policy{Floor: oddsRate}
	r := ring.New(2 * wire.MaxChunk)
	packed := make([]byte, chunk*wire.PackedSize)
	must := make([]bool, chunk)
	var frames []ring.Frame
	for first, lease := uint64(0), uint64(1); ; first, lease = first+uint64(chunk), lease+1 {
		policy.Draw(random, trusted, must)
		r.Fill(ring.Result{Owner: 1, Lease: lease, First: first, Packed: packed, Must: must, Sample: -1})
		found := false
		for {
			span, _ := r.Claim(ring.Owed, 1, nil)
			if span.Count == 0 {
				break
			}
			if forge(span.First) {
				found = true
				for n := first; n < span.First; n++ {
					if forge(n) {
						submitted++
					}
				}
				r.Purge(1, lease)
				break
			}
			r.Approve(span)
		}
		frames = r.Air(chunk, true, frames[:0])
		for i, frame := range frames {
			if frame.Packed != nil && forge(first+uint64(i)) {
				aired++
			}
		}
		if found {
			return submitted, aired
		}
		for n := first; n < first+uint64(chunk); n++ {
			if forge(n) {
				submitted++
			}
		}
		r.Advance(first + uint64(chunk))
	}
}
