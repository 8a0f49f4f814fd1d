package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// printVersion says what this program was built of: its commit, its compiler, and its module, which is empty where it
// was not built.
func printVersion(w io.Writer, module []byte) {
	sum := "unknown: run make build"
	if len(module) > 0 {
		sum = fmt.Sprintf("%x", sha256.Sum256(module))
	}
	info, _ := debug.ReadBuildInfo()
	fmt.Fprintf(w, "donut-server %s\n%s %s/%s\nmodule sha256 %s\n",
		commit(info), runtime.Version(), runtime.GOOS, runtime.GOARCH, sum)
}

// commit is what a program was built of: a commit's hash, followed by "+dirty" where files were changed since, or
// "unknown", as outside of a repository or for nil.
func commit(info *debug.BuildInfo) string {
	revision, dirty := "unknown", ""
	if info == nil {
		return revision
	}
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && setting.Value != "":
			revision = setting.Value
		case setting.Key == "vcs.modified" && setting.Value == "true":
			dirty = "+dirty"
		}
	}
	return revision + dirty
}
