package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/distributed-donut/donut/wasm/donut"
)

func TestSelfTest(t *testing.T) {
	instantiate()
	for range 2 {
		if n := SelfTest(); n != 0 {
			t.Errorf("self-test answers %s, want 0", answer(t, n))
		}
	}
}

// verified is what Verify answers.
type verified struct {
	Cells           int
	Aired, Rendered string
}

func verify(t testing.TB, detail int32, frame uint64, text []byte) (got verified) {
	t.Helper()
	if err := json.Unmarshal(answer(t, Verify(detail, frame, pass(text))), &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func textOf(detail int, frame uint64) []byte {
	var p donut.Picture
	donut.NewRenderer(detail).Render(&p, frame)
	return p.AppendText(nil)
}

func TestVerify(t *testing.T) {
	instantiate()
	for _, c := range []struct {
		detail int
		frame  uint64
	}{{1, 0}, {3, 1 << 40}, {1, 150}} {
		right := textOf(c.detail, c.frame)
		if got := verify(t, int32(c.detail), c.frame, right); got != (verified{}) {
			t.Errorf("frame %d of detail %d, as it is: %+v", c.frame, c.detail, got)
		}
		for _, cells := range [][]int{{0}, {donut.TextSize - 1}, {5, 900, 901}} {
			forged := append([]byte(nil), right...)
			for _, cell := range cells {
				forged[cell] ^= 1
			}
			want := verified{len(cells), fmt.Sprintf("%x", sha256.Sum256(forged)), fmt.Sprintf("%x", sha256.Sum256(right))}
			if got := verify(t, int32(c.detail), c.frame, forged); got != want {
				t.Errorf("frame %d of detail %d, forged at %v: got %+v, want %+v", c.frame, c.detail, cells, got, want)
			}
		}
	}
}

func TestVerifyRefuses(t *testing.T) {
	instantiate()
	wantRefusal(t, Verify(0, 0, donut.TextSize), "verify: detail: got 0, want 1..32")
	wantRefusal(t, Verify(donut.MaxDetail+1, 0, donut.TextSize), "detail: got 33")
	wantRefusal(t, Verify(1, 0, donut.TextSize-1), "size: got 1759, want 1760")
	wantRefusal(t, Verify(1, 0, -1), "size: got -1")
}

func TestVerifyDoesNotAllocate(t *testing.T) {
	instantiate()
	right, forged := textOf(1, 7), textOf(1, 8)
	for name, text := range map[string][]byte{"an equal frame": right, "another frame": forged} {
		if n := testing.AllocsPerRun(10, func() { Verify(1, 7, pass(text)) }); n != 0 {
			t.Errorf("%s takes %v allocations, want 0", name, n)
		}
	}
}
