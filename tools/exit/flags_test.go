package exit

import (
	"errors"
	"flag"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		args   string
		want   error
		size   int
		rest   []string // where a command takes them
		stdout string
		text   string // of the error
	}{
		{args: "", size: 7},
		{args: "-size 3", size: 3},
		{args: "-size x", want: ErrUsage, text: `"x"`},
		{args: "-colour red", want: ErrUsage, text: "-colour"},
		{args: "-size 3 a b", size: 3, rest: []string{"a", "b"}},
		{args: "-h", want: flag.ErrHelp, stdout: "Usage: tool\n  -size letters"},
	} {
		for _, some := range []bool{false, true} {
			flags := Flags("tool")
			size := flags.Int("size", 7, "of the `letters`")
			parse, want, text := ParseSome, c.want, c.text
			if !some {
				parse = Parse
				if c.rest != nil {
					want, text = ErrUsage, `got argument "a", want flags alone`
				}
			}
			var stdout strings.Builder
			err := parse(flags, strings.Fields(c.args), "Usage: tool\n", &stdout)
			if !errors.Is(err, want) || err != nil && !strings.Contains(err.Error(), text) || !strings.HasPrefix(stdout.String(), c.stdout) {
				t.Errorf("%q: %v and %q, want %v with %q and %q", c.args, err, stdout.String(), want, text, c.stdout)
			}
			if want == nil && (*size != c.size || !slices.Equal(flags.Args(), c.rest)) {
				t.Errorf("%q: size %d and %q, want %d and %q", c.args, *size, flags.Args(), c.size, c.rest)
			}
			if c.stdout == "" && stdout.Len() > 0 {
				t.Errorf("%q: prints %q", c.args, stdout.String())
			}
		}
	}
}
