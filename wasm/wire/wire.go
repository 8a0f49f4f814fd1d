// Package wire defines every message between the server and a tab: the only definition of bytes on the wire.
//
// Each WebSocket message is binary and is one message of this package. Integers are little-endian and of fixed width
// but where the layout says uvarint, which is a minimal LEB128. Frame numbers are uint64 and never wrap. Instants are
// int64 microseconds: of the server's timeline (0 is the epoch), or of the sender's own clock where it says so.
//
// # The exchange
//
//	tab                                  server
//	Hello ────────────────────────────────▶      who I am, what I run
//	      ◀──────────────────────────────── Welcome, then the messages of the open key group
//	Probe ────────────────────────────────▶      every few seconds, with the newest message decoded
//	      ◀──────────────────────────────── Reply
//	      ◀──────────────────────────────── Broadcast, once a second
//	      ◀──────────────────────────────── Lease: render these      (workers only)
//	Result ───────────────────────────────▶      here they are       (workers only)
//	Offer ────────────────────────────────▶      lend to so many threads from now on
//	      ◀──────────────────────────────── Revoke: no longer wanted (workers only)
//	      ◀──────────────────────────────── Goodbye: why, and when to come back; then the close
//
// Everything that a Parse function accepts, Append prints back to the same bytes: one meaning, one spelling. Parse
// functions never panic and never keep their input, though the slices of what they return may alias it. Their errors
// are of type *SyntaxError.
package wire

import "strconv"

// Version is the version of everything in this package. Bytes 0 and 1 of a Hello are its kind and its sender's version
// for ever, so that any server can tell any tab that it is outdated.
const Version = 4

// A Kind is the first byte of a message.
type Kind uint8

// The kinds from tabs have a clear top bit, those from the server a set one.
const (
	KindHello  Kind = 0x01
	KindProbe  Kind = 0x02
	KindResult Kind = 0x03
	KindOffer  Kind = 0x04

	KindWelcome   Kind = 0x81
	KindReply     Kind = 0x82
	KindLease     Kind = 0x83
	KindRevoke    Kind = 0x84
	KindBroadcast Kind = 0x85
	KindGoodbye   Kind = 0x86
)

var kindNames = [...]string{
	KindHello: "hello", KindProbe: "probe", KindResult: "result", KindOffer: "offer",
	KindWelcome: "welcome", KindReply: "reply", KindLease: "lease", KindRevoke: "revoke", KindBroadcast: "broadcast",
	KindGoodbye: "goodbye",
}

// String returns the kind's name in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) && kindNames[k] != "" {
		return kindNames[k]
	}
	return "kind 0x" + strconv.FormatUint(uint64(k), 16)
}

// KindOf returns the kind of message b, which may be one this package does not know; an empty message has kind 0.
func KindOf(b []byte) Kind {
	if len(b) == 0 {
		return 0
	}
	return Kind(b[0])
}
