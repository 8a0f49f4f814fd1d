package donut

import "math"

// ProofDigest is the SHA-256, in hexadecimal, of what Proof writes.
const ProofDigest = "723218d322736e25dc0c51fca42961cad9b43a712fbfbff4c39e49d46b1ea244"

// proofFrames take Proof through everything that decides a bit: both reductions of an angle, each to all four axes, and
// the tables of two details. The first two are of the timeline's first second and of its first year. Together they cost as
// much as seven frames at detail 1.
var proofFrames = [...]struct {
	detail int
	frame  uint64
}{{1, 50}, {2, 1_400_000_060}, {1, 1<<40 + 85}, {1, 1<<40 + 115}}

// Proof draws some frames and writes, for each, its text and then the bits of every cell's greatest D, little-endian. A
// host that renders as it should writes the same bytes as any other, those of ProofDigest. The pictures alone would say
// little: an arithmetic that is off in the last bit draws thousands of them right before it draws a cell wrong.
//
// Proof makes its own renderers. What write is given is valid until it returns.
func Proof(write func([]byte)) {
	var p Picture
	bytes := make([]byte, 0, TextSize+8*Cells)
	for _, each := range proofFrames {
		r := NewRenderer(each.detail)
		r.Render(&p, each.frame)
		write(appendProof(bytes, &p, &r.nearest))
	}
}

func appendProof(dst []byte, p *Picture, nearest *[Cells]float64) []byte {
	dst = p.AppendText(dst)
	for _, d := range nearest {
		for b, i := math.Float64bits(d), 0; i < 8; b, i = b>>8, i+1 {
			dst = append(dst, byte(b))
		}
	}
	return dst
}
