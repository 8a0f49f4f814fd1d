// Package donut draws the spinning torus of a1k0n's donut.c: frame number in, picture out, and nothing else.
//
// A picture is a pure function of its frame number and detail. Every host prints the same bytes: the package has a
// sine and cosine of its own, and no product that feeds a sum is left for a compiler to fuse (see trig.go).
//
// # The formulas
//
// With A = 1 + 0.07 n and B = 1 + 0.03 n for frame n, theta around the tube and phi around the hole, and
// h = cos(theta) + 2:
//
//	D = 1 / (sin(phi) h sin(A) + sin(theta) cos(A) + 5)                 nearness to the eye
//	t = sin(phi) h cos(A) - sin(theta) sin(A)
//	x = trunc(40 + 30 D (cos(phi) h cos(B) - t sin(B)))
//	y = trunc(12 + 15 D (cos(phi) h sin(B) + t cos(B)))
//	N = trunc(8 ((sin(theta) sin(A) - sin(phi) cos(theta) cos(A)) cos(B) - sin(phi) cos(theta) sin(A)
//	              - sin(theta) cos(A) - cos(phi) cos(theta) sin(B)))    luminance
//
// A sample inside the picture with the greatest D of its cell so far paints max(N, 0). Products and sums are taken
// from left to right; the bytes depend on it.
package donut

const (
	// FPS is how many frames make a second. Frame n follows frame n-1 by 1/FPS seconds.
	FPS = 60

	// Columns and Rows are the size of a picture as text, the newline that ends each row included.
	Columns = 80
	Rows    = 22
	// Width is how many cells of a row vary: the last column is always a newline.
	Width = Columns - 1

	// TextSize is the length in bytes of a picture as text.
	TextSize = Columns * Rows
	// Cells is how many cells of a picture vary.
	Cells = Width * Rows

	// MaxDetail is the finest sampling; see NewRenderer.
	MaxDetail = 32

	// Alphabet maps a cell's level to its character: level 0 is background, 1 to 12 rise in luminance.
	Alphabet = " .,-~:;=!*#$@"
	// Levels is how many values a cell can take.
	Levels = len(Alphabet)
)

// A Picture is one frame: the level of each cell (below Levels), row by row.
type Picture [Cells]uint8

// AppendText appends the picture as text to dst: Rows lines of Width characters, each ended by a newline, TextSize
// bytes in all. It does not allocate when dst has the room. A cell that is not a level panics.
func (p *Picture) AppendText(dst []byte) []byte {
	for row := range Rows {
		for _, level := range p[row*Width : (row+1)*Width] {
			dst = append(dst, Alphabet[level])
		}
		dst = append(dst, '\n')
	}
	return dst
}

// angles returns the sines and cosines of both rotations of frame n.
func angles(n uint64) (sinA, cosA, sinB, cosB float64) {
	sinA, cosA = sincos(1 + float64(0.07*float64(n)))
	sinB, cosB = sincos(1 + float64(0.03*float64(n)))
	return
}

// circle returns the points at the angles 0, step, 2 step, ... for as long as the running sum of the steps is below
// 6.28. They are made by rotating the point (1, 0), as donut.c does, and not by calling cosine and sine.
func circle(step float64) []point {
	turn := point{}
	turn.sin, turn.cos = sincos(step)
	var points []point
	at := point{cos: 1}
	for sum := 0.0; sum < 6.28; sum += step {
		points = append(points, at)
		at = point{
			cos: float64(at.cos*turn.cos) - float64(at.sin*turn.sin),
			sin: float64(at.sin*turn.cos) + float64(at.cos*turn.sin),
		}
	}
	return points
}

// The steps of theta and phi at detail 1, in radians.
const (
	thetaStep = 0.07
	phiStep   = 0.02
)
