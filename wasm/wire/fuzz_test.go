package wire

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// canonical checks that what a parser accepts prints back to the same bytes.
func canonical(t *testing.T, l layout, b []byte) {
	m, err := l.parse(b)
	if err != nil {
		return
	}
	if again := m.Append(nil); !bytes.Equal(again, b) {
		t.Errorf("%x parses as %+v, which prints %x", b, m, again)
	}
}

func fuzz(f *testing.F, kind Kind) {
	l := layoutOf(f, kind)
	rng := rand.New(rand.NewPCG(2, uint64(kind)))
	f.Add([]byte{})
	f.Add(decodeHex(f, l.hex))
	f.Add(l.random(rng).Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) { canonical(t, l, b) })
}

func FuzzParseHello(f *testing.F)     { fuzz(f, KindHello) }
func FuzzParseProbe(f *testing.F)     { fuzz(f, KindProbe) }
func FuzzParseOffer(f *testing.F)     { fuzz(f, KindOffer) }
func FuzzParseWelcome(f *testing.F)   { fuzz(f, KindWelcome) }
func FuzzParseReply(f *testing.F)     { fuzz(f, KindReply) }
func FuzzParseLease(f *testing.F)     { fuzz(f, KindLease) }
func FuzzParseRevoke(f *testing.F)    { fuzz(f, KindRevoke) }
func FuzzParseBroadcast(f *testing.F) { fuzz(f, KindBroadcast) }
func FuzzParseGoodbye(f *testing.F)   { fuzz(f, KindGoodbye) }

// FuzzParseResult makes up the header and repeats one byte for the frames: a fuzzer is slow with kilobytes of its own.
func FuzzParseResult(f *testing.F) {
	l := layoutOf(f, KindResult)
	b := l.message.Append(nil)
	f.Add(b[:resultHeader], b[resultHeader], uint32(PackedSize))
	f.Add(b[:resultHeader-1], byte(0xd0), uint32(2*PackedSize))
	f.Fuzz(func(t *testing.T, header []byte, fill byte, size uint32) {
		canonical(t, l, slices.Concat(header, bytes.Repeat([]byte{fill}, int(size%(MaxResult+1)))))
	})
}
