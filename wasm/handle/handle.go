// Package handle makes up names for people: two friendly words for the number of a connection.
//
// A handle is a function of the number and of nothing else, so it takes no bytes on the wire, is the same for everybody
// who looks, and holds nothing that a visitor could have chosen.
package handle

const (
	// handles is how many there are: each adjective with each noun.
	handles = 1 << 16
	// step is handles divided by the golden ratio. It is odd, so that no two of its first multiples are the same modulo
	// handles, and that ratio spreads neighbours widest: Knuth, The Art of Computer Programming, volume 3, section 6.4.
	// Handles of neighbours do not even begin alike.
	step = 40503
)

// Append appends the handle of a connection's number, as "amber otter", to dst. Of any 65,536 consecutive numbers no
// two have the same handle; of any 233, no two have a word in common.
func Append(dst []byte, number uint32) []byte {
	mixed := number * step % handles
	dst = append(dst, adjectives[mixed>>8]...)
	dst = append(dst, ' ')
	return append(dst, nouns[mixed&0xff]...)
}
