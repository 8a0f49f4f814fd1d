package terminal

import (
	"encoding/binary"
	"time"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/donut"
)

// The messages of asciinema's live stream protocol, version 1 (docs.asciinema.org/manual/server/streaming). Each is a
// binary WebSocket message. Numbers are unsigned LEB128.
//
//	magic   5  "ALiS", 1
//
//	init    1  0x01
//	        number of the last event before it
//	        time of the stream in microseconds
//	        columns, rows
//	        1  theme: 0 for none
//	        length of the text, and the text: what brings a blank terminal to that event
//
//	output  1  'o'
//	        number of the event, one more than that of the one before
//	        microseconds since the event before
//	        length of the text, and the text
//
// A stream is the magic, an init, and outputs. Another init begins anew.
const (
	alisProtocol = "v1.alis"
	alisMagic    = "ALiS\x01"

	alisInit    = 0x01
	alisOutput  = 'o'
	alisNoTheme = 0
)

// An alisStream is the messages of one stream. Its zero value is before the first.
type alisStream struct {
	begun bool
	start timeline.Instant // of the first frame
}

// of returns the message that shows a shot. A whole one is an init, whose time counts from the first one; of others the
// message is shared, and must not be changed.
func (a *alisStream) of(s *shot) []byte {
	if !s.whole {
		return s.output()
	}
	at := timeline.Start(s.frame)
	if !a.begun {
		a.begun, a.start = true, at
	}
	b := []byte{alisInit}
	b = binary.AppendUvarint(b, s.number)
	b = binary.AppendUvarint(b, uint64(at-a.start))
	b = binary.AppendUvarint(b, donut.Columns)
	b = binary.AppendUvarint(b, donut.Rows)
	b = append(b, alisNoTheme)
	b = binary.AppendUvarint(b, uint64(len(hideCursor)+len(s.body)))
	b = append(b, hideCursor...)
	return append(b, s.body...)
}

// output returns the shot as an output. It is made once, when somebody asks.
func (s *shot) output() []byte {
	s.once.Do(func() {
		b := append(make([]byte, 0, 20+len(s.body)), alisOutput)
		b = binary.AppendUvarint(b, s.number)
		b = binary.AppendUvarint(b, uint64(s.after/time.Microsecond))
		b = binary.AppendUvarint(b, uint64(len(s.body)))
		s.message = append(b, s.body...)
	})
	return s.message
}
