// Command server runs a fleet of browser tabs that render the spinning donut together: it lends them frames, verifies
// what comes back, and broadcasts it to everybody at sixty frames a second.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/distributed-donut/donut/web"
)

// Exit statuses.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// run is the program: it returns its exit status once ctx is done and everything has ended, or at once where it cannot
// start. What goes wrong is one line on stderr.
func run(ctx context.Context, args, environment []string, stdout, stderr io.Writer) int {
	cfg, err := parseConfig(args, environment, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "donut-server: %v\n", err)
		return exitUsage
	}
	module, err := web.Module()
	if cfg.version {
		printVersion(stdout, module)
		return 0
	}
	if err == nil {
		err = serve(ctx, cfg, module, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "donut-server: %v\n", err)
		return exitFailure
	}
	return 0
}
