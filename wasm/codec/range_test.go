package codec

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/distributed-donut/donut/tools/seeds"
)

// TestRangeCoder has decisions of any probability come back, and the end with them, whatever was written before.
func TestRangeCoder(t *testing.T) {
	type decision struct{ p, n, value uint64 }
	for seed := range seeds.Count(t, 300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		likely := rng.Float64()
		all := make([]decision, rng.IntN(2000))
		for i := range all {
			all[i] = decision{p: 1 + rng.Uint64N(certain-1)}
			switch rng.IntN(4) {
			case 0:
				all[i].p = 1
			case 1:
				all[i].p = certain - 1
			case 2:
				all[i].n = 1 + rng.Uint64N(certain)
				all[i].value = all[i].n - 1 // what leads to long runs of carries
				if rng.Float64() < 0.5 {
					all[i].value = rng.Uint64N(all[i].n)
				}
				continue
			}
			if rng.Float64() < likely {
				all[i].value = 1
			}
		}
		code := func(c *rangeCoder, d decision) uint64 {
			if d.n > 0 {
				return c.uniform(d.n, d.value)
			}
			return c.flag(d.p, d.value)
		}
		check := rng.Uint64N(minRange)

		var w, r rangeCoder
		w.startWriting([]byte("before"))
		for _, d := range all {
			code(&w, d)
		}
		w.end(check)
		payload, ok := bytes.CutPrefix(w.bytes, []byte("before"))
		if !ok {
			t.Fatalf("seed %d: what was there before is %q", seed, w.bytes[:6])
		}
		r.startReading(payload)
		for i, d := range all {
			want := d.value
			d.value = 0 // not known to who reads
			if got := code(&r, d); got != want || r.overrun() {
				t.Fatalf("seed %d: decision %d of %d is %d, want %d; overrun: %v", seed, i, len(all), got, want, r.overrun())
			}
		}
		if r.end(check^1) || !r.end(check) {
			t.Errorf("seed %d: does not end with check %#x alone", seed, check)
		}
		r.bytes = r.bytes[:len(r.bytes)-1]
		if r.end(check) {
			t.Errorf("seed %d: ends well where the last byte is missing", seed)
		}
	}
}
