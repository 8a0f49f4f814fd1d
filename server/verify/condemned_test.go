package verify

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/distributed-donut/donut/wasm/donut"
)

// idleInstance returns the only instance of a pool.
func idleInstance(t *testing.T, p *Pool) *instance {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) != 1 {
		t.Fatalf("got %d idle instances, want 1", len(p.idle))
	}
	return p.idle[0]
}

func TestFailedCallCondemnsItsInstance(t *testing.T) {
	for _, c := range []struct {
		name  string
		frame uint64
		want  string
	}{
		{"trap", frameTraps, "unreachable"},
		{"refusal", frameRefuse, refusal},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openFake(t, Config{Instances: 1})
			if _, err := p.Render(t.Context(), 0, 1); err != nil {
				t.Fatal(err)
			}
			bad := idleInstance(t, p)
			if _, err := p.Render(t.Context(), c.frame, 1); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			if !bad.module.IsClosed() {
				t.Error("the instance is still open")
			}
			if _, err := p.Render(t.Context(), 0, 1); err != nil {
				t.Errorf("the next call: %v", err)
			}
			if idleInstance(t, p) == bad {
				t.Error("the instance is in use again")
			}
			if s := p.Stats(); s.Condemned != 1 || s.Started != 2 || s.Rendered != 2 || s.Overdue != 0 {
				t.Errorf("stats: got %+v, want 1 condemned of 2 instances and 2 frames", s)
			}
		})
	}
}

// holdUp makes a call overdue inside the module, and returns its instance and what lets the call end.
func holdUp(t *testing.T, p *Pool) (stuck *instance, release func()) {
	t.Helper()
	if _, err := p.Render(t.Context(), 0, 1); err != nil {
		t.Fatal(err)
	}
	stuck = idleInstance(t, p)
	release = sync.OnceFunc(func() { stuck.module.Memory().WriteByte(0, 1) })
	t.Cleanup(release)

	patient := p.cfg.Overdue
	defer func() { p.cfg.Overdue = patient }()
	p.cfg.Overdue = time.Millisecond
	if _, err := p.Render(t.Context(), frameLoops, 1); !errors.Is(err, ErrOverdue) {
		t.Fatalf("got %v, want ErrOverdue", err)
	}
	return stuck, release
}

func TestOverdueCall(t *testing.T) {
	p := openFake(t, Config{Instances: 1})
	stuck, release := holdUp(t, p)
	if _, err := p.Render(t.Context(), 0, 1); err != nil {
		t.Errorf("beside the overdue call: %v", err)
	}
	if idleInstance(t, p) == stuck {
		t.Error("the instance is in use again")
	}
	if s := p.Stats(); s.Overdue != 1 || s.Condemned != 1 || s.Started != 2 {
		t.Errorf("stats: got %+v, want 1 overdue, 1 condemned, 2 started", s)
	}
	release()
	for p.stuck.Load() != 0 {
		runtime.Gosched()
	}
	if !stuck.module.IsClosed() {
		t.Error("the instance is still open after its call has ended")
	}
}

func TestCloseWaitsForAnOverdueCall(t *testing.T) {
	p := openFake(t, Config{Instances: 1})
	_, release := holdUp(t, p)
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := p.Close(soon); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Close during the call: got %v, want that it gave up waiting", err)
	}
	release()
	if err := p.Close(t.Context()); err != nil {
		t.Errorf("Close after the call: %v", err)
	}
}

func TestOverdueCallsHaveALimit(t *testing.T) {
	p := openFake(t, Config{Instances: 1})
	p.stuck.Add(maxStuck)
	if _, err := p.Render(t.Context(), 0, 1); !errors.Is(err, ErrOverdue) {
		t.Errorf("got %v, want ErrOverdue", err)
	}
	p.stuck.Add(-1)
	if _, err := p.Render(t.Context(), 0, 1); err != nil {
		t.Error(err)
	}
}

// TestPanicOfGo shows why an error condemns: wazero sees a trap, and takes the instance for a good one still.
func TestPanicOfGo(t *testing.T) {
	p := newPool(t, Config{Detail: 1, Instances: 1})
	i := idleInstance(t, p)
	_, err := i.call("hash", api.EncodeI32(-1))
	if err == nil || !strings.Contains(err.Error(), "slice bounds out of range") {
		t.Errorf("got %v, want what the module said before it trapped", err)
	}
	if i.module.IsClosed() {
		t.Error("wazero closes such an instance now: say so in the documentation of instance")
	}
}

// TestGarbageIsCollected has the module make and drop a gigabyte: each change of detail makes a renderer's tables anew.
// With the clocks that wazero gives by default, Go's collector never runs, and the call traps when the memory has
// reached its limit.
func TestGarbageIsCollected(t *testing.T) {
	p := newPool(t, Config{Detail: 1, Instances: 1})
	i := idleInstance(t, p)
	details := []int{donut.MaxDetail, donut.MaxDetail - 1}
	for churned, n := uint64(0), 0; churned < 1<<30; n++ {
		detail := details[n%len(details)]
		if _, err := i.render(detail, 0, 0); err != nil {
			t.Fatalf("after %d MiB, memory of %d KiB: %v", churned>>20, i.module.Memory().Size()>>10, err)
		}
		churned += rendererSize(detail)
	}
	if size := i.module.Memory().Size(); size >= memoryPages<<16 {
		t.Errorf("memory: got %d KiB, want under %d", size>>10, memoryPages<<6)
	}
}

// sizes holds what rendererSize has measured.
var sizes = map[int]uint64{}

// rendererSize returns how many bytes a renderer of that detail allocates, garbage included.
func rendererSize(detail int) uint64 {
	if _, ok := sizes[detail]; !ok {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		runtime.KeepAlive(donut.NewRenderer(detail))
		runtime.ReadMemStats(&after)
		sizes[detail] = after.TotalAlloc - before.TotalAlloc
	}
	return sizes[detail]
}

func TestHeadKeepsTheFirstLine(t *testing.T) {
	var h head
	for range 10 {
		if n, err := h.Write(bytes.Repeat([]byte("x"), 100)); n != 100 || err != nil {
			t.Fatalf("Write: got %d, %v", n, err)
		}
	}
	if len(h.String()) != maxHead {
		t.Errorf("got %d bytes, want %d", len(h.String()), maxHead)
	}
	if h = (head{}); h.String() != "" {
		t.Errorf("got %q of nothing", h.String())
	}
	if _, _ = h.Write([]byte("panic: no\n\ngoroutine 1")); h.String() != "panic: no" {
		t.Errorf("got %q, want the first line", h.String())
	}
}
