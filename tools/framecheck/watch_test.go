package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/tools/exit"
	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A broadcast is one message of a fake server's.
type broadcast struct {
	first      uint64
	count      int
	key        bool
	generation uint32
	change     func(frames []*donut.Picture) // after which they are no longer as rendered; nil for nothing
	lost       bool                          // encoded, and not sent
	instead    []byte                        // sent in its place; the connection is dropped where it is empty and not nil
}

// airing makes the messages of a script, but for those that are lost.
func airing(script []broadcast) (messages [][]byte) {
	var encoder codec.Encoder
	for _, b := range script {
		if b.instead != nil {
			messages = append(messages, b.instead)
			continue
		}
		stream := encoder.Append(nil, b.first, b.frames(), b.key)
		if !b.lost {
			messages = append(messages, wire.Broadcast{Generation: b.generation, Stream: stream}.Append(nil))
		}
	}
	return messages
}

// serve starts a server that welcomes its viewers with the messages in welcome and airs a script once they have probed.
// It stays until they leave.
func serve(t *testing.T, welcome [][]byte, script []broadcast) (url string) {
	var serving sync.WaitGroup
	handler := func(w http.ResponseWriter, r *http.Request) {
		serving.Add(1)
		defer serving.Done()
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		if err := air(r.Context(), t, conn, welcome, script); err != nil && websocket.CloseStatus(err) == -1 && r.Context().Err() == nil {
			t.Logf("the viewer left: %v", err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(handler))
	t.Cleanup(func() {
		server.Close()
		serving.Wait()
	})
	return server.URL
}

func air(ctx context.Context, t *testing.T, conn *websocket.Conn, welcome [][]byte, script []broadcast) error {
	_, message, err := conn.Read(ctx)
	if err != nil {
		return err
	}
	hello, err := wire.ParseHello(message)
	if err != nil || hello.Threads != 0 || hello.Codec != codec.Version || hello.Digest != digest(t) {
		t.Errorf("hello: got %+v, error %v, want a viewer's with the module's digest", hello, err)
	}
	for _, m := range welcome {
		if err := conn.Write(ctx, websocket.MessageBinary, m); err != nil {
			return err
		}
	}
	if _, message, err = conn.Read(ctx); err != nil {
		return err
	}
	probe, err := wire.ParseProbe(message)
	if err != nil || probe.Ack != 0 {
		t.Errorf("probe: got %+v, error %v, want one with nothing read", probe, err)
	}
	if err := conn.Write(ctx, websocket.MessageBinary, wire.Reply{Sent: probe.Sent}.Append(nil)); err != nil {
		return err
	}
	for _, m := range airing(script) {
		if len(m) == 0 {
			return conn.CloseNow()
		}
		if err := conn.Write(ctx, websocket.MessageBinary, m); err != nil {
			return err
		}
	}
	_, _, err = conn.Read(ctx)
	return err
}

func (b broadcast) frames() []*donut.Picture {
	r := donut.NewRenderer(1)
	frames := make([]*donut.Picture, b.count)
	for i := range frames {
		frames[i] = new(donut.Picture)
		r.Render(frames[i], b.first+uint64(i))
	}
	if b.change != nil {
		b.change(frames)
	}
	return frames
}

func digest(t *testing.T) wire.Digest {
	m, err := moduletest.Module()
	if err != nil {
		t.Error(err) // not Fatal: a handler's goroutine asks, too
	}
	return sha256.Sum256(m)
}

// wantError checks that want is a part of the error; empty for no error.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("got %v, want no error", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("got error %v, want %q in it", err, want)
	}
}

// forge changes a cell.
func forge(frames []*donut.Picture) { frames[7][900] = (frames[7][900] + 1) % uint8(donut.Levels) }

func TestWatch(t *testing.T) {
	stall := func(frames []*donut.Picture) { frames[0], frames[4], frames[5] = nil, nil, nil }
	welcome := wire.Welcome{Detail: 1, You: 1, Digest: digest(t)}
	foreign := welcome
	foreign.Digest[0]++

	for _, c := range []struct {
		name    string
		welcome wire.Welcome
		script  []broadcast
		out     string // what is printed, or a part of it
		err     string // a part of the error; empty for none
	}{
		{"honest", welcome, []broadcast{
			{first: 1000, count: 12, key: true}, {first: 1012, count: 12}, {first: 1024, count: 12, key: true},
		}, "36 frames checked at detail 1, 0 disagreements, 0 holes, in 3 messages", ""},
		{"stalled frames", welcome, []broadcast{
			{first: 1000, count: 12, key: true, change: stall}, {first: 1012, count: 12},
		}, "21 frames checked at detail 1, 0 disagreements, 3 holes", ""},
		{"the server's clock jumps", welcome, []broadcast{
			{first: 1000, count: 12, key: true}, {first: 5000, count: 12, key: true, generation: 1},
		}, "24 frames checked", ""},
		{"forged cell", welcome, []broadcast{
			{first: 1000, count: 12, key: true}, {first: 1012, count: 12, change: forge}, {first: 1024, count: 12},
		}, "1 disagreements", "what the server aired differs from wazero: verify: frame 1019: 1 cells differ"},
		{"lost message", welcome, []broadcast{
			{first: 1000, count: 12, key: true}, {first: 1012, count: 12, lost: true}, {first: 1024, count: 12},
		}, "12 frames checked", "got 3, want 2"},
		{"lost message before a key", welcome, []broadcast{
			{first: 1000, count: 12, key: true}, {first: 1012, count: 12, lost: true}, {first: 1024, count: 12, key: true},
		}, "12 frames checked", "got message 3 after 1"},
		{"frames left out", welcome, []broadcast{
			{first: 1000, count: 12, key: true}, {first: 1013, count: 12, key: true},
		}, "12 frames checked", "got frame 1013 first, want 1012"},
		{"nothing aired", welcome, nil, "0 frames checked", "got no frame to check"},
		{"another module", foreign, nil, "", "receive welcome: module: got"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := serve(t, [][]byte{c.welcome.Append(nil)}, c.script)
			out, err := framecheck(t, "-url", url, "-seconds", "1")
			if !strings.Contains(out, c.out) {
				t.Errorf("got %q, want %q in it", out, c.out)
			}
			wantError(t, err, c.err)
		})
	}
}

func TestGoodbye(t *testing.T) {
	goodbye := func(r wire.Reason) []byte { return wire.Goodbye{Reason: r}.Append(nil) }
	welcome := wire.Welcome{Detail: 1, You: 1, Digest: digest(t)}.Append(nil)
	for _, c := range []struct {
		name    string
		welcome [][]byte
		want    string
	}{
		{"at once", [][]byte{goodbye(wire.ReasonOutdated)}, "another module"},
		{"later", [][]byte{welcome, goodbye(wire.ReasonDraining)}, "draining"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := framecheck(t, "-url", serve(t, c.welcome, nil), "-seconds", "60")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	_, err := framecheck(t, "-url", server.URL)
	if err == nil || errors.Is(err, exit.ErrUsage) || !strings.Contains(err.Error(), "connect to "+server.URL+"/ws") {
		t.Errorf("got %v, want an error about the connection", err)
	}
	if _, err := framecheck(t, "-url", strings.Replace(server.URL, "://", "://me:secret@", 1)); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want an error without the password", err)
	}
}
