package digest

import (
	"crypto/sha256"
	"math/rand/v2"
	"testing"
)

func TestAgreesWithStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	data := make([]byte, 1000)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	for n := range data {
		h := New()
		for rest := data[:n]; len(rest) > 0; { // in pieces of any size
			k := min(len(rest), 1+rng.IntN(200))
			h.Write(rest[:k])
			rest = rest[k:]
			h.Sum() // must not disturb what follows
		}
		if got, want := h.Sum(), sha256.Sum256(data[:n]); got != want {
			t.Fatalf("digest of %d bytes is %x, want %x", n, got, want)
		}
	}
}
