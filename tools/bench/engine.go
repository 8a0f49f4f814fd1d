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

//go:embed text.js
var text []byte

// script is works.js, as requests name it.
const script = "../bench/works.js"

// An engine renders and decodes by the code that the page has.
type engine struct {
	*jsengine.Engine
	name, version string
	streamFrames  int // of the stream that it decodes
}

// startEngine starts an engine by jsengine's name for it. The error wraps exec.ErrNotFound where there is no such command.
// The caller must close it.
func startEngine(ctx context.Context, name, command string, module []byte, s *stream) (*engine, error) {
	program, err := jsengine.Find(ctx, name, command)
	if err != nil {
		return nil, err
	}
	started, err := program.Start(ctx, jsengine.Config{Module: module, Files: map[string][]byte{
		"tools/bench/works.js":    works,
		"tools/bench/baseline.js": baseline,
		"tools/bench/text.js":     text,
		"tools/bench/stream":      s.broadcasts(),
	}})
	return &engine{started, name, program.Version, len(s.frames)}, err
}

// module renders by the module.
func (e *engine) module(detail, frames int) *contender {
	return e.contender("", frames, func(first uint64) jsengine.Request { return jsengine.Render(detail, first, frames) })
}

// javascript renders without it.
func (e *engine) javascript(detail, frames int) *contender {
	return e.contender("javascript in ", frames, func(first uint64) jsengine.Request { return javascript(detail, first, frames) })
}

func javascript(detail int, first uint64, count int) jsengine.Request {
	return jsengine.Request{Script: script, Work: "javascript", Detail: detail, First: first, Count: count}
}

// javascriptText renders without it, by way of text.
func (e *engine) javascriptText(detail, frames int) *contender {
	return e.contender("javascript by text in ", frames, func(first uint64) jsengine.Request {
		return javascriptText(detail, first, frames)
	})
}

func javascriptText(detail int, first uint64, count int) jsengine.Request {
	return jsengine.Request{Script: script, Work: "javascriptText", Detail: detail, First: first, Count: count}
}

func (e *engine) decoder() *contender {
	return e.contender("decode in ", e.streamFrames, func(uint64) jsengine.Request {
		return jsengine.Request{Script: script, Work: "decode"}
	})
}

func (e *engine) contender(what string, frames int, ask func(first uint64) jsengine.Request) *contender {
	return &contender{name: what + e.name, frames: frames, turn: func(ctx context.Context, round int) (time.Duration, error) {
		answer, err := e.Do(ctx, ask(firstOf(round, frames)))
		return time.Duration(answer.Micros * float64(time.Microsecond)), err
	}}
}
