package codec

// A rangeCoder writes decisions as a number within an ever smaller range, or reads them from it: LZMA's range coder,
// but for its first byte, which is always 0, and its end. Whoever reads has read as many bytes as were written by then,
// and four more, so that both sides agree to the byte on where a payload ends.
//
// Both directions share their code. What is to be written is given to each method, and what was read is answered; where
// it reads, what it is given does not count.
type rangeCoder struct {
	reads uint64 // all ones where it reads, else 0
	bytes []byte // written, or to read
	size  uint64 // of the range, at least minRange between two calls

	// Reading.
	at   int    // how many bytes were read; after the last there are zeros
	code uint64 // how far into the range the number lies, below size

	// Writing.
	low   uint64 // where the range begins; bit 32 is a carry into what was put before
	held  int    // how many bytes are put and not written, as a carry may change them: the first one is cache,
	cache byte   // and the others are 0xff
}

const (
	minRange = 1 << 24
	maxRange = 1<<32 - 1
)

// startWriting begins a payload, which is appended to dst.
func (c *rangeCoder) startWriting(dst []byte) { *c = rangeCoder{bytes: dst, size: maxRange} }

// startReading begins a payload, of which b holds all.
func (c *rangeCoder) startReading(b []byte) {
	*c = rangeCoder{reads: 1<<64 - 1, bytes: b, size: maxRange}
	for range 4 {
		c.next()
	}
}

// end ends a payload with a check below minRange. Where it reads, it reports whether that is the check, and the end.
// There is one way to end, so bytes that are damaged on the way hardly ever come to the same.
func (c *rangeCoder) end(check uint64) bool {
	if c.reads != 0 {
		return c.at == len(c.bytes) && c.code == check
	}
	c.low += check
	for range 5 { // the fifth lets go of the fourth
		c.put()
	}
	return true
}

// written returns how many bytes the payload has taken so far, with all before it in the slice.
func (c *rangeCoder) written() int { return len(c.bytes) + c.held }

// overrun reports whether more was read than there is.
func (c *rangeCoder) overrun() bool { return c.reads != 0 && c.at > len(c.bytes) }

// split codes a decision, 0 or 1, of probability p, as 0 or all ones. The range may be too small then for another one
// until it is renewed. It does not branch on the decision, which nothing but the model could foresee.
func (c *rangeCoder) split(p, decision uint64) uint64 {
	bound := c.size >> 16 * p
	is := uint64(int64(c.code-bound)>>63)&c.reads | -decision&^c.reads
	c.code -= bound &^ is
	c.low += bound &^ is
	c.size += is&(2*bound-c.size) - bound
	return is
}

// flag codes a decision that the model is not asked about.
func (c *rangeCoder) flag(p, decision uint64) uint64 {
	is := c.split(p, decision)
	c.renew()
	return is & 1
}

// uniform codes a value below n of which nothing is known. One that was read is below n but where the bytes are
// damaged.
func (c *rangeCoder) uniform(n, value uint64) uint64 {
	c.size /= n
	if c.reads != 0 {
		value = c.code / c.size
	}
	c.code -= value * c.size
	c.low += value * c.size
	c.renew()
	return value
}

// renew makes the range fine enough for the next decision.
func (c *rangeCoder) renew() {
	for c.size < minRange {
		c.size <<= 8
		if c.reads != 0 {
			c.next()
		} else {
			c.put()
		}
	}
}

// next reads a byte.
func (c *rangeCoder) next() {
	c.code <<= 8
	if c.at < len(c.bytes) {
		c.code |= uint64(c.bytes[c.at])
	}
	c.at++
}

// put takes the leading byte of low, and writes those before it that no carry can change any more.
func (c *rangeCoder) put() {
	if lead := c.low >> 24; lead != 0xff || c.held == 0 {
		carry := byte(lead >> 8)
		if c.held > 0 {
			c.bytes = append(c.bytes, c.cache+carry)
		}
		for ; c.held > 1; c.held-- {
			c.bytes = append(c.bytes, 0xff+carry)
		}
		c.cache, c.held = byte(lead), 0
	}
	c.held++
	c.low = c.low << 8 & maxRange
}
