package handle

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func of(number uint32) (adjective, noun string) {
	adjective, noun, _ = strings.Cut(string(Append(nil, number)), " ")
	return adjective, noun
}

func TestConsecutiveNumbersHaveHandlesOfTheirOwn(t *testing.T) {
	for _, first := range []uint32{0, 1, 12_345, math.MaxUint32 - handles + 1} {
		seen := make(map[string]uint32, handles)
		for i := range uint32(handles) {
			h := string(Append(nil, first+i))
			if other, ok := seen[h]; ok {
				t.Fatalf("%d and %d are both %q", other, first+i, h)
			}
			seen[h] = first + i
		}
	}
}

func TestNeighboursHaveNoWordInCommon(t *testing.T) {
	const near = 233
	var all [handles + near][2]string
	for n := range all {
		all[n][0], all[n][1] = of(uint32(n))
	}
	for n, one := range all[:handles] {
		for i, other := range all[n+1 : n+near] {
			if one[0] == other[0] || one[1] == other[1] {
				t.Fatalf("%d is %q, and %d is %q", n, one, n+1+i, other)
			}
		}
	}
}

// TestNeighboursDoNotBeginAlike holds what an order of the alphabet would bring about.
func TestNeighboursDoNotBeginAlike(t *testing.T) {
	for n := range uint32(handles) {
		a, b := of(n)
		if c, d := of(n + 1); a[0] == c[0] || b[0] == d[0] {
			t.Fatalf("%d is %q, and %d is %q", n, a+" "+b, n+1, c+" "+d)
		}
	}
}

func TestAppendKeepsWhatIsThere(t *testing.T) {
	if got, want := string(Append([]byte("I am "), 7)), "I am "+string(Append(nil, 7)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	dst := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { Append(dst, 7) }); n != 0 {
		t.Errorf("a handle takes %v allocations, want 0", n)
	}
}

func TestWords(t *testing.T) {
	for name, list := range map[string][256]string{"adjectives": adjectives, "nouns": nouns} {
		if !slices.IsSorted(list[:]) {
			t.Errorf("the %s are not in the order of the alphabet", name)
		}
		for i, word := range list {
			if len(word) < 3 || len(word) > 8 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%q is not 3 to 8 small letters", word)
			}
			for _, other := range list[:i] {
				if alike(word, other) {
					t.Errorf("%q and %q are too much alike", word, other)
				}
			}
		}
	}
	for _, word := range adjectives {
		if slices.Contains(nouns[:], word) {
			t.Errorf("%q is in both lists", word)
		}
	}
}

// alike reports whether one letter more, less or other makes one word the other, or two that change places.
func alike(a, b string) bool {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	swapped := len(a) == 2 && len(b) == 2 && a[0] == b[1] && a[1] == b[0]
	return len(a) <= 1 && len(b) <= 1 || swapped
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"otter", "otter", true}, {"hare", "care", true}, {"robin", "robing", true}, {"stork", "stok", true},
		{"finch", "fnich", true}, {"", "a", true}, {"quick", "quiet", false}, {"owl", "elk", false}, {"abcd", "badc", false},
	} {
		if alike(c.a, c.b) != c.want || alike(c.b, c.a) != c.want {
			t.Errorf("%q and %q are alike: got %v, want %v", c.a, c.b, !c.want, c.want)
		}
	}
}
