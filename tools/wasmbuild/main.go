// Command wasmbuild compiles the module that tabs and the server run. It is what `make build` calls; the flags are in
// package build.
package main

import (
	"context"
	"os"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/wasmbuild/build"
)

const usage = `Usage: wasmbuild [-o FILE]

Wasmbuild compiles the module, and writes it beside itself compressed.

Exit status: 0, 1 when it could not be built, 2 on bad usage.

Flags:
`

func main() {
	exit.Run("wasmbuild", func(ctx context.Context) error {
		flags := exit.Flags("wasmbuild")
		output := flags.String("o", "web/dist/donut.wasm", "write the module to this `file`")
		if err := exit.Parse(flags, os.Args[1:], usage, os.Stdout); err != nil {
			return err
		}
		return build.Build(ctx, *output)
	})
}
