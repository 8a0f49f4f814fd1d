// Command wasmbuild compiles the module that tabs and the server run. It is what `make build` calls; the flags are in
// package build.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/distributed-donut/donut/tools/wasmbuild/build"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	output := flag.String("o", "web/dist/donut.wasm", "write the module to this `file`")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "wasmbuild: unexpected argument %q\n", flag.Arg(0))
		os.Exit(2)
	}
	if err := build.Build(ctx, *output); err != nil {
		fmt.Fprintln(os.Stderr, "wasmbuild:", err)
		os.Exit(1)
	}
}
