package main

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/distributed-donut/donut/tools/progress"
)

// testDetail has shards of nine frames.
const testDetail = 32

// A clerk is a fake that counts what it renders and whether it was closed, and refuses frames from some number on.
type clerk struct {
	fake
	refuses uint64

	mu       sync.Mutex
	rendered map[uint64]int
	open     int
}

func newClerk(name string, forged ...uint64) *clerk {
	c := &clerk{fake: fake{name: name, forged: make(map[uint64]bool)}, refuses: math.MaxUint64, rendered: make(map[uint64]int)}
	for _, n := range forged {
		c.forged[n] = true
	}
	return c
}

var errRefused = errors.New("refused")

func (c *clerk) Render(ctx context.Context, first uint64, count int) ([]byte, error) {
	if first+uint64(count) > c.refuses {
		return nil, errRefused
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range count {
		c.rendered[first+uint64(i)]++
	}
	return c.fake.Render(ctx, first, count)
}

func (c *clerk) Close() { c.open-- }

func (c *clerk) maker(version string) maker {
	return maker{c.name, version, func(context.Context) (engine, error) {
		c.open++
		return c, nil
	}}
}

// account accounts for a hundred frames and returns the summary.
func account(t *testing.T, file string, module checksum, makers ...maker) (summary string, err error) {
	t.Helper()
	book, err := openLedger(file)
	if err != nil {
		t.Fatal(err)
	}
	defer book.close()
	a := accountant{
		book: book, shards: shardsOf(module, testDetail, 0, 100), makers: makers,
		reference: newClerk("reference").maker("1"), line: progress.New(nil),
	}
	var out bytes.Buffer
	err = a.run(t.Context(), &out)
	return out.String(), err
}

func TestShards(t *testing.T) {
	for _, c := range []struct {
		detail int
		first  uint64
		count  int
		want   []shard
	}{
		{1, 0, 600, []shard{{Detail: 1, First: 0, Count: 600}}},
		{1, 0, 20_000, []shard{{Detail: 1, First: 0, Count: 10_000}, {Detail: 1, First: 10_000, Count: 10_000}}},
		{1, 9_999, 10_002, []shard{{Detail: 1, First: 9_999, Count: 1}, {Detail: 1, First: 10_000, Count: 10_000}, {Detail: 1, First: 20_000, Count: 1}}},
		{8, 155, 3, []shard{{Detail: 8, First: 155, Count: 1}, {Detail: 8, First: 156, Count: 2}}},
		{32, math.MaxUint64 - 6, 6, []shard{{Detail: 32, First: math.MaxUint64 - 6, Count: 6}}},
	} {
		if got := shardsOf(checksum{}, c.detail, c.first, c.count); !slices.Equal(got, c.want) {
			t.Errorf("detail %d, %d frames from %d on: got %v, want %v", c.detail, c.count, c.first, got, c.want)
		}
	}
}

func TestNothingIsRenderedTwice(t *testing.T) {
	file := tempLedger(t, "")
	left, right := newClerk("left"), newClerk("right")
	right.refuses = 36
	if _, err := account(t, file, checksum{}, left.maker("1"), right.maker("1")); !errors.Is(err, errRefused) {
		t.Fatalf("got %v, want %v", err, errRefused)
	}
	if len(left.rendered) != 45 || len(right.rendered) != 36 {
		t.Errorf("got %d and %d frames rendered, want 45 and 36", len(left.rendered), len(right.rendered))
	}
	right.refuses = math.MaxUint64
	want := ""
	for range 2 {
		summary, err := account(t, file, checksum{}, left.maker("1"), right.maker("1"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(summary, "100 frames from 0 on at detail 32: 2 engines agree\n") {
			t.Errorf("got summary\n%s", summary)
		}
		if want != "" && summary != want {
			t.Errorf("the second summary: got\n%s\nwant\n%s", summary, want)
		}
		want = summary
	}
	for _, c := range []*clerk{left, right} {
		if len(c.rendered) != 100 || c.open != 0 {
			t.Errorf("%s: got %d frames rendered, left open %d times, want 100 and 0", c.name, len(c.rendered), c.open)
		}
		for n, times := range c.rendered {
			if times != 1 {
				t.Errorf("%s rendered frame %d %d times", c.name, n, times)
			}
		}
	}
}

func TestOthersRenderAnew(t *testing.T) {
	file := tempLedger(t, "")
	left, right := newClerk("left"), newClerk("right")
	liar, heir := newClerk("left", 3), newClerk("left")
	if _, err := account(t, file, checksum{1}, liar.maker("1"), newClerk("right", 3).maker("1")); err != nil {
		t.Fatal(err)
	}
	if _, err := account(t, file, checksum{2}, left.maker("1"), right.maker("1")); err != nil {
		t.Errorf("the entries of another module counted: %v", err)
	}
	summary, err := account(t, file, checksum{2}, heir.maker("2"))
	if err != nil {
		t.Error(err)
	}
	if len(left.rendered) != 100 || len(heir.rendered) != 100 {
		t.Errorf("got %d frames rendered for another module, %d by another version, want 100 of each", len(left.rendered), len(heir.rendered))
	}
	for _, want := range []string{"left 1", "left 2", "right 1", ": 3 engines agree\n"} {
		if !strings.Contains(summary, want) {
			t.Errorf("the summary lacks %q:\n%s", want, summary)
		}
	}
}

func TestEntriesOfPartOfTheRange(t *testing.T) {
	file := tempLedger(t, "")
	slow := newClerk("slow")
	slow.refuses = 30
	if _, err := account(t, file, checksum{}, newClerk("left").maker("1"), slow.maker("1")); !errors.Is(err, errRefused) {
		t.Fatal(err)
	}
	summary, err := account(t, file, checksum{}, newClerk("left").maker("1"), newClerk("right").maker("1"))
	if err != nil {
		t.Fatal(err)
	}
	if lines := strings.Split(summary, "\n"); len(lines) != 6 || !strings.HasPrefix(lines[3], "slow 1   27      the same, as far") ||
		!strings.HasSuffix(summary, ": 2 engines agree, 1 more as far as they go\n") {
		t.Errorf("got summary\n%s", summary)
	}
}

func TestForgerIsFound(t *testing.T) {
	const evidence = "forger differs from right: verify: frame 31: 1 cells differ, the first at row 2, column 42: got level 0, want 1"
	for _, c := range []struct {
		name string
		run  func(t *testing.T, file string) error
		want []string
	}{
		{"beside others", func(t *testing.T, file string) error {
			_, err := account(t, file, checksum{}, newClerk("right").maker("1"), newClerk("forger", 31, 33, 77).maker("1"), newClerk("left").maker("1"))
			return err
		}, []string{"frames 27 to 35 at detail 32 differ", " forger 1\n", "2 of 9 frames differ", evidence}},
		{"alone", func(t *testing.T, file string) error {
			if _, err := account(t, file, checksum{}, newClerk("right").maker("1"), newClerk("left").maker("1")); err != nil {
				t.Fatal(err)
			}
			_, err := account(t, file, checksum{}, newClerk("forger", 31).maker("1"))
			return err
		}, []string{"frames 27 to 35 at detail 32 differ", strings.Replace(evidence, "right", "reference", 1)}},
		{"gone", func(t *testing.T, file string) error {
			if _, err := account(t, file, checksum{}, newClerk("left", 31).maker("1"), newClerk("right", 31).maker("1")); err != nil {
				t.Fatal(err)
			}
			_, err := account(t, file, checksum{}, newClerk("left").maker("2"), newClerk("right").maker("2"))
			return err
		}, []string{"frames 27 to 35 at detail 32 differ", " left 1\n", " left 2\n", "in the ledger alone"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := c.run(t, tempLedger(t, ""))
			if err == nil {
				t.Fatal("they agree")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant %q in it", err, want)
				}
			}
		})
	}
}

func TestNobodyToCompareWith(t *testing.T) {
	file := tempLedger(t, "")
	for range 2 {
		if _, err := account(t, file, checksum{}, newClerk("left").maker("1")); err == nil || !strings.Contains(err.Error(), "left 1 alone") {
			t.Errorf("got %v", err)
		}
	}
	twice := tempLedger(t, strings.Repeat(textOf(t, file), 2))
	if _, err := account(t, twice, checksum{}, newClerk("left").maker("1")); err == nil || !strings.Contains(err.Error(), "frames 0 to 8 at detail 32: got them of left 1 alone") {
		t.Errorf("with its entry twice: got %v", err)
	}
}
