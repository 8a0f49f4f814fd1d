package donut

// oracle draws frame n the obvious way: the package's formulas, sample by sample, with nothing shared between samples
// and nothing kept between frames. It is what Renderer is held against, and it is meant to stay as it is.
func oracle(n uint64, detail int) Picture {
	p, _ := oracleWithDepths(n, detail)
	return p
}

// oracleWithDepths also returns each cell's greatest D, 0 where nothing is painted.
func oracleWithDepths(n uint64, detail int) (p Picture, nearest [Cells]float64) {
	sinA, cosA, sinB, cosB := angles(n)
	sinDTheta, cosDTheta := sincos(0.07 / float64(detail))
	sinDPhi, cosDPhi := sincos(0.02 / float64(detail))

	ct, st := 1.0, 0.0
	for theta := 0.0; theta < 6.28; theta += 0.07 / float64(detail) {
		cp, sp := 1.0, 0.0
		for phi := 0.0; phi < 6.28; phi += 0.02 / float64(detail) {
			h := ct + 2
			d := 1 / (float64(float64(sp*h)*sinA) + float64(st*cosA) + 5)
			t := float64(float64(sp*h)*cosA) - float64(st*sinA)
			x := int(40 + float64(float64(30*d)*(float64(float64(cp*h)*cosB)-float64(t*sinB))))
			y := int(12 + float64(float64(15*d)*(float64(float64(cp*h)*sinB)+float64(t*cosB))))
			l := int(8 * (float64((float64(st*sinA)-float64(float64(sp*ct)*cosA))*cosB) -
				float64(float64(sp*ct)*sinA) - float64(st*cosA) - float64(float64(cp*ct)*sinB)))
			if x >= 0 && x < Width && y >= 0 && y < Rows && d > nearest[y*Width+x] {
				nearest[y*Width+x] = d
				p[y*Width+x] = uint8(max(l, 0)) + 1
			}
			cp, sp = float64(cp*cosDPhi)-float64(sp*sinDPhi), float64(sp*cosDPhi)+float64(cp*sinDPhi)
		}
		ct, st = float64(ct*cosDTheta)-float64(st*sinDTheta), float64(st*cosDTheta)+float64(ct*sinDTheta)
	}
	return p, nearest
}
