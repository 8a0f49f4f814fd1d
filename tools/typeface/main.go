// Command typeface draws the typeface that the page sets the donut in: one letter for each luminance, heavier and in a
// colour of its own the brighter it is. So a picture is coloured by what it is written with, and costs a browser no more
// than any other text.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/distributed-donut/donut/tools/exit"
)

const usage = `Usage: typeface -o FILE

Typeface writes the page's typeface as a TrueType file: the donut's letters, all of one width, as
outlines (glyf) and as coloured layers (COLR 0, with a palette for dark pages and one for light ones).

Exit status: 0, 1 when it could not be written, 2 on bad usage.

Flags:
`

func main() {
	exit.Run("typeface", func(context.Context) error { return run(os.Args[1:], os.Stdout) })
}

func run(args []string, stdout io.Writer) error {
	flags := exit.Flags("typeface")
	file := flags.String("o", "", "write to this `file`")
	if err := exit.Parse(flags, args, usage, stdout); err != nil {
		return err
	}
	if *file == "" {
		return fmt.Errorf("%w: got no -o, want the file to write", exit.ErrUsage)
	}
	return os.WriteFile(*file, typeface(), 0o644)
}
