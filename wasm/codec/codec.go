// Package codec turns the stream of frames into few bytes and back: encoded once on the server, decoded in every tab.
//
// The stream is a sequence of messages numbered from 1. Each covers a range of consecutive frame numbers; frames that
// were not there to air are holes. A key message starts a group and depends on nothing; every other one depends on all
// before it in its group, so a decoder starts at a key and takes each message in turn.
//
// A message:
//
//	flags   1        bit 0: key; bit 1: has holes; the others are 0
//	number  uvarint  of the message, counted from 1
//	first   uvarint  number of the first frame
//	count   1        frames covered, holes included, 1 to MaxFrames
//	holes            with bit 1 of flags: ceil(count/8) bytes, bit i%8 of byte i/8 set where frame first+i is missing;
//	                 unused bits are 0, at least one is set
//	frames           the rest: the frames that are there, as a range coder's payload
//
// The payload is the range coder's (range.go) of each picture: a flag, and then either decisions about its rows and
// cells (picture.go, cell.go) at probabilities that a model makes of what came before in the group (model.go), or each
// level plainly, in which case the model is as at a key afterwards. It ends with a check of the header and of all cells
// in it that there was room for anyway: a message that is cut short, altered or none of the stream's does not come out
// at its last byte with the right check, but for one in millions.
//
// A coder takes 140 KB, and nothing else is allocated.
package codec

// Version is the version of the format. A tab's hello names the one that its module decodes.
const Version = 2

// MaxFrames is the most frames that a message covers.
const MaxFrames = 120

// KeyInterval is how many frames apart the stream's keys stand in the steady state. A tab that joins replays what has
// aired since the last one.
const KeyInterval = 240

// MaxMessage is the longest message in bytes.
const MaxMessage = 1 + 10 + 10 + 1 + MaxFrames/8 + MaxFrames*plainSize + 8

const (
	flagKey   = 1 << 0
	flagHoles = 1 << 1
)
