package verify

import (
	"crypto/sha256"
	"runtime"
	"testing"
)

// TestProcessorTimeSeesWhatIsShort has each of many calls, a fraction of what an audit takes, cost something.
func TestProcessorTimeSeesWhatIsShort(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	work := make([]byte, 32<<10)
	for i := range 50 {
		start := processorTime()
		digest := sha256.Sum256(work)
		if spent := processorTime() - start; spent <= 0 {
			t.Fatalf("call %d, whose result is %x, took %v", i, digest, spent)
		}
	}
}
