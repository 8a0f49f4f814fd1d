package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/distributed-donut/donut/wasm/donut"
)

// An entry says what an engine rendered. Its members are in the order of the ledger's lines.
type entry struct {
	Engine  string `json:"engine"`  // one of engineNames
	Version string `json:"version"` // which one of that name
	shard
	SHA256 checksum `json:"sha256"` // of the packed frames, one after the other
}

// name tells engines apart.
func (e entry) name() string { return e.Engine + " " + e.Version }

// A shard is a range of frames by some module. The native frames have one, too: that of the same source.
type shard struct {
	Module checksum `json:"module"` // of its file
	Detail int      `json:"detail"`
	First  uint64   `json:"first"`
	Count  int      `json:"count"`
}

func (s shard) String() string {
	return fmt.Sprintf("frames %d to %d at detail %d", s.First, s.First+uint64(s.Count)-1, s.Detail)
}

// A checksum is a SHA-256.
type checksum [32]byte

func (d checksum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, d[:]), nil }

func (d *checksum) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("digest: got %d digits, want %d", len(text), hex.EncodedLen(len(d)))
	}
	_, err := hex.Decode(d[:], text)
	return err
}

// line writes the entry as a line of a ledger, without the line's end.
func (e entry) line() ([]byte, error) { return json.Marshal(e) }

// parseEntry reads a line of a ledger. It takes only what line writes, byte by byte.
func parseEntry(line []byte) (entry, error) {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return entry{}, err
	}
	switch {
	case e.Engine == "" || e.Version == "":
		return entry{}, fmt.Errorf("engine: got %q, version %q, want both", e.Engine, e.Version)
	case e.Detail < 1 || e.Detail > donut.MaxDetail:
		return entry{}, fmt.Errorf("detail: got %d, want 1 to %d", e.Detail, donut.MaxDetail)
	case e.Count < 1 || e.First > math.MaxUint64-uint64(e.Count):
		return entry{}, fmt.Errorf("count: got %d from frame %d on, want at least 1, and room for them", e.Count, e.First)
	}
	switch again, err := e.line(); {
	case err != nil:
		return entry{}, err
	case !bytes.Equal(again, line):
		return entry{}, fmt.Errorf("want it spelled %s", again)
	}
	return e, nil
}

const (
	lineStart = `{"engine":"`
	maxLine   = 4096 // bytes
)

// A ledger is a file of entries, a line each, to which entries are appended. It is not safe for concurrent use.
type ledger struct {
	file    *os.File
	entries map[shard][]entry // in the order of the file
}

// openLedger opens the file, or begins it. A last line that was not written to its end is taken away. The caller must
// close the ledger; until then no other process can open it, where the system knows locks.
func openLedger(name string) (_ *ledger, err error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	defer func() {
		if err != nil {
			file.Close()
			err = fmt.Errorf("ledger %s: %w", name, err)
		}
	}()
	if err := lock(file); err != nil {
		return nil, fmt.Errorf("is another framecheck writing to it? %w", err)
	}
	l := &ledger{file, make(map[shard][]entry)}
	size, torn, err := l.read(file)
	if err == nil && torn {
		err = file.Truncate(size)
	}
	return l, err
}

// read takes in all lines. It returns how many bytes the whole ones have, and whether the beginning of another follows.
func (l *ledger) read(r io.Reader) (size int64, torn bool, err error) {
	lines := bufio.NewReaderSize(r, maxLine)
	for number := 1; ; number++ {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			err = fmt.Errorf("got more than %d bytes", maxLine)
		case errors.Is(err, io.EOF):
			shared := min(len(line), len(lineStart))
			if string(line[:shared]) == lineStart[:shared] {
				return size, len(line) > 0, nil
			}
			err = fmt.Errorf("got %.100q, want an entry", line) // whatever this file is, nothing is taken from it
		}
		var e entry
		if err == nil {
			e, err = parseEntry(line[:len(line)-1])
		}
		if err != nil {
			return 0, false, fmt.Errorf("line %d: %w", number, err)
		}
		l.add(e)
		size += int64(len(line))
	}
}

func (l *ledger) add(e entry) { l.entries[e.shard] = append(l.entries[e.shard], e) }

// has tells whether the ledger says what an engine renders for a shard.
func (l *ledger) has(s shard, engine maker) bool {
	for _, e := range l.entries[s] {
		if e.name() == engine.String() {
			return true
		}
	}
	return false
}

// append adds an entry to the file.
func (l *ledger) append(e entry) error {
	line, err := e.line()
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.add(e)
	return nil
}

func (l *ledger) close() error { return l.file.Close() }
