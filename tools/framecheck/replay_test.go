package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// tape makes a recording, of this program's module.
func tape(t *testing.T, messages [][]byte) []byte {
	h := goodHeader
	h.digest = digest(t)
	b := h.append(nil)
	for i, m := range messages {
		b = record{time.Duration(i) * time.Second, m}.append(b)
	}
	return b
}

// tempFile writes a file.
func tempFile(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "stream")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReplay(t *testing.T) {
	stall := func(frames []*donut.Picture) { frames[0], frames[4] = nil, nil }
	script := []broadcast{
		{first: 1000, count: 12, key: true}, {first: 1012, count: 12}, {first: 1024, count: 12, key: true, change: stall}, {first: 1036, count: 12},
	}
	forged := append(script[:3:3], broadcast{first: 1036, count: 12, change: forge})
	all := airing(script)
	honest := tape(t, all)
	const whole = "46 frames checked at detail 1, 0 disagreements, 2 holes, in 4 messages of "
	foreign := goodHeader.append(nil)

	for _, c := range []struct {
		name string
		file []byte
		out  []string // parts of what is printed
		not  string   // no part of it
		err  string   // a part of the error; empty for none
	}{
		{"honest", honest, []string{whole, "recorded from \"http://localhost:8080\" since 2023-11-14T22:13:20Z for 3s\n"}, "skipped", ""},
		{"forged cell", tape(t, airing(forged)), []string{"46 frames checked", "1 disagreements"}, "",
			"what the server aired differs from wazero: verify: frame 1043: 1 cells differ, the first at row 11, column 31: got level"},
		{"cut in the last message", honest[:len(honest)-1], []string{"34 frames checked", "ends inside a message: bytes left out: "}, "", ""},
		{"cut between messages", tape(t, all[:2]), []string{"24 frames checked"}, "left out", ""},
		{"begins inside a key group", tape(t, all[1:]), []string{"22 frames checked", "in 2 messages", "messages skipped up to the first key: 1\n"}, "", ""},
		{"no key", tape(t, all[1:2]), []string{"0 frames checked", "first key: 1\n"}, "", "got no frame to check"},
		{"forged before the first key", tape(t, airing([]broadcast{{first: 1, count: 12, key: true}, {first: 13, count: 12, change: forge}})[1:]),
			[]string{"0 frames checked", "first key: 1\n"}, "", "got no frame to check"},
		{"message left out", tape(t, [][]byte{all[0], all[2]}), []string{"12 frames checked"}, "", "stream is broken: got message 3 after 1"},
		{"message twice", tape(t, [][]byte{all[0], all[0]}), []string{"12 frames checked"}, "", "number: got 1"},
		{"nothing", tape(t, nil), []string{"0 frames checked"}, "", "got no frame to check"},
		{"no broadcast", tape(t, [][]byte{all[0], wire.Goodbye{Reason: wire.ReasonFull}.Append(nil)}), []string{"12 frames checked"}, "",
			fmt.Sprintf("offset %d: wire: broadcast: kind: got goodbye", len(tape(t, all[:1])))},
		{"no broadcast at first", tape(t, [][]byte{{1}}), []string{"0 frames checked"}, "", "offset 85: wire: broadcast: kind"},
		{"no stream at first", tape(t, [][]byte{wire.Broadcast{Stream: []byte{255}}.Append(nil)}), []string{"0 frames checked"}, "", "offset 85: codec: malformed"},
		{"garbage behind", append(honest[:len(honest):len(honest)], make([]byte, 100)...), []string{whole}, "", "the file is damaged: check"},
		{"garbage", []byte("hello, world"), nil, "", "magic: got"},
		{"another module", foreign, nil, "", "module: got 0102000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := tempFile(t, c.file)
			out, err := framecheck(t, "-file", name)
			for _, want := range c.out {
				if !strings.Contains(out, want) {
					t.Errorf("got %q, want %q in it", out, want)
				}
			}
			if c.not != "" && strings.Contains(out, c.not) {
				t.Errorf("got %q, want no %q in it", out, c.not)
			}
			wantError(t, err, c.err)
		})
	}
}

func TestReplaySaysWhichBuildToUse(t *testing.T) {
	name := tempFile(t, goodHeader.append(nil))
	_, err := framecheck(t, "-file", name)
	wantError(t, err, "use the framecheck that was built with the web/dist/donut.wasm of the first SHA-256")
	wantError(t, err, name)
}

func TestReplayOfNoFile(t *testing.T) {
	_, err := framecheck(t, "-file", filepath.Join(t.TempDir(), "missing"))
	wantError(t, err, "-file: open ")
	_, err = framecheck(t, "-file", t.TempDir())
	wantError(t, err, "is a directory")
}
