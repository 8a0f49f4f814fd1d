// Command typeface draws the typeface that the page sets the donut in: one letter for each luminance, heavier and in a
// colour of its own the brighter it is. So a picture is coloured by what it is written with, and costs a browser no more
// than any other text.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/distributed-donut/donut/tools/exit"
)

const usage = `Usage: typeface -o FILE

Typeface writes the page's typeface as a TrueType file: the donut's letters, all of one width, as
outlines (glyf) and as coloured layers (COLR 0, with a palette for dark pages and one for light ones).

Exit status: 0, 1 when it could not be written, 2 on bad usage.
`

func main() {
	exit.Run("typeface", func(context.Context) error { return run(os.Args[1:], os.Stdout) })
}

func run(args []string, stdout io.Writer) error {
	flags := flag.NewFlagSet("typeface", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are reported once, at the exit
	file := flags.String("o", "", "the file")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", exit.ErrUsage, err)
	case flags.NArg() > 0:
		return fmt.Errorf("%w: got argument %q, want none", exit.ErrUsage, flags.Arg(0))
	case *file == "":
		return fmt.Errorf("%w: got no -o, want the file to write", exit.ErrUsage)
	}
	return os.WriteFile(*file, typeface(), 0o644)
}
