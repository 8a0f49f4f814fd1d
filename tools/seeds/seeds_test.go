package seeds

import "testing"

func TestCount(t *testing.T) {
	for value, want := range map[string]uint64{"": 7, "1": 7, "20": 140, "1000000": 7_000_000} {
		t.Setenv(Variable, value)
		if got := Count(t, 7); got != want {
			t.Errorf("%q: got %d seeds, want %d", value, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, bad := range []string{"0", "-1", "many", "1.5", "1000001", "99999999999999999999"} {
		if got, err := parse(bad); err == nil {
			t.Errorf("%q is taken for %d", bad, got)
		}
	}
}
