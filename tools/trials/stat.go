package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of the times in /proc: a hundredth of a second on every Linux that Go runs on.
const tick = time.Second / 100

// parseStat returns the time in user and kernel mode that a line of /proc/pid/stat tells; see proc_pid_stat(5).
func parseStat(line string) (time.Duration, error) {
	values := strings.Fields(line[strings.LastIndexByte(line, ')')+1:]) // the name before may hold anything
	const user, kernel = 14 - 3, 15 - 3                                 // the first value here is the third field
	if len(values) <= kernel {
		return 0, fmt.Errorf("got %q of /proc, want at least 15 fields", line)
	}
	var total time.Duration
	for _, value := range []string{values[user], values[kernel]} {
		ticks, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("parse /proc's time: %w", err)
		}
		total += time.Duration(ticks) * tick
	}
	return total, nil
}
