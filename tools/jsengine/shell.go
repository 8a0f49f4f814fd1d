package jsengine

import (
	"bufio"
	"context"
	"io"
	"path/filepath"
	"time"
)

// A shell is a process that takes a request a line on its standard input, and answers each by a line on its standard
// output.
type shell struct {
	*process
	stdin   io.WriteCloser
	answers *bufio.Scanner
}

// shells starts a shell for each thread, which runs a script of this folder.
func shells(script string) func(ctx context.Context, e *Engine, path string, threads int) error {
	return func(ctx context.Context, e *Engine, path string, threads int) error {
		var all []*shell
		e.close = func() {
			for _, s := range all {
				s.stdin.Close() // together, so that the slowest is what closing takes
			}
			for _, s := range all {
				s.end()
			}
		}
		for range threads {
			s, err := startShell(ctx, path, e.dir, script)
			if err != nil {
				return err
			}
			all = append(all, s)
			e.idle <- s
		}
		return nil
	}
}

func startShell(ctx context.Context, path, dir, script string) (*shell, error) {
	script = filepath.Join(dir, "tools/jsengine", script)
	args := []string{script}
	if filepath.Base(script) == "jsc.js" {
		args = []string{"-m", script, "--", filepath.Join(dir, modulePath)}
	}
	s := &shell{process: newProcess(ctx, path, args...)}
	var err error
	if s.stdin, err = s.command.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := s.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.answers = bufio.NewScanner(stdout)
	s.answers.Buffer(nil, maxAnswer)
	if err := s.command.Start(); err != nil {
		s.kill()
		return nil, err
	}
	return s, nil
}

func (s *shell) ask(ctx context.Context, request []byte) ([]byte, error) {
	stop := context.AfterFunc(ctx, s.kill) // which ends the calls below
	defer stop()
	_, err := s.stdin.Write(append(request, '\n'))
	if err == nil && s.answers.Scan() {
		return s.answers.Bytes(), nil
	}
	if err := s.answers.Err(); err != nil {
		return nil, err
	}
	return nil, s.end()
}

// end waits for the process, which has nothing more to read, and says how it ended.
func (s *shell) end() error {
	s.stdin.Close()
	defer time.AfterFunc(grace, s.kill).Stop()
	return s.wait()
}
