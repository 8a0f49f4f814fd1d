package donut

// A ring is what the samples of one theta share.
type ring struct {
	*view
	h, rise, dip float64
	first        sample
}

// ring is the ring of a theta's index.
func (r *Renderer) ring(v *view, i int) ring {
	theta := r.theta[i]
	return ring{v, theta.cos + 2, float64(theta.sin * v.cosA), float64(theta.sin * v.sinA), sample(i << 16)}
}

// place returns D, x and y of a sample, to the last bit: the operations are those of the package's
// formulas in the same order, with what does not depend on phi taken once per ring.
func (l *ring) place(phi point) (d, x, y float64) {
	q := float64(phi.sin * l.h)
	d = 1 / (float64(q*l.sinA) + l.rise + 5)
	t := float64(q*l.cosA) - l.dip
	p := float64(phi.cos * l.h)
	x = 40 + float64(float64(30*d)*(float64(p*l.cosB)-float64(t*l.sinB)))
	y = 12 + float64(float64(15*d)*(float64(p*l.sinB)+float64(t*l.cosB)))
	return d, x, y
}

// index is the place in the grid of the cell at x and y.
func index(x, y float64) uint {
	return uint(int32(y)*gridWidth+int32(x)) & (gridSize - 1)
}

// offer gives the place at to the sample s, whose D is d, if that is nearer than what is there, or as near and earlier.
func (r *Renderer) offer(at uint, d float64, s sample) {
	at &= gridSize - 1
	if d > r.nearest[at] || d == r.nearest[at] && s < r.winner[at] {
		r.nearest[at], r.winner[at] = d, s
	}
}

// drawAll draws the samples of a ring from one to before another. Its body is place, which is too long for the compiler
// to put in.
func (r *Renderer) drawAll(l *ring, from, to int) {
	h, rise, dip := l.h, l.rise, l.dip
	sinA, cosA, sinB, cosB := l.sinA, l.cosA, l.sinB, l.cosB
	s := l.first + sample(from)
	for _, phi := range r.phi[from:to] {
		q := float64(phi.sin * h)
		d := 1 / (float64(q*sinA) + rise + 5)
		t := float64(q*cosA) - dip
		p := float64(phi.cos * h)
		x := 40 + float64(float64(30*d)*(float64(p*cosB)-float64(t*sinB)))
		y := 12 + float64(float64(15*d)*(float64(p*sinB)+float64(t*cosB)))
		at := index(x, y)
		if d >= r.nearest[at] {
			r.offer(at, d, s)
		}
		s++
	}
}
