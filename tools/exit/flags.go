package exit

import (
	"errors"
	"flag"
	"fmt"
	"io"
)

// Flags returns a command's flags, none yet. Errors are reported once, at the exit.
func Flags(command string) *flag.FlagSet {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	return flags
}

// Parse parses the arguments of a command that takes flags alone. Where these ask for help it prints usage, and what each
// flag says of itself, and returns flag.ErrHelp; any other error wraps ErrUsage.
func Parse(flags *flag.FlagSet, args []string, usage string, stdout io.Writer) error {
	if err := ParseSome(flags, args, usage, stdout); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: got argument %q, want flags alone", ErrUsage, flags.Arg(0))
	}
	return nil
}

// ParseSome is Parse for a command that takes other arguments, too, behind its flags.
func ParseSome(flags *flag.FlagSet, args []string, usage string, stdout io.Writer) error {
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return nil
}
