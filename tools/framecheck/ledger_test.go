package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const goodLine = `{"engine":"v8","version":"v20.1.0","module":"` + zeros + `","detail":1,"first":10000,"count":10000,"sha256":"` + zeros + `"}`

const zeros = "0000000000000000000000000000000000000000000000000000000000000000"

// tempLedger writes a file, which may be a ledger.
func tempLedger(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ledger")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func textOf(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// entriesOf reads a ledger and closes it.
func entriesOf(t *testing.T, name string) map[shard][]entry {
	t.Helper()
	l, err := openLedger(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	return l.entries
}

func TestLedgerKeepsWhatIsAppended(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ledger")
	l, err := openLedger(name)
	if err != nil {
		t.Fatal(err)
	}
	s := shard{checksum{1}, 8, 1 << 63, 156}
	for _, e := range []entry{
		{"native", "go1.26.8 amd64 v1", s, checksum{2}},
		{"spidermonkey", "Mozilla <\"Firefox\"> \u2028 153", s, checksum{2}},
		{"native", "go1.26.8 amd64 v1", shard{checksum{1}, 8, 0, 156}, checksum{3}},
	} {
		if err := l.append(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	if got := entriesOf(t, name); len(got) != 2 || !reflect.DeepEqual(got, l.entries) {
		t.Errorf("got %v, want %v", got, l.entries)
	}
}

func TestTornLastLineIsTakenAway(t *testing.T) {
	for size := range len(goodLine) + 1 {
		name := tempLedger(t, goodLine+"\n"+goodLine[:size])
		l, err := openLedger(name)
		if err != nil {
			t.Fatalf("%d bytes of a line: %v", size, err)
		}
		if err := l.append(entry{"jsc", "1", shard{checksum{1}, 1, 0, 1}, checksum{}}); err != nil {
			t.Fatal(err)
		}
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		if got := entriesOf(t, name); len(got) != 2 {
			t.Errorf("%d bytes of a line: got entries for %d shards, want 2", size, len(got))
		}
	}
}

func TestBadLedgers(t *testing.T) {
	change := func(old, new string) string { return strings.Replace(goodLine, old, new, 1) }
	for _, c := range []struct{ name, line, want string }{
		{"empty line", "", "line 2: unexpected end"},
		{"no entry", "null", "line 2: engine"},
		{"garbage", "\x00\xff", "line 2: invalid"},
		{"half a line", goodLine[:50], "line 2: unexpected end"},
		{"two entries", goodLine + goodLine, "line 2: invalid"},
		{"long", change("v20", strings.Repeat("v", maxLine)), "line 2: got more than 4096 bytes"},
		{"carriage return", goodLine + "\r", "line 2: want it spelled"},
		{"space", change(`:1,`, `: 1,`), "line 2: want it spelled"},
		{"upper case", strings.Replace(goodLine, "00", "AA", 1), "line 2: want it spelled"},
		{"another member", change(`,"first"`, `,"more":1,"first"`), "line 2: want it spelled"},
		{"member twice", change(`"detail":1`, `"detail":2,"detail":1`), "line 2: want it spelled"},
		{"no engine", change(`"v8"`, `""`), "line 2: engine"},
		{"no version", change(`"v20.1.0"`, `""`), "line 2: engine"},
		{"not UTF-8", change("v20", "\xff"), "line 2: want it spelled"},
		{"detail 0", change(`"detail":1`, `"detail":0`), "line 2: detail"},
		{"detail 33", change(`"detail":1`, `"detail":33`), "line 2: detail"},
		{"no frames", change(`"count":10000`, `"count":0`), "line 2: count"},
		{"fewer", change(`"count":10000`, `"count":-1`), "line 2: count"},
		{"too many", change(`"first":10000`, `"first":18446744073709551615`), "line 2: count"},
		{"negative", change(`"first":10000`, `"first":-1`), "line 2: json"},
		{"short digest", change(`"0`, `"`), "line 2: digest: got 63 digits"},
		{"digest", change(`"0`, `"g`), "line 2: encoding/hex"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := goodLine + "\n" + c.line + "\n" + goodLine + "\n"
			name := tempLedger(t, text)
			if _, err := openLedger(name); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
			if textOf(t, name) != text {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOtherFilesStayAsTheyAre(t *testing.T) {
	for _, text := range []string{"localhost", "{", "{}", goodLine + "\nlocalhost"} {
		name := tempLedger(t, text)
		l, err := openLedger(name)
		if err == nil {
			l.close()
		}
		if whole := text == "{"; (err == nil) != whole { // that one may be the beginning of a ledger
			t.Errorf("%q: got %v", text, err)
		} else if !whole && textOf(t, name) != text {
			t.Errorf("%q was changed", text)
		}
	}
	if _, err := openLedger(t.TempDir()); err == nil {
		t.Error("a folder was taken for a ledger")
	}
}

func TestOneWriterAtATime(t *testing.T) {
	name := filepath.Join(t.TempDir(), "ledger")
	l, err := openLedger(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openLedger(name); err == nil || !strings.Contains(err.Error(), "another framecheck") {
		t.Errorf("the second: got %v", err)
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	entriesOf(t, name)
}

// FuzzLedger holds that an entry has one spelling.
func FuzzLedger(f *testing.F) {
	f.Add([]byte(goodLine))
	f.Add([]byte(strings.Replace(goodLine, `"first":10000`, `"first":18446744073709541615`, 1)))
	f.Add([]byte(strings.Replace(goodLine, "v20", `\u003c`, 1)))
	f.Add([]byte(strings.Replace(goodLine, "detail", "Detail", 1)))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := parseEntry(line)
		if err != nil {
			return
		}
		again, err := e.line()
		if err != nil || !bytes.Equal(again, line) {
			t.Errorf("got %s, error %v, want %s", again, err, line)
		}
		if last := e.First + uint64(e.Count) - 1; e.Detail < 1 || e.Count < 1 || last < e.First {
			t.Errorf("accepted %v", e)
		}
	})
}
