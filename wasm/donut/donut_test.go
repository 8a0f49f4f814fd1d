package donut

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// goldenDigest is the SHA-256 of the text of frames 0 to 599 at detail 1.
const goldenDigest = "0925f43884f6ad2d0dc4f367b2266ac52e06256963115be66356a546d0091510"

func TestGoldenFrames(t *testing.T) {
	r := NewRenderer(1)
	for _, n := range []uint64{0, 1, 150, 599} {
		want, err := os.ReadFile(filepath.Join("testdata", fmt.Sprintf("frame-%04d.txt", n)))
		if err != nil {
			t.Fatal(err)
		}
		var p Picture
		r.Render(&p, n)
		if got := p.AppendText(nil); !bytes.Equal(got, want) {
			t.Errorf("frame %d is\n%s\nwant\n%s", n, got, want)
		}
	}
}

func TestGoldenDigest(t *testing.T) {
	r := NewRenderer(1)
	h := sha256.New()
	var text []byte
	for n := range uint64(600) {
		var p Picture
		r.Render(&p, n)
		text = p.AppendText(text[:0])
		h.Write(text)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != goldenDigest {
		t.Errorf("digest of frames 0..599 is %s, want %s", got, goldenDigest)
	}
}

// TestRendererMatchesOracle compares whole frames with the oracle's, the same ones in each run. ORACLE_FRAMES says how
// many of detail 1, and of the others in proportion.
func TestRendererMatchesOracle(t *testing.T) {
	frames := 4000
	if s := os.Getenv("ORACLE_FRAMES"); s != "" {
		var err error
		if frames, err = strconv.Atoi(s); err != nil || frames < 1 {
			t.Fatalf("ORACLE_FRAMES: got %q, want how many frames", s)
		}
	}
	for _, c := range []struct{ detail, share int }{{1, 1}, {2, 5}, {3, 40}, {4, 20}, {16, 1000}, {MaxDetail, 4000}} {
		t.Run(fmt.Sprintf("detail=%d", c.detail), func(t *testing.T) {
			t.Parallel()
			r := NewRenderer(c.detail)
			rng := rand.New(rand.NewPCG(5, uint64(c.detail)))
			for i := range max(1, frames/c.share) {
				n := uint64(i) // the first frames, and then as many of each magnitude below 2^41
				if i%2 == 1 {
					n = rng.Uint64() >> (23 + rng.IntN(41))
				}
				compare(t, r, n)
			}
		})
	}
}

// compare draws frame n with r and fails the test where the oracle's picture is another.
func compare(t *testing.T, r *Renderer, n uint64) {
	t.Helper()
	var got Picture
	got[n%Cells] = 12 // what was there before must not shine through
	r.Render(&got, n)
	if want := oracle(n, r.detail); got != want {
		t.Fatalf("frame %d differs from the oracle: got\n%s\nwant\n%s", n, got.AppendText(nil), want.AppendText(nil))
	}
}

// TestFlatRings draws the frames in which a ring hardly gets nearer or farther anywhere, the flattest first.
func TestFlatRings(t *testing.T) {
	slope := func(n uint64) float64 { v := viewOf(n); return math.Abs(v.sinA) }
	var flat []uint64
	for n := range uint64(20_000) {
		if slope(n) < 2*leastSlope {
			flat = append(flat, n)
		}
	}
	slices.SortFunc(flat, func(a, b uint64) int { return cmp.Compare(slope(a), slope(b)) })
	if len(flat) < 10 || slope(flat[0]) >= leastSlope || slope(flat[len(flat)-1]) < leastSlope {
		t.Fatalf("of 20,000 frames %d are flat, want some on either side of %v", len(flat), leastSlope)
	}
	for _, detail := range []int{1, 3} {
		r := NewRenderer(detail)
		for _, n := range flat {
			compare(t, r, n)
		}
	}
}

// TestEqualsGoToTheEarlier holds what the formulas' order of samples decides, whatever order they are drawn in.
func TestEqualsGoToTheEarlier(t *testing.T) {
	r := NewRenderer(1)
	for _, s := range []sample{9, 4, 7} {
		r.offer(1000, 0.25, s)
	}
	if got := r.winner[1000]; got != 4 {
		t.Errorf("of samples 9, 4 and 7 with the same D %d wins, want 4", got)
	}
}

// TestReach compares with all samples of many patches.
func TestReach(t *testing.T) {
	for _, detail := range []int{2, 4} {
		r := NewRenderer(detail)
		height, width := 2*detail+1, span*detail
		kept := 0
		for n := range uint64(20) {
			v := viewOf(n * 977)
			for i := range r.theta {
				middle, l := r.middleRing(&v, i/height), r.ring(&v, i)
				for j, phi := range r.phi {
					d, x, y := middle.place(r.middle(j / width))
					most, within := reach(middle.h, d)
					if !within {
						continue
					}
					kept++
					nearness, column, line := l.place(phi)
					if nearness > most || math.Abs(column-x) > 2 || math.Abs(line-y) > 1 {
						t.Fatalf("frame %d: sample %d, %d is at %v, %v, its D %v; the middle at %v, %v, the bound %v",
							n*977, i, j, column, line, nearness, x, y, most)
					}
				}
			}
		}
		if all := 20 * len(r.theta) * len(r.phi); 2*kept < all {
			t.Errorf("at detail %d %d of %d samples are within reach, want half of them at least", detail, kept, all)
		}
	}
}

// TestMostIsNotDrawn holds the renderer to leaving out what cannot be seen, which no picture shows.
func TestMostIsNotDrawn(t *testing.T) {
	r := NewRenderer(2)
	r.view = viewOf(50)
	var facing, seen, all int
	for row := range r.patchRows() {
		l := r.middleRing(&r.view, row)
		patches := r.facing(&l)
		facing += bits.OnesCount64(patches)
		all += r.patches()
		r.drawPatches(&r.view, row, patches)
		r.facings[row] = patches
	}
	r.lookAround()
	for row := range r.patchRows() {
		l := r.middleRing(&r.view, row)
		seen += bits.OnesCount64(r.unhidden(&l, r.facings[row]))
	}
	if 2*facing >= all || 2*seen >= all-facing {
		t.Errorf("of %d patches %d are drawn first and %d then, want less than half, and of the rest", all, facing, seen)
	}
}

func TestSamplesPerFrame(t *testing.T) {
	r := NewRenderer(1)
	if got := [2]int{len(r.theta), len(r.phi)}; got != [2]int{90, 315} {
		t.Errorf("detail 1 takes %d x %d samples, want 90 x 315", got[0], got[1])
	}
}

func TestRenderDoesNotAllocate(t *testing.T) {
	r := NewRenderer(1)
	var p Picture
	text := make([]byte, 0, TextSize)
	if n := testing.AllocsPerRun(10, func() {
		r.Render(&p, 42)
		text = p.AppendText(text[:0])
	}); n != 0 {
		t.Errorf("Render and AppendText allocate %v times, want 0", n)
	}
}

func TestNewRendererRejectsDetail(t *testing.T) {
	for _, detail := range []int{-1, 0, MaxDetail + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("NewRenderer(%d) did not panic", detail)
				}
			}()
			NewRenderer(detail)
		}()
	}
}

// TestSincosIsAccurate holds on every host: within a few ulps of the library, which may be fused there.
func TestSincosIsAccurate(t *testing.T) {
	exact := fusesNothing()
	check := func(x float64) {
		t.Helper()
		sin, cos := sincos(x)
		wantSin, wantCos := math.Sin(x), math.Cos(x)
		if exact && (sin != wantSin || cos != wantCos) {
			t.Fatalf("sincos(%v) = %v, %v, want exactly %v, %v", x, sin, cos, wantSin, wantCos)
		}
		if math.Abs(sin-wantSin) > 1e-15 || math.Abs(cos-wantCos) > 1e-15 {
			t.Fatalf("sincos(%v) = %v, %v, want %v, %v", x, sin, cos, wantSin, wantCos)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		check(rng.Float64() * 100)
		check(rng.Float64() * reduceThreshold)
		check(reduceThreshold * math.Exp2(rng.Float64()*32))
	}
	for _, n := range []uint64{0, 1, 7_669_584_457, 7_669_584_458, 1 << 40, 1 << 53, math.MaxUint64} {
		check(1 + 0.07*float64(n))
	}
}

// fusesNothing reports whether this build rounds every product on its own, as the standard library then does too: the
// square below is not representable, and only a fused x*x + (-round(x*x)) sees by how much.
func fusesNothing() bool {
	x, minusSquare := fuseProbe, -float64(fuseProbe*fuseProbe)
	return x*x+minusSquare == 0
}

// fuseProbe is a variable so that the compiler cannot fold the probe.
var fuseProbe = 1 + 0x1p-30

func BenchmarkRender(b *testing.B) {
	for _, detail := range []int{1, 4, 16} {
		b.Run(fmt.Sprintf("detail=%d", detail), func(b *testing.B) {
			r := NewRenderer(detail)
			var p Picture
			b.ReportAllocs()
			n := uint64(0)
			for b.Loop() {
				r.Render(&p, n)
				n++
			}
		})
	}
}

// TestSincosHasTheSameBitsEverywhere holds the last bit too, on hosts where the library's are others: a product that is
// fused changes it long before it changes a picture.
func TestSincosHasTheSameBitsEverywhere(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	sum := fnv.New64a()
	for range 200_000 {
		for _, x := range []float64{rng.Float64() * 100, rng.Float64() * reduceThreshold, math.Ldexp(1+rng.Float64(), 29+rng.IntN(32))} {
			sin, cos := sincos(x)
			for _, v := range []float64{x, sin, cos} {
				sum.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
			}
		}
	}
	const want = 0x37b92fe0aa01713f // as the standard library's give where nothing is fused
	if got := sum.Sum64(); got != want {
		t.Errorf("the sum of 600,000 sines and cosines is %#x, want %#x", got, want)
	}
}
