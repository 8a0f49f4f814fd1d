// Package exit says how the tools' commands are called, and how they end.
package exit

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// ErrUsage is wrapped by every error about how a command was called.
var ErrUsage = errors.New("bad usage")

// Run runs a command, whose context ends when it is interrupted or terminated, and ends the process as Status says.
func Run(command string, run func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	os.Exit(Status(command, err, os.Stderr))
}

// Status returns the exit status of a command that ends with err, which it reports: 0 without one or where help was asked
// for, 2 for bad usage, and 1.
func Status(command string, err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, ErrUsage):
		fmt.Fprintf(stderr, "%s: %v\nRun %[1]s -h for usage.\n", command, err)
		return 2
	}
	fmt.Fprintf(stderr, "%s: %v\n", command, err)
	return 1
}
