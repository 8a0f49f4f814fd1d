// Command framecheck holds frames against the module: those that this program renders natively, or those that a server
// airs, now or in a recording.
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

// errUsage is wrapped by every error about how the command was called.
var errUsage = errors.New("bad usage")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	c := command{module: web.Module, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(status(c.run(ctx, os.Args[1:]), os.Stderr))
}

// status is the exit status after err, which it reports.
func status(err error, stderr io.Writer) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(stderr, "framecheck: %v\nRun framecheck -h for usage.\n", err)
		return 2
	}
	fmt.Fprintf(stderr, "framecheck: %v\n", err)
	return 1
}

// A command is what framecheck is given besides its arguments.
type command struct {
	module         func() ([]byte, error)
	stdout, stderr io.Writer
}

// run checks what args ask for. The error is nil only if all frames agree.
func (c command) run(ctx context.Context, args []string) error {
	cfg, err := parse(args, c.stdout)
	if err != nil {
		return err
	}
	module, err := c.module()
	if err != nil {
		return err
	}
	switch {
	case cfg.url != nil:
		return c.watch(ctx, cfg, module)
	case cfg.file != "":
		return c.replay(ctx, cfg, module)
	}
	return c.render(ctx, cfg, module)
}
