//go:build !unix

package jsengine

import "os/exec"

// killFamily does nothing: only the command itself is killed.
func killFamily(*exec.Cmd) {}
