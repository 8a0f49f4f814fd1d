package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/distributed-donut/donut/web"
)

//go:embed driver.mjs
var driver []byte

//go:embed baseline.mjs
var baseline []byte

// A node is a process of node's that runs driver.mjs with the module and the code that loads it in a browser. Its
// methods are not safe for concurrent use.
type node struct {
	version      string
	streamFrames int // of the stream that it decodes

	dir     string // holds all that it reads
	command *exec.Cmd
	stdin   io.WriteCloser
	answers *json.Decoder
	stderr  bytes.Buffer // to be read once the process has ended
}

// What the driver can do.
type (
	request struct {
		Work   string `json:"work"` // v8, javascript or decode
		Detail int    `json:"detail,omitempty"`
		First  uint64 `json:"first"`
		Count  int    `json:"count"`
		Keep   bool   `json:"keep"` // answer the packed frames, too
		File   string `json:"file,omitempty"`
	}
	response struct {
		Micros float64 `json:"us"`
		Packed []byte  `json:"packed"`
		Error  string  `json:"error"`
	}
)

// startNode starts the process. The error wraps exec.ErrNotFound where there is no such command. The caller must close
// the node.
func startNode(ctx context.Context, command string, module []byte, s *stream) (_ *node, err error) {
	version, err := exec.CommandContext(ctx, command, "--version").Output()
	if err != nil {
		return nil, fmt.Errorf("ask node for its version: %w", err)
	}
	n := &node{version: strings.TrimSpace(string(version)), streamFrames: len(s.frames)}
	if n.dir, err = os.MkdirTemp("", "donut-bench-"); err != nil {
		return nil, fmt.Errorf("start node: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(n.dir)
			err = fmt.Errorf("start node: %w", err)
		}
	}()
	if err := n.fill(module, s); err != nil {
		return nil, err
	}
	n.command = exec.CommandContext(ctx, command, n.path("driver.mjs"), n.path("module.wasm"))
	n.command.Stderr = &n.stderr
	if n.stdin, err = n.command.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := n.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	n.answers = json.NewDecoder(stdout)
	return n, n.command.Start()
}

func (n *node) path(name string) string { return filepath.Join(n.dir, name) }

// fill writes what the driver reads.
func (n *node) fill(module []byte, s *stream) error {
	for name, content := range map[string][]byte{
		"driver.mjs":   driver,
		"baseline.mjs": baseline,
		"module.wasm":  module,
		"stream":       s.broadcasts(),
		"package.json": []byte(`{"type":"module"}`), // js/ are modules, as in a page
	} {
		if err := os.WriteFile(n.path(name), content, 0o600); err != nil {
			return err
		}
	}
	js, err := fs.Sub(web.Static(), "js")
	if err != nil {
		return err
	}
	return os.CopyFS(n.path("js"), js)
}

// do has the driver do one thing.
func (n *node) do(r request) (response, error) {
	var answer response
	err := json.NewEncoder(n.stdin).Encode(r)
	if err == nil {
		err = n.answers.Decode(&answer)
	}
	if err != nil {
		n.stdin.Close()
		_ = n.command.Wait() // so that all it said is there
		return response{}, fmt.Errorf("node: %w: %s", err, strings.TrimSpace(n.stderr.String()))
	}
	if answer.Error != "" {
		return response{}, fmt.Errorf("node: %s", answer.Error)
	}
	return answer, nil
}

// close ends the process and waits for it.
func (n *node) close() {
	n.stdin.Close()
	_ = n.command.Wait() // it may have ended before, and has nothing to lose
	os.RemoveAll(n.dir)
}

func (n *node) renderer(work string, detail, frames int) *contender {
	return n.contender(frames, func(round int) request {
		return request{Work: work, Detail: detail, First: firstOf(round, frames), Count: frames}
	}, work)
}

func (n *node) decoder() *contender {
	return n.contender(n.streamFrames, func(int) request { return request{Work: "decode", File: n.path("stream")} }, "decode in v8")
}

func (n *node) contender(frames int, ask func(round int) request, name string) *contender {
	return &contender{name: name, frames: frames, turn: func(_ context.Context, round int) (time.Duration, error) {
		answer, err := n.do(ask(round))
		return time.Duration(answer.Micros * float64(time.Microsecond)), err
	}}
}
