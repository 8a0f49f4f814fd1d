package verify

import (
	"strings"
	"testing"

	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/donut"
)

// TestMemoryAtItsLimit takes away what is left of an instance's memory, so that the module asks for more in vain.
func TestMemoryAtItsLimit(t *testing.T) {
	p := newPool(t, Config{Detail: 1, Instances: 1})
	full := idleInstance(t, p)
	memory := full.module.Memory()
	if pages, ok := memory.Grow(memoryPages - memory.Size()>>16); !ok {
		t.Fatalf("memory of %d pages cannot grow to %d", pages, memoryPages)
	}
	if _, ok := memory.Grow(1); ok {
		t.Fatalf("memory grew to %d pages, want at most %d", memory.Size()>>16, memoryPages)
	}
	before := p.Stats()
	_, err := p.call(t.Context(), func(i *instance) ([]byte, error) {
		return i.render(donut.MaxDetail, 0, 1) // whose tables need megabytes
	}, func([]byte) error { return nil })
	if err == nil {
		t.Fatal("got a frame, want no memory for it")
	}
	// Go's runtime says that it is out of memory in other words for each kind of block that it asks for.
	if _, said, _ := strings.Cut(err.Error(), "the module said: "); !strings.Contains(said, "memory") {
		t.Errorf("got %v, want what the module said before it trapped", err)
	}
	if !full.module.IsClosed() {
		t.Error("the instance is still open")
	}
	if _, err := p.Check(t.Context(), 600, moduletest.Native(1, 600, 2*p.slice)); err != nil {
		t.Errorf("the next call: %v", err)
	}
	if after := p.Stats(); after.Condemned != before.Condemned+1 || after.Started != before.Started+1 {
		t.Errorf("stats: got %+v after %+v, want one condemned and one started", after, before)
	}
}
