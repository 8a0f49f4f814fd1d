// Package leakcheck fails a package's tests when they leave goroutines behind.
package leakcheck

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// patience is how long goroutines that are ending have to end.
const patience = 5 * time.Second

// Run runs a package's tests and returns their exit status, or 1 where more goroutines are left than there were before.
// It is for TestMain.
func Run(m *testing.M) int {
	before := runtime.NumGoroutine()
	if code := m.Run(); code != 0 {
		return code
	}
	if fuzz := flag.Lookup("test.fuzz"); fuzz != nil && fuzz.Value.String() != "" {
		return 0 // the fuzzer leaves some of its own
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "%d goroutines were left behind:\n", runtime.NumGoroutine()-before)
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			return 1
		}
	}
	return 0
}
