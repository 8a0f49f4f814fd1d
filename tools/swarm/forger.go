package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A strategy is a way to forge.
type strategy string

// The strategies. All forgers of a crowd forge a frame in the same way, so any number of them agree on what is not true.
const (
	everyCell strategy = "cells"   // every cell of every frame
	oneCell   strategy = "cell"    // one cell of one frame of sixty
	sleeper   strategy = "sleeper" // honest for some chunks, and then every cell
	replayed  strategy = "replay"  // an older frame in place of each
	shifted   strategy = "shift"   // the right frames under the wrong numbers
)

// strategies in the order in which "all" plays them.
var strategies = []strategy{everyCell, oneCell, sleeper, replayed, shifted}

// strategyNames returns all of them, separated by commas.
func strategyNames() string {
	var names []string
	for _, s := range strategies {
		names = append(names, string(s))
	}
	return strings.Join(names, ",")
}

// parseStrategies reads a comma-separated list, or "all".
func parseStrategies(list string) (parsed []strategy, err error) {
	if list == "all" {
		return strategies, nil
	}
	for name := range strings.SplitSeq(list, ",") {
		if !slices.Contains(strategies, strategy(name)) {
			return nil, fmt.Errorf("got %q, want some of %s, or all", name, strategyNames())
		}
		parsed = append(parsed, strategy(name))
	}
	return parsed, nil
}

const (
	// sleepChunks is how many chunks a sleeper renders honestly.
	sleepChunks = 10
	// remorse is how long before the end of the play forgers become honest, so that each can be found in time, and
	// maxRemorse the most of the play that this may be.
	remorse    = 10 * time.Second
	maxRemorse = 0.25
)

// A forger is one identity of somebody who forges. Its thread alone uses it, but for submitted, which others may read
// when the thread has ended.
type forger struct {
	crowd     *crowd
	answered  int    // chunks so far
	first     []byte // the first frame that it rendered
	submitted int    // forged frames
}

// strategyAt is what forgers do when they have played for so long: the strategies have equal parts of the play, and after
// the last there is none.
func (cfg config) strategyAt(played time.Duration) strategy {
	forging := cfg.duration - min(remorse, time.Duration(maxRemorse*float64(cfg.duration)))
	part := int(played * time.Duration(len(cfg.strategies)) / forging)
	if part >= len(cfg.strategies) {
		return ""
	}
	return cfg.strategies[part]
}

// forge changes an honest result, which the frame after it follows.
func (f *forger) forge(m *wire.Result, following []byte) {
	honest := append(slices.Clone(m.Frames), following...)
	if f.answered++; f.first == nil {
		f.first = honest[:wire.PackedSize]
	}
	how := f.crowd.cfg.strategyAt(time.Since(f.crowd.started))
	for i := range m.Count() {
		at, next := i*wire.PackedSize, (i+1)*wire.PackedSize
		f.forgeFrame(how, m.First+uint64(i), m.Frames[at:next], honest[next:next+wire.PackedSize])
		if !slices.Equal(honest[at:next], m.Frames[at:next]) {
			f.submitted++
		}
	}
}

// forgeFrame changes frame n, which the following one comes after.
func (f *forger) forgeFrame(s strategy, n uint64, packed, following []byte) {
	switch {
	case s == everyCell, s == sleeper && f.answered > sleepChunks:
		var seed [32]byte
		binary.LittleEndian.PutUint64(seed[:], n)
		binary.LittleEndian.PutUint64(seed[8:], f.crowd.cfg.seed)
		rng := rand.New(rand.NewChaCha8(seed))
		for i := range packed {
			packed[i] = byte(rng.IntN(donut.Levels)) | byte(rng.IntN(donut.Levels))<<4
		}
	case s == oneCell && n%60 == f.crowd.cfg.seed%60:
		i := n / 60 % wire.PackedSize
		packed[i] = packed[i]&0xf0 | (packed[i]&0xf+1)%byte(donut.Levels)
	case s == replayed:
		copy(packed, f.first)
	case s == shifted:
		copy(packed, following)
	}
}
