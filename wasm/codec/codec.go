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
//	frames           for each frame that is there: a mode (1) and its body
//
// Mode 0 is a packed picture. Mode 1 is the difference from the frame before (a blank one at a key): a stream of
// nibbles, low nibble first, in which g < 15 skips g cells and is followed by the level of the next one, and 15 skips
// 15 cells; it ends with the last cell, and a zero nibble pads it to whole bytes. A level always differs from what was
// there before, so that a difference has one spelling.
package codec

import (
	"github.com/distributed-donut/donut/wasm/wire"
)

// Version is the version of the format. A tab's hello names the one that its module decodes.
const Version = 1

// MaxFrames is the most frames that a message covers.
const MaxFrames = 120

// KeyInterval is how many frames apart the stream's keys stand in the steady state. A tab that joins replays what has
// aired since the last one.
const KeyInterval = 240

// MaxMessage is the longest message in bytes.
const MaxMessage = 1 + 10 + 10 + 1 + MaxFrames/8 + MaxFrames*(1+wire.PackedSize)

const (
	flagKey   = 1 << 0
	flagHoles = 1 << 1

	modePacked = 0
	modeDelta  = 1

	longSkip = 15 // the nibble that skips 15 cells and changes none
)
