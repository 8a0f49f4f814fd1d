//go:build unix

package jsengine

import (
	"os/exec"
	"syscall"
)

// killFamily has the end of a command's context kill the processes that it has started, too. A terminal's interrupt then
// does not reach them: the context has to end with it.
func killFamily(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) }
}
