package exit

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"
)

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		err    error
		want   int
		stderr string
	}{
		{nil, 0, ""},
		{fmt.Errorf("parse: %w", flag.ErrHelp), 0, ""},
		{errors.New("no file"), 1, "tool: no file\n"},
		{fmt.Errorf("%w: got 3, want 2", ErrUsage), 2, "tool: bad usage: got 3, want 2\nRun tool -h for usage.\n"},
	} {
		var stderr strings.Builder
		if got := Status("tool", c.err, &stderr); got != c.want || stderr.String() != c.stderr {
			t.Errorf("%v ends with %d and %q, want %d and %q", c.err, got, stderr.String(), c.want, c.stderr)
		}
	}
}
