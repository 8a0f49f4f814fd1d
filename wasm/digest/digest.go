// Package digest is SHA-256 (FIPS 180-4), so that a tab can name the module it runs where the browser's own
// crypto.subtle is missing: on every page that is neither HTTPS nor localhost.
//
// The standard library's would be the better choice but for its size here: it makes the module half a megabyte larger,
// and brings in the packages os and time. It is what the tests compare with.
package digest

import (
	"encoding/binary"
	"math/bits"
)

// Size is the length of a digest in bytes.
const Size = 32

const blockSize = 64

// A Hash takes in bytes and gives their SHA-256. Its zero value is not ready; see New. It is not safe for concurrent
// use.
type Hash struct {
	state  [8]uint32
	length uint64          // bytes taken in
	block  [blockSize]byte // the last length % blockSize of them
}

// New returns a hash that has taken in nothing.
func New() *Hash {
	return &Hash{state: [8]uint32{
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	}}
}

// Write takes in b.
func (h *Hash) Write(b []byte) {
	filled := int(h.length % blockSize)
	h.length += uint64(len(b))
	for len(b) > 0 {
		n := copy(h.block[filled:], b)
		b = b[n:]
		if filled += n; filled == blockSize {
			h.compress()
			filled = 0
		}
	}
}

// Sum returns the digest of all that was taken in. The hash can take in more afterwards.
func (h *Hash) Sum() (sum [Size]byte) {
	padded := *h
	var padding [blockSize + 8]byte
	padding[0] = 0x80
	n := blockSize - int((h.length+8)%blockSize)
	binary.BigEndian.PutUint64(padding[n:], h.length*8)
	padded.Write(padding[:n+8])
	for i, v := range padded.state {
		binary.BigEndian.PutUint32(sum[4*i:], v)
	}
	return sum
}

// compress takes the full block into the state.
func (h *Hash) compress() {
	var w [64]uint32
	for i := range 16 {
		w[i] = binary.BigEndian.Uint32(h.block[4*i:])
	}
	for i := 16; i < 64; i++ {
		a, b := w[i-15], w[i-2]
		s0 := bits.RotateLeft32(a, -7) ^ bits.RotateLeft32(a, -18) ^ a>>3
		s1 := bits.RotateLeft32(b, -17) ^ bits.RotateLeft32(b, -19) ^ b>>10
		w[i] = w[i-16] + s0 + w[i-7] + s1
	}
	s := h.state
	for i, k := range roundConstants {
		sum1 := bits.RotateLeft32(s[4], -6) ^ bits.RotateLeft32(s[4], -11) ^ bits.RotateLeft32(s[4], -25)
		choice := s[4]&s[5] ^ ^s[4]&s[6]
		t1 := s[7] + sum1 + choice + k + w[i]
		sum0 := bits.RotateLeft32(s[0], -2) ^ bits.RotateLeft32(s[0], -13) ^ bits.RotateLeft32(s[0], -22)
		majority := s[0]&s[1] ^ s[0]&s[2] ^ s[1]&s[2]
		s = [8]uint32{t1 + sum0 + majority, s[0], s[1], s[2], s[3] + t1, s[4], s[5], s[6]}
	}
	for i := range h.state {
		h.state[i] += s[i]
	}
}

// roundConstants are the first 32 bits of the fractional parts of the cube roots of the first 64 primes.
var roundConstants = [64]uint32{
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
}
