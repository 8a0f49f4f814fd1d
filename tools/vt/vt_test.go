package vt

import "testing"

func TestScreen(t *testing.T) {
	for sent, want := range map[string]string{
		"abc\r\nd":                      "abc\nd\n\n",
		"abc\rd":                        "dbc\n\n\n",
		"a\x1b[2;3Hb\x1b[Hc":            "c\n  b\n\n",
		"\x1b[2Hb\x1b[1Ca\b\b\bc":       "\nc a\n\n",
		"\x1b[99;99H\ba":                "\n\n   a\n",
		"abcd\x1b[3D\x1b[K":             "a\n\n\n",
		"a\r\nb\r\nc\x1b[H\x1b[B\x1b[J": "a\n\n\n",
		"\x1b[?25l\x1b[?2026ha":         "a\n\n\n",
	} {
		s := New(5, 3)
		if _, err := s.Write([]byte(sent)); err != nil {
			t.Errorf("%q: %v", sent, err)
		}
		if got := s.Text(); got != want {
			t.Errorf("after %q the screen shows %q, want %q", sent, got, want)
		}
	}
}

func TestScreenRefuses(t *testing.T) {
	for _, sent := range []string{
		"abcde", "\n\n\n", "\x1bc", "\x1b[2J", "\x1b[1A", "\x1b[1;1;1H", "\x1b[?7l", "\x1b[0;1K", "\t", "\xff", "\b",
	} {
		if _, err := New(5, 3).Write([]byte(sent)); err == nil {
			t.Errorf("%q is taken", sent)
		}
	}
}

func TestScreenSettles(t *testing.T) {
	s := New(5, 3)
	for _, c := range []struct {
		sent             string
		settled, visible bool
	}{
		{"\x1b[", false, true}, {"H", true, true}, {"\x1b[?2026h", false, true}, {"\x1b[?25l", false, false},
		{"\x1b[?2026l", true, false}, {"\x1b[?25h", true, true},
	} {
		s.Write([]byte(c.sent))
		if _, _, visible := s.Cursor(); s.Settled() != c.settled || visible != c.visible {
			t.Errorf("after %q: settled %v, cursor %v; want %v, %v", c.sent, s.Settled(), visible, c.settled, c.visible)
		}
	}
}
