package jsengine

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// grace is how long a process that was told to end may take before it is killed, and its pipes afterwards.
const grace = 2 * time.Second

// A process ends with all that it has started.
type process struct {
	command *exec.Cmd
	kill    context.CancelFunc
	said    tail // on its standard error
}

// newProcess prepares a process that runs until ctx ends or it is killed.
func newProcess(ctx context.Context, path string, args ...string) *process {
	ctx, cancel := context.WithCancel(ctx)
	p := &process{command: exec.CommandContext(ctx, path, args...), kill: cancel}
	p.command.Stderr = &p.said
	p.command.WaitDelay = grace
	killFamily(p.command)
	return p
}

// wait waits for its end, and says how it came.
func (p *process) wait() error {
	err := p.command.Wait()
	p.kill() // frees the context, whichever way it ended
	how := "the process ended"
	if err != nil {
		how += ": " + err.Error()
	}
	if said := strings.TrimSpace(p.said.String()); said != "" {
		how += ": " + said
	}
	return fmt.Errorf("%s", how)
}

// A tail keeps the end of what is written to it. Its methods may be called concurrently.
type tail struct {
	mu   sync.Mutex
	text []byte
}

const tailSize = 2 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
