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

// drawAll draws every sample.
func (r *Renderer) drawAll(v *view) {
	clear(r.nearest[:])
	for i := range r.theta {
		l := r.ring(v, i)
		for j, phi := range r.phi {
			d, x, y := l.place(phi)
			r.offer(index(x, y), d, l.first+sample(j))
		}
	}
}
