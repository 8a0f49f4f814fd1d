package terminal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/tools/vt"
	"github.com/distributed-donut/donut/wasm/donut"
)

// An alisEvent is a message as its specification says, read from its last byte to its first.
type alisEvent struct {
	kind          byte
	number        uint64
	micros        uint64 // of the stream in an init, since the event before in an output
	columns, rows uint64
	text          string
}

// parseALiS reads an init or an output. What is left over, or missing, is an error.
func parseALiS(message []byte) (e alisEvent, err error) {
	number := func() (n uint64) {
		for shift := 0; err == nil; shift += 7 {
			if len(message) == 0 || shift > 63 {
				err = fmt.Errorf("a number that does not end")
				break
			}
			b := message[0]
			message = message[1:]
			if n |= uint64(b&0x7f) << shift; b < 0x80 {
				break
			}
		}
		return n
	}
	if len(message) == 0 {
		return e, io.ErrUnexpectedEOF
	}
	e.kind, message = message[0], message[1:]
	e.number, e.micros = number(), number()
	switch e.kind {
	case 0x01:
		e.columns, e.rows = number(), number()
		if theme := number(); theme != 0 {
			return e, fmt.Errorf("theme of %d colours", theme)
		}
	case 'o':
	default:
		return e, fmt.Errorf("event of kind %#x", e.kind)
	}
	if size := number(); err == nil && size != uint64(len(message)) {
		err = fmt.Errorf("%d bytes of text, want %d", len(message), size)
	}
	e.text = string(message)
	return e, err
}

// A player is what shows a live stream of asciinema's.
type player struct {
	t      *testing.T
	screen *vt.Screen
	number uint64
	time   time.Duration // of the stream
	inits  int
}

// play takes a message behind the magic.
func (p *player) play(message []byte) {
	p.t.Helper()
	e, err := parseALiS(message)
	if err != nil {
		p.t.Fatalf("message %q: %v", message, err)
	}
	elapsed := time.Duration(e.micros) * time.Microsecond
	switch {
	case e.kind == 0x01:
		if e.columns != donut.Columns || e.rows != donut.Rows {
			p.t.Fatalf("a terminal of %d x %d, want %d x %d", e.columns, e.rows, donut.Columns, donut.Rows)
		}
		if elapsed < p.time {
			p.t.Fatalf("an init at %v, after %v", elapsed, p.time)
		}
		p.screen, p.time = vt.New(int(e.columns), int(e.rows)), elapsed
		p.inits++
	case p.inits == 0 || e.number != p.number+1:
		p.t.Fatalf("output %d follows event %d", e.number, p.number)
	default:
		p.time += elapsed
	}
	p.number = e.number
	write(p.t, p.screen, []byte(e.text))
	if _, _, visible := p.screen.Cursor(); visible {
		p.t.Fatal("the cursor can be seen")
	}
}

// TestALiSMessages has two players on one track, one of whom falls behind.
func TestALiSMessages(t *testing.T) {
	const first = 600
	studio := studio{missing: func(n uint64) bool { return n%77 == 0 }}
	s := newStage()
	for i := range uint64(8) {
		s.air(studio.broadcast(first+60*i, 60, i == 0))
	}
	always, slow := s.join(defaultPace), s.join(defaultPace)
	follows, skips := &player{t: t}, &player{t: t}
	var stream, slowStream alisStream
	shown := uint64(first)
	runStage(s, timeline.Start(first), timeline.Start(first+480), func(now timeline.Instant) {
		n := now.Frame()
		if n >= first+480 {
			return
		}
		if n%77 != 0 {
			shown = n
		}
		shots, _ := always.due()
		for _, shot := range shots {
			follows.play(stream.of(shot))
		}
		players := []*player{follows}
		if n%100 < 40 {
			missed, _ := slow.due()
			for _, shot := range missed {
				skips.play(slowStream.of(shot))
			}
			players = append(players, skips)
			if len(missed) == 1 && !missed[0].whole && &missed[0].output()[0] != &shots[0].output()[0] {
				t.Fatal("a message is made twice")
			}
		}
		for i, p := range players {
			if got, want := p.screen.Text(), textOf(pictureOf(shown), donut.Rows); got != want {
				t.Fatalf("player %d shows\n%s\nwant frame %d:\n%s", i, got, shown, want)
			}
			if want := timeline.Start(n).Sub(timeline.Start(first)); (p.time - want).Abs() > time.Millisecond {
				t.Fatalf("player %d is at %v, want %v", i, p.time, want)
			}
		}
	})
	if follows.inits != 1 || skips.inits < 3 {
		t.Errorf("who gets all is sent %d inits, who does not %d; want 1, and 3 at least", follows.inits, skips.inits)
	}
}

// TestALiSBytes spells messages out.
func TestALiSBytes(t *testing.T) {
	var stream alisStream
	whole := &shot{number: 300, frame: 6000, whole: true, body: []byte("ab")}
	next := &shot{number: 301, frame: 6002, after: 33_333 * time.Microsecond, body: []byte("\x1b[Hc")}
	again := &shot{number: 400, frame: 6060, whole: true, body: []byte("d")}
	for i, c := range []struct {
		shot *shot
		want string
	}{
		{whole, "\x01\xac\x02\x00\x50\x16\x00\x08\x1b[?25lab"},
		{next, "o\xad\x02\xb5\x84\x02\x04\x1b[Hc"},
		{again, "\x01\x90\x03\xc0\x84\x3d\x50\x16\x00\x07\x1b[?25ld"},
	} {
		if got := string(stream.of(c.shot)); got != c.want {
			t.Errorf("message %d is %q, want %q", i, got, c.want)
		}
	}
}

// FuzzALiS holds that a shot of anything comes out as it was.
func FuzzALiS(f *testing.F) {
	f.Add(uint64(1), uint64(600), int64(33_333), false, "text")
	f.Add(uint64(1)<<60, uint64(1)<<40, int64(0), true, "")
	f.Fuzz(func(t *testing.T, number, frame uint64, micros int64, whole bool, text string) {
		if micros < 0 || micros > int64(time.Hour/time.Microsecond) {
			return
		}
		after := time.Duration(micros) * time.Microsecond
		s := &shot{number: number, frame: frame, after: after, whole: whole, body: []byte(text)}
		var stream alisStream
		e, err := parseALiS(stream.of(s))
		if err != nil || e.number != number {
			t.Fatalf("%+v comes out as %+v, %v", s, e, err)
		}
		want := alisEvent{kind: 'o', number: number, micros: uint64(micros), text: text}
		if whole {
			want = alisEvent{kind: 1, number: number, columns: donut.Columns, rows: donut.Rows, text: hideCursor + text}
		}
		if e != want {
			t.Errorf("got %+v, want %+v", e, want)
		}
	})
}

// dial opens a live stream from a page of another origin.
func (s *station) dial(t *testing.T, protocols ...string) *websocket.Conn {
	t.Helper()
	socket, _, err := websocket.Dial(t.Context(), s.url+"/live.alis?fps=60", &websocket.DialOptions{
		Subprotocols: protocols, HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.CloseNow() })
	return socket
}

// read returns the next message, for which it waits 20 s at most.
func read(t *testing.T, socket *websocket.Conn) ([]byte, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	kind, message, err := socket.Read(ctx)
	if err == nil && kind != websocket.MessageBinary {
		t.Fatalf("message %q is text", message)
	}
	return message, err
}

func TestALiSOverASocket(t *testing.T) {
	s := newStation(t, 2)
	socket := s.dial(t, "raw", "v1.alis", "v2.asciicast")
	if got := socket.Subprotocol(); got != "v1.alis" {
		t.Fatalf("the subprotocol is %q", got)
	}
	last := s.air(60)
	if magic, err := read(t, socket); err != nil || string(magic) != "ALiS\x01" {
		t.Fatalf("the stream begins with %q, %v", magic, err)
	}
	p := &player{t: t}
	for p.screen == nil || p.screen.Text() != textOf(pictureOf(last), donut.Rows) {
		message, err := read(t, socket)
		if err != nil {
			t.Fatal(err)
		}
		p.play(message)
	}

	// One who closes in good form is heard, and answered.
	other := s.dial(t, "v1.alis")
	if _, err := read(t, other); err != nil {
		t.Fatal(err)
	}
	if err := other.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Errorf("closing: %v", err)
	}
	await(t, "who has closed is gone", func() bool { return s.Stats().Streams == 1 })

	go s.stop()
	var err error
	for err == nil {
		_, err = read(t, socket)
	}
	if websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("the relay's end ends the stream with %v, want status 1001", err)
	}
}

func TestALiSRefusals(t *testing.T) {
	s := newStation(t, 1)
	if _, err := read(t, s.dial(t, "v2.asciicast")); websocket.CloseStatus(err) != websocket.StatusProtocolError {
		t.Errorf("another subprotocol ends with %v, want status 1002", err)
	}
	await(t, "who wants another subprotocol is gone", func() bool { return s.Stats().Streams == 0 })
	ask := func(method, query string, upgrade bool) (int, http.Header) {
		request, err := http.NewRequestWithContext(t.Context(), method, s.url+"/live.alis"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if upgrade {
			request.Header.Set("Connection", "Upgrade")
			request.Header.Set("Upgrade", "websocket")
			request.Header.Set("Sec-WebSocket-Version", "13")
			request.Header.Set("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
			request.Header.Set("Sec-WebSocket-Protocol", "v1.alis")
		}
		transport := &http.Transport{DisableKeepAlives: true}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		return response.StatusCode, response.Header
	}
	status, header := ask("GET", "", false)
	if status != http.StatusUpgradeRequired || header.Get("Upgrade") != "websocket" {
		t.Errorf("no upgrade: %d, Upgrade %q", status, header.Get("Upgrade"))
	}
	if status, _ := ask("HEAD", "", false); status != http.StatusUpgradeRequired {
		t.Errorf("HEAD: %d", status)
	}
	if status, _ := ask("GET", "?fps=0", true); status != http.StatusBadRequest {
		t.Errorf("?fps=0: %d", status)
	}
	if before := s.Stats().Opened; before != 1 {
		t.Errorf("%d streams were opened, want the one of another subprotocol", before)
	}
	socket := s.dial(t, "v1.alis")
	status, header = ask("GET", "", true)
	if retry := header.Get("Retry-After"); status != http.StatusServiceUnavailable || retry == "" {
		t.Errorf("one too many: %d, Retry-After %q", status, retry)
	}
	// Who sends messages has no reason to.
	socket.Write(t.Context(), websocket.MessageBinary, []byte("x"))
	var err error
	for err == nil {
		_, err = read(t, socket)
	}
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("who sends something is ended with %v, want status 1008", err)
	}
}

// TestPlayersMayPingNowAndThen sends pings and pongs, as many as may be and one more.
func TestPlayersMayPingNowAndThen(t *testing.T) {
	for name, opcode := range map[string]byte{"pings": 0x89, "pongs": 0x8a} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t, 1)
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			io.WriteString(conn, "GET /live.alis HTTP/1.1\r\nHost: donut\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: v1.alis\r\n\r\n")
			control := []byte{opcode, 0x80, 0, 0, 0, 0} // masked by zeros
			conn.Write(append(bytes.Repeat(control, controlsAtOnce-1), 0x89, 0x80, 0, 0, 0, 0))
			pongs := map[byte]int{0x89: controlsAtOnce, 0x8a: 1}[opcode]
			for in := bufio.NewReader(conn); pongs > 0; {
				b, err := in.ReadByte()
				if err != nil {
					t.Fatalf("with %d answers to come: %v", pongs, err)
				}
				if b == 0x8a {
					pongs--
				}
			}
			if got := s.Stats(); got.Streams != 1 || got.Talked != 0 {
				t.Fatalf("after as many as may be: %+v", got)
			}
			conn.Write(bytes.Repeat(control, 2*controlsAtOnce))
			await(t, "it is ended", func() bool { return s.Stats().Streams == 0 })
			if got := s.Stats().Talked; got != 1 {
				t.Errorf("%d players are counted as talking, want 1", got)
			}
		})
	}
}

// TestNumbersAreLEB128 holds the package that writes them against the reader above.
func TestNumbersAreLEB128(t *testing.T) {
	for _, n := range []uint64{0, 1, 127, 128, 300, 1 << 32, 1<<64 - 1} {
		message := binary.AppendUvarint(binary.AppendUvarint([]byte{'o'}, n), 7)
		e, err := parseALiS(append(message, 0))
		if err != nil || e.number != n || e.micros != 7 {
			t.Errorf("%d comes out as %+v, %v", n, e, err)
		}
	}
}
