package main

import (
	"strconv"

	"github.com/distributed-donut/donut/wasm/digest"
	"github.com/distributed-donut/donut/wasm/donut"
)

// SelfTest draws the frames of donut.Proof and answers 0 where they are what they must be. Else it answers minus the
// length of a text that says what they are, and the host must not render with this instance: what it would send is no
// forgery, and yet not the picture.
//
//go:wasmexport selfTest
func SelfTest() int32 {
	h := digest.New()
	donut.Proof(h.Write)
	sum := h.Sum()
	if got := string(appendHex(nil, sum[:])); got != donut.ProofDigest {
		return refuse("self-test: digest: got " + got + ", want " + donut.ProofDigest)
	}
	return 0
}

// Verify draws a frame of a detail and compares it, cell by cell, with size bytes of input, which are to be its text. It
// answers an object whose "cells" says how many differ, and where any do, whose "aired" and "rendered" are the SHA-256 of
// the one text and of the other.
//
//go:wasmexport verify
func Verify(wantDetail int32, frame uint64, size int32) int32 {
	if wantDetail < 1 || wantDetail > donut.MaxDetail {
		return refuseDetail("verify", wantDetail)
	}
	if size != donut.TextSize {
		return refuse("verify: size: got " + strconv.Itoa(int(size)) + ", want " + strconv.Itoa(donut.TextSize))
	}
	useDetail(int(wantDetail))
	renderer.Render(&picture, frame)
	aired, rendered := in[:size], picture.AppendText(texts[:0])
	var cells uint64
	for i, c := range rendered {
		if aired[i] != c {
			cells++
		}
	}
	var o object
	o.number("cells", cells)
	if cells > 0 {
		o.digest("aired", aired)
		o.digest("rendered", rendered)
	}
	return o.answer()
}

// digest adds a member that is the SHA-256 of b.
func (o *object) digest(name string, b []byte) {
	h := digest.New()
	h.Write(b)
	sum := h.Sum()
	o.hex(name, sum[:])
}
