package jsengine

import (
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/distributed-donut/donut/web"
)

// A Program is an engine that is installed.
type Program struct {
	Path    string
	Version string // as it says itself, on one line; never empty

	kind kind
}

// A kind is one of the engines that this package can run.
type kind struct {
	variable string   // of the environment, that names the command; empty for none
	commands []string // otherwise, the first that is there
	version  func(ctx context.Context, path string) (string, error)
	start    func(ctx context.Context, e *Engine, path string, threads int) error
}

var kinds = map[string]kind{
	"v8":           {commands: []string{"node"}, version: ask, start: shells("node.js")},
	"spidermonkey": {variable: "FIREFOX", commands: []string{"firefox-esr", "firefox"}, version: ask, start: startFirefox},
	"jsc":          {variable: "JSC", commands: []string{"jsc"}, version: library, start: shells("jsc.js")},
}

// Find looks for an engine: v8, spidermonkey or jsc. A command that is not empty is the one to run in place of those that
// the engine is usually called by. The error wraps exec.ErrNotFound where there is none.
func Find(ctx context.Context, name, command string) (*Program, error) {
	k, ok := kinds[name]
	if !ok {
		return nil, fmt.Errorf("engine: got %q, want v8, spidermonkey or jsc", name)
	}
	commands := k.commands
	if command == "" && k.variable != "" {
		command = os.Getenv(k.variable)
	}
	if command != "" {
		commands = []string{command}
	}
	var path string
	var err error
	for _, c := range commands {
		if path, err = exec.LookPath(c); err == nil {
			break
		}
	}
	if errors.Is(err, fs.ErrNotExist) { // a path with a slash
		err = fmt.Errorf("%w: %w", exec.ErrNotFound, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: looked for %s: %w", name, strings.Join(commands, " and "), err)
	}
	version, err := k.version(ctx, path)
	if err == nil && version == "" {
		err = errors.New("got none")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: version of %s: %w", name, path, err)
	}
	return &Program{Path: path, Version: version, kind: k}, nil
}

// ask has a command say its version.
func ask(ctx context.Context, path string) (string, error) {
	text, err := exec.CommandContext(ctx, path, "--version").Output()
	first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	return first, err
}

var isLibrary = regexp.MustCompile(`=> (\S*/libjavascriptcore\S*)`)

// library is the version of JavaScriptCore's shell, which does not say it: the name of the library that holds the
// engine, or the digest of a shell that holds it itself.
func library(ctx context.Context, path string) (string, error) {
	if text, err := exec.CommandContext(ctx, "ldd", path).Output(); err == nil {
		if found := isLibrary.FindSubmatch(text); found != nil {
			file, err := filepath.EvalSymlinks(string(found[1]))
			return filepath.Base(file), err
		}
	}
	file, err := os.ReadFile(path)
	return fmt.Sprintf("jsc %.4x", sha256.Sum256(file)), err
}

//go:embed *.js page.html
var scripts embed.FS

// fill writes what an engine reads, in the places where it lies in the repository.
func fill(dir string, cfg Config) error {
	js, err := fs.Sub(web.Static(), "js")
	if err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "web/static/js"), js); err != nil {
		return err
	}
	if err := os.CopyFS(filepath.Join(dir, "tools/jsengine"), scripts); err != nil {
		return err
	}
	write := func(name string, content []byte) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o600)
	}
	for name, content := range cfg.Files {
		if err := write(name, content); err != nil {
			return err
		}
	}
	if err := write("package.json", []byte(`{"type":"module"}`)); err != nil {
		return err
	}
	return write(modulePath, cfg.Module)
}

// modulePath is where the engines find the module.
const modulePath = "web/dist/donut.wasm"
