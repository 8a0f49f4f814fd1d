package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"time"

	"github.com/distributed-donut/donut/tools/progress"
)

// roundFrames is how many frames of detail 1 each renderer draws in a round.
const roundFrames = 240

// A contender does some work a number of times and says how long it took.
type contender struct {
	name   string
	frames int // that a turn renders, encodes or decodes
	turn   func(ctx context.Context, round int) (time.Duration, error)

	turns []float64 // microseconds per frame in each round that counts
}

// median is that of the rounds, in hundredths: with interleaved turns, whatever else the machine does meets every
// contender alike. It is nil for no contender.
func (c *contender) median() *float64 {
	if c == nil {
		return nil
	}
	sorted := slices.Sorted(slices.Values(c.turns))
	middle := len(sorted) / 2
	m := sorted[middle]
	if len(sorted)%2 == 0 {
		m = (m + sorted[middle-1]) / 2
	}
	m = math.Round(m*100) / 100
	return &m
}

// measure runs all rounds.
func measure(ctx context.Context, cfg config, module []byte, s *stream, line *progress.Line) (*report, error) {
	r := &report{
		Detail: cfg.detail, Rounds: cfg.rounds, Frames: max(2, roundFrames/(cfg.detail*cfg.detail)),
		StreamFrames: len(s.frames), BytesPerFrame: s.bytesPerFrame(),
	}
	pool, err := openPool(ctx, module, cfg)
	if err != nil {
		return nil, err
	}
	defer pool.Close(context.Background())

	native := nativeRenderer(cfg.detail, r.Frames)
	wazero := wazeroRenderer(pool, r.Frames)
	encode, decode := s.encoder(), s.decoder()
	all := []*contender{native, wazero, encode, decode}

	var inV8, inJavaScript, inText, decodeV8 *contender
	switch v, err := startEngine(ctx, "v8", cfg.node, module, s); {
	case err == nil:
		defer v.Close()
		r.Node = v.version
		inV8, inJavaScript = v.module(cfg.detail, r.Frames), v.javascript(cfg.detail, r.Frames)
		inText, decodeV8 = v.javascriptText(cfg.detail, r.Frames), v.decoder()
		all = append(all, inV8, inJavaScript, inText, decodeV8)
	case !errors.Is(err, exec.ErrNotFound):
		return nil, err
	}

	var inSpiderMonkey *contender
	switch m, err := startEngine(ctx, "spidermonkey", cfg.firefox, module, s); {
	case err == nil:
		defer m.Close()
		r.Firefox = m.version
		inSpiderMonkey = m.module(cfg.detail, r.Frames)
		all = append(all, inSpiderMonkey)
	case !errors.Is(err, exec.ErrNotFound):
		return nil, err
	}

	for round := range cfg.rounds + 1 {
		for _, c := range all {
			line.Show("round %d of %d: %s", round, cfg.rounds, c.name)
			spent, err := c.turn(ctx, round)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			if round > 0 { // the first one warms up
				c.turns = append(c.turns, float64(spent)/float64(time.Microsecond)/float64(c.frames))
			}
		}
	}

	r.Native, r.Wazero, r.V8, r.JavaScript = native.median(), wazero.median(), inV8.median(), inJavaScript.median()
	r.SpiderMonkey, r.JavaScriptText = inSpiderMonkey.median(), inText.median()
	r.Encode, r.Decode, r.DecodeV8 = encode.median(), decode.median(), decodeV8.median()
	return r, nil
}
