package donut

import (
	"math"
	"math/bits"
)

// math.Sin and math.Cos are written as x*y + z, which a compiler may fuse into one rounding where the processor can
// (amd64 with GOAMD64=v3, arm64, ...), and so their last bit depends on the build. The functions here use the same
// polynomials and the same reduction, with every product rounded on its own by an explicit conversion, which the Go
// specification says forbids fusing. They return the bits of the standard library on plain amd64, on every host.

// reduceThreshold is where the three-part subtraction below stops being accurate and fourOverPi takes over.
const reduceThreshold = 1 << 29

// Pi/4 in three parts (Cephes' sin.c): the first two have so few bits that their products with an integer below
// reduceThreshold are exact.
const (
	pi4a = 7.85398125648498535156e-1
	pi4b = 3.77489470793079817668e-8
	pi4c = 2.69515142907905952645e-15
)

// sinCoefficients and cosCoefficients are Cephes' minimax polynomials on [-Pi/4, Pi/4], highest power first.
var (
	sinCoefficients = [...]float64{
		1.58962301576546568060e-10, -2.50507477628578072866e-8, 2.75573136213857245213e-6,
		-1.98412698295895385996e-4, 8.33333333332211858878e-3, -1.66666666666666307295e-1,
	}
	cosCoefficients = [...]float64{
		-1.13585365213876817300e-11, 2.08757008419747316778e-9, -2.75573141792967388112e-7,
		2.48015872888517045348e-5, -1.38888888888730564116e-3, 4.16666666666665929218e-2,
	}
)

// fourOverPi holds the binary digits of 4/Pi: the integer part 1, then 64 digits after the point in each further word.
var fourOverPi = [...]uint64{
	0x0000000000000001, 0x45f306dc9c882a53, 0xf84eafa3ea69bb81, 0xb6c52b3278872083, 0xfca2c757bd778ac3,
}

// sincos returns the sine and the cosine of x radians, 0 <= x < 2^62, each the same bits on every host.
func sincos(x float64) (sin, cos float64) {
	octant, z := reduce(x)
	zz := float64(z * z)
	p := float64(sinCoefficients[0])
	for _, c := range sinCoefficients[1:] {
		p = float64(p*zz) + c
	}
	q := float64(cosCoefficients[0])
	for _, c := range cosCoefficients[1:] {
		q = float64(q*zz) + c
	}
	sin = z + float64(float64(z*zz)*p)
	cos = 1 - float64(0.5*zz) + float64(float64(zz*zz)*q)
	// octant is even: the point lies within Pi/4 of octant * Pi/4.
	switch octant {
	case 2:
		sin, cos = cos, -sin
	case 4:
		sin, cos = -sin, -cos
	case 6:
		sin, cos = -cos, sin
	}
	return sin, cos
}

// reduce returns the even octant (0, 2, 4 or 6) whose axis is nearest to x, and the angle from that axis.
func reduce(x float64) (octant uint64, z float64) {
	if x >= reduceThreshold {
		return reduceLarge(x)
	}
	octant = uint64(x * (4 / math.Pi))
	octant += octant & 1
	y := float64(octant)
	z = ((x - float64(y*pi4a)) - float64(y*pi4b)) - float64(y*pi4c)
	return octant & 7, z
}

// reduceLarge multiplies x by as many digits of 4/Pi as decide the result (Payne and Hanek, "Radian reduction for
// trigonometric functions", 1983): digits that contribute whole turns only are left out, the product keeps 128 bits.
func reduceLarge(x float64) (octant uint64, z float64) {
	const mantissaBits = 52
	b := math.Float64bits(x)
	exponent := int(b>>mantissaBits) - 1023 - mantissaBits // x = mantissa * 2^exponent
	mantissa := b&(1<<mantissaBits-1) | 1<<mantissaBits

	// Three words of 4/Pi whose top bit weighs 2^2 once multiplied by 2^exponent: the product's octant is its top 3 bits.
	first := uint(exponent + 61)
	word, shift := first/64, first%64
	take := func(i uint) uint64 { return fourOverPi[i]<<shift | fourOverPi[i+1]>>(64-shift) }
	w0, w1, w2 := take(word), take(word+1), take(word+2)
	p2, _ := bits.Mul64(w2, mantissa)
	p1, p1lo := bits.Mul64(w1, mantissa)
	lo, carry := bits.Add64(p1lo, p2, 0)
	hi := w0*mantissa + p1 + carry

	octant = hi >> 61
	fraction := hi<<3 | lo>>61
	zeros := uint(bits.LeadingZeros64(fraction))
	// The digits shifted in are those the standard library takes, three places too early in lo: next to nothing in weight,
	// and having its bits is worth more.
	fraction = fraction<<(zeros+1) | lo>>(64-(zeros+1))
	z = math.Float64frombits(fraction>>(64-mantissaBits) | uint64(1023-(zeros+1))<<mantissaBits)
	if octant&1 == 1 {
		octant++
		z--
	}
	return octant & 7, float64(z * (math.Pi / 4))
}
