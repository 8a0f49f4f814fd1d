package codec

// A model says how probable a decision is, from what came of it in each of four contexts (see cell.go): binary context
// mixing as in Matt Mahoney's lpaq, in integers alone, so that all engines agree. A context has a slot with the
// decision's probability there; the four are stretched, weighed, summed up and squashed, and then slots and weights
// follow what came.
type model struct {
	slots   [contexts][1 << tableBits]uint32
	weights [situations * ranks][contexts]int32

	// Of the cell at hand.
	place  [contexts]uint64 // index of its slots
	check  [contexts]uint64 // of the contexts that they belong to
	weight uint64           // index of its weights

	inside uint64 // probability of a row being blank outside its span
}

const (
	contexts   = 4
	tableBits  = 13 // 128 KiB in all
	situations = 16 // of a cell, with weights of their own
	ranks      = 4  // of decisions, with weights of their own: the first three, and all others
	decisions  = 16 // of a cell that are told apart: their slots lie side by side

	// A slot is, from its leading bit on: 16 bits of a probability's difference from even, 12 of its context's check,
	// and 4 of how often it was met. So 0 is an empty one. Who finds a slot taken by another context takes it over.
	checkMask  = 0xfff0
	countMask  = 0xf
	countLimit = 14

	firstWeight  = 27500 // of 65536
	firstInside  = certain - certain/16
	insideMargin = 64 // inside stays that far from 0 and certain,
	insideRate   = 5  // and goes 1/32 of the way each time
)

// rates holds how much of its error a probability that was met n times sheds, in units of 1/65536: 1/(n + 1.4).
var rates = func() (rates [countMask + 1]int64) {
	for n := range rates {
		rates[n] = 65536 * 10 / (10*int64(n) + 14)
	}
	return rates
}()

// forget makes the model as it is at a key.
func (m *model) forget() {
	clear(m.slots[:])
	for i := range m.weights {
		m.weights[i] = [contexts]int32{firstWeight, firstWeight, firstWeight, firstWeight}
	}
	m.inside = firstInside
}

// look turns to the slots of a context of the cell at hand, which key names in at most 20 bits.
func (m *model) look(context int, key uint64) {
	hash := (key<<2 | uint64(context)) * 0x9e3779b97f4a7c15
	m.place[context] = hash >> (64 - tableBits)
	m.check[context] = hash >> 32 & checkMask
}

// decide codes a decision of the cell at hand: 0 or 1, and which one of its decisions that is.
//
// It takes four fifths of the time that decoding takes, and so it does not branch: Go's compiler makes of a branch in
// WebAssembly a jump through a table, and most of these would be missed.
func (c *coder) decide(which, decision uint64) uint64 {
	const mask = 1<<tableBits - 1
	slot0, slot1 := &c.slots[0][(c.place[0]^which)&mask], &c.slots[1][(c.place[1]^which)&mask]
	slot2, slot3 := &c.slots[2][(c.place[2]^which)&mask], &c.slots[3][(c.place[3]^which)&mask]
	s0, s1 := taken(*slot0, c.check[0]), taken(*slot1, c.check[1])
	s2, s3 := taken(*slot2, c.check[2]), taken(*slot3, c.check[3])
	x0, x1 := int64(stretched[s0>>20&0xfff]), int64(stretched[s1>>20&0xfff])
	x2, x3 := int64(stretched[s2>>20&0xfff]), int64(stretched[s3>>20&0xfff])
	rank := (which | uint64(int64(ranks-1-which)>>63)) & (ranks - 1) // at most ranks - 1
	w := &c.weights[(c.weight+rank)%(situations*ranks)]

	x := (x0*int64(w[0])+x1*int64(w[1])+x2*int64(w[2])+x3*int64(w[3]))>>16 + maxStretch
	x &^= x >> 63                 // at least 0
	x |= (2*maxStretch - x) >> 63 // at most all ones
	p := squashed[x&(2*maxStretch+1)]

	is := c.split(uint64(p), decision)
	if c.size < minRange {
		c.renew()
	}

	const rounding, shift = 1 << 14, 15 // a learning rate of 1/512
	e := int64(is&certain) - int64(p)
	w[0] += int32((x0*e + rounding) >> shift)
	w[1] += int32((x1*e + rounding) >> shift)
	w[2] += int32((x2*e + rounding) >> shift)
	w[3] += int32((x3*e + rounding) >> shift)
	aim := int64(is&(certain-1)) - even
	*slot0, *slot1, *slot2, *slot3 = learned(s0, aim), learned(s1, aim), learned(s2, aim), learned(s3, aim)
	return is & 1
}

// taken returns a slot if it has the check, or else an empty one that has.
func taken(slot uint32, check uint64) uint64 {
	differs := uint64(slot) ^ check
	same := uint64(int64(differs&checkMask-1) >> 63) // all ones, or 0
	return check ^ differs&same
}

// learned returns a slot after a decision that was aim away from even.
func learned(slot uint64, aim int64) uint32 {
	difference := int64(int32(slot)) >> 16
	count := slot & countMask
	difference += (aim - difference) * rates[count] >> 16
	return uint32(difference<<16) | uint32(slot&(checkMask|countMask)+(count-countLimit)>>63)
}
