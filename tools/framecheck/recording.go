package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A recording is a file of what a server aired. Integers are little-endian. A check is the CRC-32C of all since the one
// before it: it tells a damaged file from a server that lies. It is no signature, and whoever has a recording has only its
// maker's word for where it came from. The header:
//
//	magic    8  recordingMagic
//	version  1  recordingVersion; this byte and the magic are the same for ever
//	detail   1  of the frames, 1 to donut.MaxDetail
//	epoch    8  the instant of frame 0, in microseconds of Unix time
//	begun    8  the instant of the server's welcome by the viewer's clock, in microseconds of Unix time
//	digest  32  SHA-256 of the server's module, which holds the format of the messages, too
//	length   2  of the URL, at most maxURL
//	url         the server's, as publicURL spells it
//	check    4
//
// Then, for each broadcast:
//
//	length   4  of the message, 1 to maxMessage
//	after    8  microseconds from begun until it was read, never fewer than of the one before
//	check    4
//	message     wire.Broadcast, as it was received; nothing says yet that it can be parsed
//	check    4
const (
	recordingMagic   = "donutrec"
	recordingVersion = 1

	maxURL = 2048 // bytes

	headerStart = len(recordingMagic) + 1 + 1 + 8 + 8 + wire.DigestSize + 2 // bytes, up to the URL
	recordStart = 4 + 8 + checkSize                                         // bytes, up to the message
	checkSize   = 4

	maxAfter = math.MaxInt64 / time.Microsecond
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A header is what a recording says of itself.
type header struct {
	detail int
	epoch  int64
	begun  int64
	digest wire.Digest
	url    string
}

// validate returns what no header may hold.
func (h header) validate() error {
	if h.detail < 1 || h.detail > donut.MaxDetail {
		return fmt.Errorf("detail: got %d, want 1 to %d", h.detail, donut.MaxDetail)
	}
	if len(h.url) > maxURL {
		return fmt.Errorf("URL: got %d bytes, want at most %d", len(h.url), maxURL)
	}
	u, err := parseServer(h.url)
	if err == nil && publicURL(u) != h.url {
		err = fmt.Errorf("got %q, want it spelled %q", h.url, publicURL(u))
	}
	if err != nil {
		return fmt.Errorf("URL: %w", err)
	}
	return nil
}

// append appends the header to dst. It must be valid.
func (h header) append(dst []byte) []byte {
	start := len(dst)
	dst = append(dst, recordingMagic...)
	dst = append(dst, recordingVersion, byte(h.detail))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.epoch))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(h.begun))
	dst = append(dst, h.digest[:]...)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(h.url)))
	dst = append(dst, h.url...)
	return appendCheck(dst, start)
}

// A record is a broadcast in a recording.
type record struct {
	after   time.Duration // since the recording began, in whole microseconds
	message []byte
}

// append appends the record to dst. The message must have 1 to maxMessage bytes.
func (r record) append(dst []byte) []byte {
	start := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.message)))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.after.Microseconds()))
	dst = appendCheck(dst, start)
	start = len(dst)
	return appendCheck(append(dst, r.message...), start)
}

// appendCheck appends the check of what dst holds from start on.
func appendCheck(dst []byte, start int) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli))
}

// checked returns an error unless b ends with the check of all before it.
func checked(b []byte) error {
	body := b[:len(b)-checkSize]
	if got, want := binary.LittleEndian.Uint32(b[len(body):]), crc32.Checksum(body, castagnoli); got != want {
		return fmt.Errorf("the file is damaged: check: got %08x, want %08x", got, want)
	}
	return nil
}

// A player reads a recording, in memory that does not depend on what is in it. It is not safe for concurrent use.
type player struct {
	header header

	in     *bufio.Reader
	offset int64         // in the file; all before it has been read
	after  time.Duration // of the last record
	torn   int           // how many bytes of a record that was not written to its end follow the last one
}

// play reads a recording's header.
func play(r io.Reader) (*player, error) {
	p := &player{in: bufio.NewReaderSize(r, recordStart+maxMessage+checkSize)} // whatever is peeked at fits
	if err := p.readHeader(); err != nil {
		return nil, fmt.Errorf("offset 0: header: %w", err)
	}
	return p, nil
}

func (p *player) readHeader() error {
	b, err := p.in.Peek(headerStart)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	start := b[:min(len(b), len(recordingMagic))]
	switch {
	case len(b) == 0:
		return errors.New("got an empty file, want a recording")
	case string(start) != recordingMagic[:len(start)]:
		return fmt.Errorf("magic: got %q, want %q", start, recordingMagic)
	case len(b) > len(start) && b[len(start)] != recordingVersion:
		return fmt.Errorf("version: got %d, want %d", b[len(start)], recordingVersion)
	case err != nil:
		return fmt.Errorf("got %d bytes, want at least %d", len(b), headerStart)
	}
	size := int(binary.LittleEndian.Uint16(b[headerStart-2:]))
	if size > maxURL {
		return fmt.Errorf("URL: got %d bytes, want at most %d", size, maxURL)
	}
	whole := headerStart + size + checkSize
	b, err = p.in.Peek(whole)
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("got %d bytes, want %d", len(b), whole)
	case err != nil:
		return err
	}
	if err := checked(b); err != nil {
		return err
	}
	fields := b[len(recordingMagic)+1:]
	p.header = header{
		detail: int(fields[0]),
		epoch:  int64(binary.LittleEndian.Uint64(fields[1:])),
		begun:  int64(binary.LittleEndian.Uint64(fields[9:])),
		digest: wire.Digest(fields[17:]),
		url:    string(b[headerStart : headerStart+size]),
	}
	p.skip(whole)
	return p.header.validate()
}

// next returns the next record, whose message is valid until the next call. Behind the last whole one the error is
// io.EOF; any other one says at what offset the file is no recording.
func (p *player) next() (record, error) {
	r, err := p.readRecord()
	if err != nil && err != io.EOF {
		err = fmt.Errorf("offset %d: %w", p.offset, err)
	}
	return r, err
}

func (p *player) readRecord() (record, error) {
	b, err := p.peek(recordStart)
	if err != nil {
		return record{}, err
	}
	if err := checked(b); err != nil {
		return record{}, err
	}
	size, after := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint64(b[4:])
	switch {
	case size < 1 || size > maxMessage:
		return record{}, fmt.Errorf("length: got %d, want 1 to %d", size, maxMessage)
	case after < uint64(p.after.Microseconds()) || after > uint64(maxAfter):
		return record{}, fmt.Errorf("after: got %d microseconds, want %d to %d", after, p.after.Microseconds(), maxAfter)
	}
	b, err = p.peek(recordStart + int(size) + checkSize)
	if err != nil {
		return record{}, err
	}
	if err := checked(b[recordStart:]); err != nil {
		return record{}, err
	}
	p.after = time.Duration(after) * time.Microsecond
	p.skip(len(b)) // which leaves them in the buffer until something else is peeked at
	return record{p.after, b[recordStart : len(b)-checkSize]}, nil
}

// peek returns the next n bytes. Where the file ends before them it says so in torn, and the error is io.EOF.
func (p *player) peek(n int) ([]byte, error) {
	b, err := p.in.Peek(n)
	if err == io.EOF {
		p.torn = len(b)
	}
	return b, err
}

// skip goes on behind n bytes that were peeked at.
func (p *player) skip(n int) {
	p.in.Discard(n) // they are in the buffer
	p.offset += int64(n)
}
