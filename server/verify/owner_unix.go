//go:build unix

package verify

import (
	"fmt"
	"io/fs"
	"syscall"
)

// ownerOf returns the user that owns the file.
func ownerOf(info fs.FileInfo) (int, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("got a %T, want a *syscall.Stat_t", info.Sys())
	}
	return int(stat.Uid), nil
}
