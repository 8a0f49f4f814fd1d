package donut

import "math"

// ProofDigest is the SHA-256, in hexadecimal, of what Proof writes.
const ProofDigest = "e123bdec75fe3110941e6d2e4acd82eb8a78d5d2c01a41907c3b6eac14635eb2"

// proofFrames take Proof through everything that decides a bit: both reductions of an angle, each to all four axes, and
// the tables of two details. The first two are of the timeline's first second and of its first year. Together they cost as
// much as seven frames at detail 1.
var proofFrames = [...]struct {
	detail int
	frame  uint64
}{{1, 50}, {2, 1_400_000_060}, {1, 1<<40 + 85}, {1, 1<<40 + 115}}

// Proof draws some frames and writes, for each, its text and then a checksum of the bits of every cell's greatest D. A
// host that renders as it should writes the same bytes as any other, those of ProofDigest. The pictures alone would say
// little: an arithmetic that is off in the last bit draws thousands of them right before it draws a cell wrong.
//
// Proof makes its own renderers. What write is given is valid until it returns.
func Proof(write func([]byte)) {
	var p Picture
	bytes := make([]byte, 0, TextSize+8)
	for _, each := range proofFrames {
		r := NewRenderer(each.detail)
		r.Render(&p, each.frame)
		nearest := r.depths()
		write(appendProof(bytes, &p, &nearest))
	}
}

// depths returns the greatest D of each cell in the last picture, 0 where nothing is painted.
func (r *Renderer) depths() (d [Cells]float64) {
	for cell := range d {
		if s, painted := r.won(cell/Width*gridWidth + cell%Width); painted {
			theta, phi := s.indices()
			l := r.ring(&r.view, theta)
			d[cell], _, _ = l.place(r.phi[phi])
		}
	}
	return d
}

func appendProof(dst []byte, p *Picture, nearest *[Cells]float64) []byte {
	const odd = 0x9e3779b97f4a7c15 // a product with it loses no bit, so no single change is lost
	var sum uint64
	for _, d := range nearest {
		sum = sum*odd + math.Float64bits(d)
	}
	dst = p.AppendText(dst)
	for range 8 {
		dst = append(dst, byte(sum))
		sum >>= 8
	}
	return dst
}
