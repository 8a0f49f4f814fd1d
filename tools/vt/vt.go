// Package vt is the terminal that tests look at: it shows what it is sent, and refuses what it does not know.
package vt

import (
	"fmt"
	"strconv"
	"strings"
)

// A Screen is a terminal of some size. Control sequences may come in pieces. A character in the last column is an
// error, since terminals differ in where the cursor is then, and so is a line feed on the last row, which scrolls.
type Screen struct {
	cells       [][]byte
	row, column int
	hidden      bool // the cursor is
	held        bool // by synchronised output
	partial     string
}

// New returns a blank screen with its cursor in the upper left corner.
func New(columns, rows int) *Screen {
	s := &Screen{cells: make([][]byte, rows)}
	for r := range s.cells {
		s.cells[r] = []byte(strings.Repeat(" ", columns))
	}
	return s
}

// Text returns what is on the screen: a line for each row, without the blanks at its end.
func (s *Screen) Text() string {
	var b strings.Builder
	for _, row := range s.cells {
		b.WriteString(strings.TrimRight(string(row), " "))
		b.WriteByte('\n')
	}
	return b.String()
}

// Cursor returns where the cursor is, counted from 0, and whether it can be seen.
func (s *Screen) Cursor() (row, column int, visible bool) { return s.row, s.column, !s.hidden }

// Settled reports whether nothing is pending: no sequence has begun, and no output is held back.
func (s *Screen) Settled() bool { return s.partial == "" && !s.held }

// Write implements io.Writer. Its error names what is unknown.
func (s *Screen) Write(b []byte) (int, error) {
	for i, c := range b {
		if err := s.take(c); err != nil {
			return i, err
		}
	}
	return len(b), nil
}

func (s *Screen) take(c byte) error {
	switch {
	case s.partial != "":
		s.partial += string(rune(c))
		if s.partial == "\x1b[" || strings.IndexByte("0123456789;?", c) >= 0 {
			return nil
		}
		sequence := s.partial
		s.partial = ""
		if !s.control(sequence) {
			return fmt.Errorf("vt: unknown sequence %q", sequence)
		}
	case c == '\x1b':
		s.partial = "\x1b"
	case c == '\r':
		s.column = 0
	case c == '\b' && s.column > 0:
		s.column--
	case c == '\n' && s.row < len(s.cells)-1:
		s.row++
	case c >= ' ' && c <= '~' && s.column < len(s.cells[s.row])-1:
		s.cells[s.row][s.column] = c
		s.column++
	default:
		return fmt.Errorf("vt: character %q at row %d, column %d", c, s.row, s.column)
	}
	return nil
}

// control does what a whole control sequence says, and reports whether it is known.
func (s *Screen) control(sequence string) bool {
	parameters, ok := strings.CutPrefix(sequence[:len(sequence)-1], "\x1b[")
	if !ok {
		return false
	}
	n, m, ok := numbers(parameters)
	switch final := sequence[len(sequence)-1]; {
	case sequence == "\x1b[?25l", sequence == "\x1b[?25h":
		s.hidden = final == 'l'
	case sequence == "\x1b[?2026l", sequence == "\x1b[?2026h":
		s.held = final == 'h'
	case !ok:
		return false
	case final == 'H':
		s.row, s.column = s.clamp(max(n, 1)-1, max(m, 1)-1)
	case m != 0:
		return false
	case final == 'B':
		s.row, s.column = s.clamp(s.row+max(n, 1), s.column)
	case final == 'C':
		s.row, s.column = s.clamp(s.row, s.column+max(n, 1))
	case final == 'D':
		s.row, s.column = s.clamp(s.row, s.column-max(n, 1))
	case final == 'K' && n == 0:
		s.erase(s.row, s.column)
	case final == 'J' && n == 0:
		s.erase(s.row, s.column)
		for r := s.row + 1; r < len(s.cells); r++ {
			s.erase(r, 0)
		}
	default:
		return false
	}
	return true
}

// numbers reads no, one or two numbers, of which the missing ones are 0.
func numbers(parameters string) (n, m int, ok bool) {
	first, second, two := strings.Cut(parameters, ";")
	var errFirst, errSecond error
	if parameters != "" {
		n, errFirst = strconv.Atoi(first)
	}
	if two {
		m, errSecond = strconv.Atoi(second)
	}
	return n, m, errFirst == nil && errSecond == nil
}

// clamp moves a place onto the screen.
func (s *Screen) clamp(row, column int) (int, int) {
	return max(0, min(row, len(s.cells)-1)), max(0, min(column, len(s.cells[0])-1))
}

// erase blanks a row from a column on.
func (s *Screen) erase(row, column int) {
	for c := column; c < len(s.cells[row]); c++ {
		s.cells[row][c] = ' '
	}
}
