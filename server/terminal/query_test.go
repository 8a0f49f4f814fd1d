package terminal

import (
	"net/url"
	"slices"
	"strconv"
	"testing"
)

func TestQueries(t *testing.T) {
	for query, want := range map[string]int{
		"": 30, "fps=1": 1, "fps=60": 60, "other=7": 30, "fps=24&other=1": 24, "f%70s=12": 12,
		"fps=": 0, "fps": 0, "fps=0": 0, "fps=61": 0, "fps=-1": 0, "fps=+5": 0, "fps=05": 0,
		"fps=1.5": 0, "fps=5x": 0, "fps= 5": 0,
		"fps=99999999999999999999": 0, "fps=0x10": 0, "fps=1_0": 0, "fps=5&fps=6": 0, "fps=5;": 0, "fps=%zz": 0, "%": 0,
	} {
		p, err := parsePace(query)
		if want == 0 && err == nil || want != 0 && (err != nil || int(p) != want) {
			t.Errorf("query %q: %d, %v; want %d, where 0 is an error", query, p, err, want)
		}
	}
}

// FuzzQuery holds that what is taken is in range, and prints back to what was given.
func FuzzQuery(f *testing.F) {
	for _, seed := range []string{"", "fps=30", "fps=0", "fps=61", "fps=+1", "fps=1&fps=2", "fps=%31", "x=;", "fps=١"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		p, err := parsePace(query)
		if err != nil {
			if p != 0 {
				t.Errorf("query %q: an error and %d", query, p)
			}
			return
		}
		values, err := url.ParseQuery(query)
		if err != nil || p < 1 || p > 60 {
			t.Fatalf("query %q is taken as %d", query, p)
		}
		want := []string{strconv.Itoa(int(p))}
		if given, ok := values["fps"]; ok && !slices.Equal(given, want) || !ok && p != defaultPace {
			t.Errorf("query %q gives %q, taken as %d", query, given, p)
		}
	})
}
