package verify

import (
	"syscall"
	"time"
	"unsafe"
)

// threadTime is Linux's CLOCK_THREAD_CPUTIME_ID.
const threadTime = 3

// processorTime returns the processor time that the calling thread has taken so far: what an audit costs is not how long
// it had to wait for a processor. Getrusage says it too, but only as it was when the scheduler last looked, some
// milliseconds ago, so that most audits of a frame would cost nothing, and some too much.
func processorTime() time.Duration {
	var t syscall.Timespec
	_, _, err := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadTime, uintptr(unsafe.Pointer(&t)), 0)
	if err != 0 {
		panic(err) // of arguments that are wrong, and these are not
	}
	return time.Duration(t.Nano())
}
