package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

var goodHeader = header{detail: 1, epoch: -2, begun: 1_700_000_000_000_000, digest: wire.Digest{1, 2}, url: "http://localhost:8080"}

// readAll reads a recording, and prints again what it reads.
func readAll(in io.Reader) (p *player, records []record, again []byte, err error) {
	p, err = play(in)
	if err != nil {
		return nil, nil, nil, err
	}
	again = p.header.append(nil)
	for {
		r, err := p.next()
		if err == io.EOF {
			return p, records, again, nil
		}
		if err != nil {
			return p, records, again, err
		}
		again = r.append(again)
		records = append(records, record{r.after, bytes.Clone(r.message)})
	}
}

// twoRecords is a recording, and how many bytes of it are the header and the first record.
func twoRecords() (file []byte, headerSize, first int) {
	file = goodHeader.append(nil)
	headerSize = len(file)
	file = record{0, bytes.Repeat([]byte{7}, maxMessage)}.append(file)
	first = len(file)
	return record{3 * time.Microsecond, []byte{8}}.append(file), headerSize, first
}

// unhex reads hex digits with spaces between them.
func unhex(digits string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

func TestRecordingLayout(t *testing.T) {
	want := "646f6e7574726563 01 01 feffffffffffffff 00401e18240a0600 0102" + strings.Repeat("00", 30) +
		"1500" + "687474703a2f2f6c6f63616c686f73743a38303830"
	file := goodHeader.append(nil)
	if got := file[:len(file)-checkSize]; !bytes.Equal(got, unhex(want)) {
		t.Errorf("header: got %x, want %s", got, want)
	}
	r := record{3 * time.Microsecond, []byte("123456789")}.append(nil)
	// e3069283 is the CRC-32C of these digits wherever it is explained.
	if got, want := r[recordStart:], unhex("313233343536373839 839206e3"); !bytes.Equal(got, want) {
		t.Errorf("message: got %x, want %x", got, want)
	}
	if got, want := r[:recordStart-checkSize], unhex("09000000 0300000000000000"); !bytes.Equal(got, want) {
		t.Errorf("record: got %x, want %x", got, want)
	}
}

func TestRecordingIsReadAgain(t *testing.T) {
	file, _, _ := twoRecords()
	for name, in := range map[string]io.Reader{"whole": bytes.NewReader(file), "in halves": iotest.HalfReader(bytes.NewReader(file))} {
		p, records, again, err := readAll(in)
		if err != nil || p.header != goodHeader || p.torn != 0 || !bytes.Equal(again, file) {
			t.Fatalf("%s: got %+v, error %v, %d bytes torn", name, p, err, p.torn)
		}
		if len(records) != 2 || records[1].after != 3*time.Microsecond || !bytes.Equal(records[1].message, []byte{8}) {
			t.Errorf("%s: got %d records", name, len(records))
		}
	}
}

func TestTornRecording(t *testing.T) {
	file, headerSize, first := twoRecords()
	for size := range len(file) {
		if size > headerSize+100 && size < first-100 {
			continue // in the middle of the long message
		}
		p, records, _, err := readAll(bytes.NewReader(file[:size]))
		if size < headerSize {
			if err == nil || !strings.Contains(err.Error(), "offset 0: header: got") {
				t.Errorf("%d bytes of the header: got %v", size, err)
			}
			continue
		}
		whole, count := headerSize, 0
		if size >= first {
			whole, count = first, 1
		}
		if err != nil || len(records) != count || p.torn != size-whole || p.offset != int64(whole) {
			t.Errorf("%d bytes: got %d records, %d bytes torn at %d, error %v, want %d, %d at %d", size, len(records), p.torn, p.offset, err, count, size-whole, whole)
		}
	}
}

// TestEveryBitCounts flips each bit of a recording. Nothing may be taken for a file that is whole, and a damaged length
// must not pass for one of a message that is not.
func TestEveryBitCounts(t *testing.T) {
	file := goodHeader.append(nil)
	file = record{1, []byte{7, 7}}.append(file)
	file = record{3 * time.Microsecond, []byte{8}}.append(file)
	for i := range 8 * len(file) {
		file[i/8] ^= 1 << (i % 8)
		if p, _, _, err := readAll(bytes.NewReader(file)); err == nil {
			t.Errorf("bit %d of byte %d: got no error, %d bytes torn", i%8, i/8, p.torn)
		}
		file[i/8] ^= 1 << (i % 8)
	}
}

func TestBadRecordings(t *testing.T) {
	sealed := func(h header, records ...[]byte) []byte {
		return bytes.Join(append([][]byte{h.append(nil)}, records...), nil)
	}
	head := func(size uint32, after uint64) []byte {
		b := binary.LittleEndian.AppendUint32(nil, size)
		return appendCheck(binary.LittleEndian.AppendUint64(b, after), 0)
	}
	of := func(edit func(*header)) []byte {
		h := goodHeader
		edit(&h)
		return sealed(h)
	}
	ok := record{5 * time.Microsecond, []byte{7}}.append(nil)
	broken := errors.New("broken disk")
	for _, c := range []struct {
		name string
		in   io.Reader
		want string
	}{
		{"empty", bytes.NewReader(nil), "offset 0: header: got an empty file"},
		{"text", strings.NewReader("hello"), `magic: got "hello", want "donutrec"`},
		{"another version", strings.NewReader("donutrec\x02"), "version: got 2, want 1"},
		{"detail 0", bytes.NewReader(of(func(h *header) { h.detail = 0 })), "detail: got 0, want 1 to 32"},
		{"detail 33", bytes.NewReader(of(func(h *header) { h.detail = 33 })), "detail: got 33, want 1 to 32"},
		{"long URL", bytes.NewReader(of(func(h *header) { h.url += "/" + strings.Repeat("x", maxURL) })), "URL: got 2070 bytes"},
		{"no URL", bytes.NewReader(of(func(h *header) { h.url = "" })), `URL: got "", want http`},
		{"a password", bytes.NewReader(of(func(h *header) { h.url = "http://me:secret@localhost" })), "want it spelled"},
		{"a query", bytes.NewReader(of(func(h *header) { h.url = "http://localhost?token=1" })), "want it spelled"},
		{"empty message", bytes.NewReader(sealed(goodHeader, ok, head(0, 5))), fmt.Sprintf("offset 106: length: got 0, want 1 to %d", maxMessage)},
		{"long message", bytes.NewReader(sealed(goodHeader, ok, head(maxMessage+1, 5))), fmt.Sprintf("offset 106: length: got %d", maxMessage+1)},
		{"back in time", bytes.NewReader(sealed(goodHeader, ok, head(1, 4))), "offset 106: after: got 4 microseconds, want 5 to"},
		{"never", bytes.NewReader(sealed(goodHeader, ok, head(1, 1<<63))), "offset 106: after: got 9223372036854775808"},
		{"garbage", bytes.NewReader(sealed(goodHeader, ok, make([]byte, recordStart))), "offset 106: the file is damaged"},
		{"broken disk in the header", iotest.ErrReader(broken), "broken disk"},
		{"broken disk", io.MultiReader(bytes.NewReader(sealed(goodHeader, ok)), iotest.ErrReader(broken)), "offset 106: broken disk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, _, err := readAll(c.in)
			wantError(t, err, c.want)
		})
	}
}

func TestPublicURL(t *testing.T) {
	u, err := url.Parse("https://me:secret@[::1]:8080/a%2Fb/?token=secret#secret")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := publicURL(u), "https://[::1]:8080/a%2Fb/"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzRecording holds that a recording has one spelling, whatever is in it, and that its reader's memory has a bound. With
// mend the checks are put right first, which a fuzzer cannot guess.
func FuzzRecording(f *testing.F) {
	file := goodHeader.append(nil)
	blank := func(frames []*donut.Picture) { *frames[0] = donut.Picture{} } // a fuzzer is slow with kilobytes
	for i, m := range airing([]broadcast{{first: 1000, count: 1, key: true, change: blank}, {first: 1001, count: 1, change: blank}}) {
		file = record{time.Duration(i) * time.Second, m}.append(file)
	}
	f.Add(file, false)
	f.Add(file, true)
	f.Add(file[:len(file)-1], false)
	f.Add(goodHeader.append(nil), true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend {
			b = mended(b)
		}
		p, records, again, err := readAll(bytes.NewReader(b))
		if p == nil {
			return
		}
		if !bytes.HasPrefix(b, again) || int64(len(again)) != p.offset {
			t.Errorf("%x prints %x, read up to %d", b, again, p.offset)
		}
		if err == nil && len(again)+p.torn != len(b) {
			t.Errorf("got %d bytes whole and %d torn of %d", len(again), p.torn, len(b))
		}
		if size := p.in.Size(); size > maxMessage+1024 {
			t.Errorf("got a buffer of %d bytes", size)
		}
		var seen stream
		p, err = play(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("the second time: %v", err)
		}
		_, err = p.feed(t.Context(), &seen, func(s span) error {
			if s.count < 1 || len(s.claimed) != s.count*wire.PackedSize {
				t.Errorf("got %d frames in %d bytes", s.count, len(s.claimed))
			}
			return nil
		})
		if err == nil && seen.messages > uint64(len(records)) {
			t.Errorf("got %d messages in %d records", seen.messages, len(records))
		}
	})
}

// mended returns a copy of what may be a recording with all checks right.
func mended(b []byte) []byte {
	b = bytes.Clone(b)
	mend := func(start, end int) bool {
		if end+checkSize > len(b) {
			return false
		}
		appendCheck(b[:end], start)
		return true
	}
	if len(b) < headerStart {
		return b
	}
	next := headerStart + int(binary.LittleEndian.Uint16(b[headerStart-2:]))
	// appendCheck writes in place, and counts from the start that it is given.
	for ok := mend(0, next); ok; {
		next += checkSize
		start := next
		if ok = mend(start, start+recordStart-checkSize); ok {
			next = start + recordStart + int(binary.LittleEndian.Uint32(b[start:]))
			ok = mend(start+recordStart, next)
		}
	}
	return b
}
