//go:build !race

package main

// raceEnabled reports whether the tests look for data races.
const raceEnabled = false
