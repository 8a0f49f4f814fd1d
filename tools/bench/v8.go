package main

import (
	"context"
	_ "embed"
	"time"

	"github.com/distributed-donut/donut/tools/jsengine"
)

//go:embed works.js
var works []byte

//go:embed baseline.js
var baseline []byte

// script is works.js, as requests name it.
const script = "../bench/works.js"

// A v8 is node, which renders and decodes by the code that the page has.
type v8 struct {
	*jsengine.Engine
	version      string
	streamFrames int // of the stream that it decodes
}

// startV8 starts node. The error wraps exec.ErrNotFound where there is no such command. The caller must close it.
func startV8(ctx context.Context, command string, module []byte, s *stream) (*v8, error) {
	program, err := jsengine.Find(ctx, "v8", command)
	if err != nil {
		return nil, err
	}
	engine, err := program.Start(ctx, jsengine.Config{Module: module, Files: map[string][]byte{
		"tools/bench/works.js":    works,
		"tools/bench/baseline.js": baseline,
		"tools/bench/stream":      s.broadcasts(),
	}})
	return &v8{engine, program.Version, len(s.frames)}, err
}

// module renders by the module.
func (v *v8) module(detail, frames int) *contender {
	return v.contender("v8", frames, func(first uint64) jsengine.Request { return jsengine.Render(detail, first, frames) })
}

// javascript renders without it.
func (v *v8) javascript(detail, frames int) *contender {
	return v.contender("javascript", frames, func(first uint64) jsengine.Request { return javascript(detail, first, frames) })
}

func javascript(detail int, first uint64, count int) jsengine.Request {
	return jsengine.Request{Script: script, Work: "javascript", Detail: detail, First: first, Count: count}
}

func (v *v8) decoder() *contender {
	return v.contender("decode in v8", v.streamFrames, func(uint64) jsengine.Request {
		return jsengine.Request{Script: script, Work: "decode"}
	})
}

func (v *v8) contender(name string, frames int, ask func(first uint64) jsengine.Request) *contender {
	return &contender{name: name, frames: frames, turn: func(ctx context.Context, round int) (time.Duration, error) {
		answer, err := v.Do(ctx, ask(firstOf(round, frames)))
		return time.Duration(answer.Micros * float64(time.Microsecond)), err
	}}
}
