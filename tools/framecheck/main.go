// Command framecheck holds frames against the module: those that this program renders natively, or those that a server
// airs, now or in a recording.
package main

import (
	"context"
	"io"
	"os"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/web"
)

func main() {
	c := command{module: web.Module, stdout: os.Stdout, stderr: os.Stderr}
	exit.Run("framecheck", func(ctx context.Context) error { return c.run(ctx, os.Args[1:]) })
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
