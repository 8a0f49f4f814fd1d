package hub

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/coder/websocket"
)

// First bytes of WebSocket frames that are whole messages; RFC 6455, section 5.2.
const (
	wholeBinary = 0x80 | 2
	wholeClose  = 0x80 | 8
)

// framed returns a message in the WebSocket frame in which a server sends it. The frame is shared by all who get the
// message, and is why messages are not written by the library, whose frames are headers and payloads in writes of their
// own.
func framed(message []byte) []byte {
	var header []byte
	switch n := len(message); {
	case n <= 125:
		header = []byte{wholeBinary, byte(n)}
	case n <= math.MaxUint16:
		header = binary.BigEndian.AppendUint16([]byte{wholeBinary, 126}, uint16(n))
	default:
		header = binary.BigEndian.AppendUint64([]byte{wholeBinary, 127}, uint64(n))
	}
	return slices.Concat(header, message)
}

// closing returns the frame that ends what a server sends.
func closing(status websocket.StatusCode) []byte {
	return binary.BigEndian.AppendUint16([]byte{wholeClose, 2}, uint16(status))
}
