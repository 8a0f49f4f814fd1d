package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/wire"
)

// recorded reads what is in a recording.
func recorded(t *testing.T, name string) (header, [][]byte) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p, records, _, err := readAll(file)
	if err != nil || p.torn > 0 {
		t.Fatalf("%s: got %v, want a recording without a torn end", name, err)
	}
	var messages [][]byte
	for _, r := range records {
		messages = append(messages, r.message)
	}
	return p.header, messages
}

func TestRecord(t *testing.T) {
	welcome := wire.Welcome{Detail: 1, You: 1, Epoch: 1234, Digest: digest(t)}.Append(nil)
	script := []broadcast{{first: 1000, count: 12, key: true}, {first: 1012, count: 12}, {first: 1024, count: 12, change: forge}}
	goodbye := broadcast{instead: wire.Goodbye{Reason: wire.ReasonDraining}.Append(nil)}
	garbage := broadcast{instead: []byte{byte(wire.KindBroadcast), 1}}
	for _, c := range []struct {
		name     string
		seconds  string
		script   []broadcast
		messages int // of the script in the recording
		out      string
		err      string // when watching; empty for none
		again    string // when the recording is checked; empty for none
	}{
		{"honest", "1", script[:2], 2, "24 frames checked", "", ""},
		{"forged cell", "1", script, 3, "36 frames checked", "frame 1031: 1 cells differ", "frame 1031: 1 cells differ"},
		{"goodbye", "60", append(script[:2:2], goodbye), 2, "24 frames checked", "goodbye: draining", ""},
		{"connection dropped", "60", append(script[:2:2], broadcast{instead: []byte{}}), 2, "24 frames checked", "receive message", ""},
		{"no broadcast that parses", "60", append(script[:2:2], garbage), 3, "24 frames checked", "wire: broadcast", "wire: broadcast"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, [][]byte{welcome}, c.script)
			name := filepath.Join(t.TempDir(), "stream")
			out, err := framecheck(t, "-url", strings.Replace(server, "://", "://me:secret@", 1)+"?token=secret", "-seconds", c.seconds, "-record", name)
			wantError(t, err, c.err)
			if c.err != "" {
				wantError(t, err, name+" is a valid recording of what came: messages: ")
			}
			h, messages := recorded(t, name)
			if h.detail != 1 || h.epoch != 1234 || h.digest != digest(t) || h.url != server || h.begun == 0 {
				t.Errorf("got header %+v", h)
			}
			if want := airing(c.script)[:c.messages]; !bytes.Equal(bytes.Join(messages, nil), bytes.Join(want, nil)) || len(messages) != len(want) {
				t.Errorf("got %d messages, want the %d that were sent", len(messages), len(want))
			}
			again, err := framecheck(t, "-file", name)
			wantError(t, err, c.again)
			if summary, _, _ := strings.Cut(again, "\n"); summary+"\n" != out || !strings.Contains(out, c.out) {
				t.Errorf("the recording's summary: got %q, want %q, and %q in it", again, out, c.out)
			}
		})
	}
}

func TestRecordWritesNothingOver(t *testing.T) {
	welcome := wire.Welcome{Detail: 1, You: 1, Digest: digest(t)}.Append(nil)
	goodbye := broadcast{instead: wire.Goodbye{Reason: wire.ReasonDraining}.Append(nil)}
	server := serve(t, [][]byte{welcome}, []broadcast{{first: 1, count: 1, key: true}, goodbye})

	full := tempFile(t, []byte("x"))
	_, err := framecheck(t, "-url", server, "-record", full)
	wantError(t, err, full+": got a file of 1 bytes, want a new or an empty one")
	if got := textOf(t, full); got != "x" {
		t.Errorf("the file: got %q, want it as it was", got)
	}

	empty := tempFile(t, nil)
	_, err = framecheck(t, "-url", server, "-record", empty)
	wantError(t, err, "draining")
	if _, messages := recorded(t, empty); len(messages) != 1 {
		t.Errorf("an empty file: got %d messages in it, want 1", len(messages))
	}

	_, err = framecheck(t, "-url", server, "-record", filepath.Join(t.TempDir(), "no", "folder"))
	wantError(t, err, "-record: open ")
}

// TestRecordingIsThereAtOnce reads a recording while it is being made, as if its maker had been killed.
func TestRecordingIsThereAtOnce(t *testing.T) {
	name := filepath.Join(t.TempDir(), "stream")
	r, err := newRecorder(name, goodHeader, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if _, messages := recorded(t, name); len(messages) != i {
			t.Errorf("got %d messages, want %d", len(messages), i)
		}
		if err := r.keep([]byte{7}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.finish(nil); err != nil {
		t.Error(err)
	}
	wantError(t, r.keep([]byte{7}), "-record: ")
	wantError(t, r.finish(nil), "-record: ")
}

func TestOneRecorderAtATime(t *testing.T) {
	name := tempFile(t, nil)
	other, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if err := lock(other); err != nil {
		t.Fatal(err)
	}
	_, err = newRecorder(name, goodHeader, time.Now())
	wantError(t, err, "is another framecheck writing to it?")
}

func TestRecordOfABadHeader(t *testing.T) {
	h := goodHeader
	h.url += "/" + strings.Repeat("x", maxURL)
	name := filepath.Join(t.TempDir(), "stream")
	_, err := newRecorder(name, h, time.Now())
	wantError(t, err, "-record: URL: got 2070 bytes, want at most 2048")
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("the file: got %v, want none", err)
	}
}
