package main

import (
	"encoding/binary"
	"maps"
	"math/bits"
	"slices"
)

// A table grows at its end, in the byte order of OpenType.
type table []byte

// u16 appends numbers of 16 bits, with a sign or without.
func (t table) u16(numbers ...int) table {
	for _, n := range numbers {
		t = binary.BigEndian.AppendUint16(t, uint16(n))
	}
	return t
}

// u32 appends numbers of 32 bits.
func (t table) u32(numbers ...uint32) table {
	for _, n := range numbers {
		t = binary.BigEndian.AppendUint32(t, n)
	}
	return t
}

// Where the file's directory ends, and where head holds what brings the checksum of all of the file to a constant.
const (
	directoryHeader = 12
	directoryEntry  = 16
	adjustment      = 8
	wholeChecksum   = 0xb1b0afba
)

// file puts tables behind their directory.
func file(tables map[string]table) []byte {
	n := len(tables)
	directory := table(nil).u32(0x00010000).u16(n).u16(searched(n, directoryEntry)...)
	var body table
	var head int
	for _, name := range slices.Sorted(maps.Keys(tables)) {
		content := tables[name]
		at := directoryHeader + directoryEntry*n + len(body)
		if name == "head" {
			head = at
		}
		body = append(body, content...)
		body = append(body, make([]byte, -len(content)&3)...)
		directory = append(directory, name...)
		directory = directory.u32(checksum(content), uint32(at), uint32(len(content)))
	}
	all := append(directory, body...)
	binary.BigEndian.PutUint32(all[head+adjustment:], wholeChecksum-checksum(all))
	return all
}

// checksum sums words of 32 bits, as if zeros followed.
func checksum(content []byte) (sum uint32) {
	for word := range slices.Chunk(content, 4) {
		sum += binary.BigEndian.Uint32(append(slices.Clone(word), 0, 0, 0)[:4])
	}
	return sum
}

// searched returns what spares a binary search of n entries a division: the bytes of the largest power of two of them,
// its exponent, and the bytes of the others.
func searched(n, size int) []int {
	exponent := bits.Len(uint(n)) - 1
	return []int{size << exponent, exponent, size * (n - 1<<exponent)}
}
