// Package jsengine runs the module in JavaScript engines, by the same code with which the page runs it: V8 as node has
// it, SpiderMonkey as Firefox has it, and JavaScriptCore as its shell has it.
package jsengine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// maxAnswer is the longest answer of an engine's, in bytes: some thousand frames.
const maxAnswer = 4 << 20

// A Config is what an engine is given to work with.
type Config struct {
	Module  []byte            // the module's file
	Threads int               // requests that it can work on at once; 0 means one
	Files   map[string][]byte // scripts of the caller's, and what they read, by slash-separated paths from the repository's root

	// Patience is how long it may take to start, and to answer a request; 0 means two minutes. An engine that takes longer
	// is ended.
	Patience time.Duration
}

// A Request asks for some work.
type Request struct {
	// Script is the file whose exported function Work does it, as a path from the folder of engine.js. The function is given
	// the request, and what engine.js calls Host.
	Script string `json:"script"`
	Work   string `json:"work"`

	Detail int    `json:"detail"`
	First  uint64 `json:"first,string"` // JavaScript's numbers do not hold all of them
	Count  int    `json:"count"`
	Keep   bool   `json:"keep"` // answer the packed frames, too
}

// Render is the request for frames by the module.
func Render(detail int, first uint64, count int) Request {
	return Request{Script: "./engine.js", Work: "render", Detail: detail, First: first, Count: count}
}

// An Answer is what a work's function returns.
type Answer struct {
	Micros float64  `json:"us"`     // microseconds that the work took, without what it takes to ask and to answer
	Packed [][]byte `json:"packed"` // one piece after the other, where the request keeps them
	Error  string   `json:"error"`  // why there is nothing else
}

// An Engine is a running one. Its methods may be called concurrently, but for Close.
type Engine struct {
	dir      string // holds all that it reads
	patience time.Duration
	idle     chan line          // as many as there are threads
	end      context.CancelFunc // ends its processes, and all that waits for them
	close    func()             // waits until they have ended

	condemning sync.Once
	condemned  chan struct{} // closed when err is set
	err        error
}

// A line leads to one thread of an engine. It has one call at a time.
type line interface {
	// ask returns the answer to a request, both without a line's end. It is the caller's until the next call. No call may
	// follow an error, or the end of ctx during a call.
	ask(ctx context.Context, request []byte) ([]byte, error)
}

// Start starts the engine. It runs until Close is called or ctx ends; the caller must call Close in either case. Several
// of them may run at once.
func (p *Program) Start(ctx context.Context, cfg Config) (_ *Engine, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("start %s: %w", p.Path, err)
		}
	}()
	cfg.Threads = max(1, cfg.Threads)
	if cfg.Patience <= 0 {
		cfg.Patience = 2 * time.Minute
	}
	dir, err := os.MkdirTemp("", "donut-engine-")
	if err != nil {
		return nil, err
	}
	if err := fill(dir, cfg); err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	e := &Engine{
		dir: dir, patience: cfg.Patience, idle: make(chan line, cfg.Threads), end: cancel, condemned: make(chan struct{}),
	}
	if err := p.kind.start(ctx, e, p.Path, cfg.Threads); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Close ends the engine and waits for its end. No other call may be under way or follow.
func (e *Engine) Close() {
	if e.close != nil {
		e.close()
	}
	e.end()
	os.RemoveAll(e.dir)
}

// Do has the engine do some work. Where the work says that it failed, the engine is as good as before; after every other
// error it has ended, and so do all calls.
func (e *Engine) Do(ctx context.Context, r Request) (Answer, error) {
	request, err := json.Marshal(r)
	if err != nil {
		return Answer{}, err
	}
	var l line
	select {
	case l = <-e.idle:
	case <-e.condemned:
		return Answer{}, e.err
	case <-ctx.Done():
		return Answer{}, context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, e.patience, fmt.Errorf("got no answer, want one within %v", e.patience))
	defer cancel()
	text, err := l.ask(ctx, request)
	if err == nil && ctx.Err() == nil {
		var answer Answer
		if answer, err = parse(text); err == nil {
			e.idle <- l
			if answer.Error != "" {
				return Answer{}, errors.New(answer.Error)
			}
			return answer, nil
		}
	} else if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	e.condemn(err)
	return Answer{}, e.err // which may have ended this call
}

// Frames renders count frames of a detail from first on by the module, and returns them packed.
func (e *Engine) Frames(ctx context.Context, detail int, first uint64, count int) ([]byte, error) {
	r := Render(detail, first, count)
	r.Keep = true
	answer, err := e.Do(ctx, r)
	return bytes.Join(answer.Packed, nil), err
}

// condemn ends the engine because of err.
func (e *Engine) condemn(err error) {
	e.condemning.Do(func() {
		e.err = err
		close(e.condemned)
		e.end()
	})
}

// parse reads an answer.
func parse(text []byte) (Answer, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var answer Answer
	err := decoder.Decode(&answer)
	if err == nil && decoder.InputOffset() != int64(len(text)) {
		err = errors.New("more than one value")
	}
	if err != nil {
		return Answer{}, fmt.Errorf("got answer %.100q: %w", text, err)
	}
	return answer, nil
}
