package verify

import (
	"syscall"
	"time"
)

// processorTime returns the processor time that the calling thread has taken so far: what an audit costs is not how long
// it had to wait for a processor.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &usage); err != nil {
		panic(err) // of arguments that are wrong, and these are not
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
