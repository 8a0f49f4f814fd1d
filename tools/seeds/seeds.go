// Package seeds says from how many seeds a random test plays: few in every run, and many times as many for who looks
// for what those do not find.
package seeds

import (
	"os"
	"strconv"
	"testing"
)

// Variable is the variable of the environment that says how many times the usual number it is to be, 1 or more.
const Variable = "SEEDS"

// maxTimes is the most that the variable can say.
const maxTimes = 1_000_000

// Count returns how many seeds a test plays that usually plays so many, and logs it. The first ones are always the
// same, so that what is found with many is found again.
func Count(t testing.TB, usual int) uint64 {
	t.Helper()
	times, err := parse(os.Getenv(Variable))
	if err != nil {
		t.Fatalf("%s: got %q, want 1 to %d", Variable, os.Getenv(Variable), maxTimes)
	}
	count := uint64(usual) * times
	t.Logf("%d seeds", count)
	return count
}

func parse(text string) (times uint64, err error) {
	if text == "" {
		return 1, nil
	}
	times, err = strconv.ParseUint(text, 10, 64)
	if err == nil && (times < 1 || times > maxTimes) {
		err = strconv.ErrRange
	}
	return times, err
}
