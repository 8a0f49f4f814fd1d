package terminal

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/timeline"
)

// controlsPerSecond is how many control frames a player may send a second, to see whether the server is there, and
// controlsAtOnce how many at once. Browsers send none.
const (
	controlsPerSecond = 1
	controlsAtOnce    = 10
)

// errTalks is the error for a client that sends something: players only listen.
var errTalks = errors.New("nothing is expected of you")

// An ear hears what a player sends, which has nothing to say.
type ear struct {
	clock    *timeline.Clock
	conn     net.Conn     // below the socket; nil where nobody knows
	controls *gate.Ration // of the goroutine that listens
	talked   bool         // by more control frames than it may send; of that goroutine, too
}

func (r *Relay) newEar(conn net.Conn) *ear {
	return &ear{clock: r.cfg.Clock, conn: conn, controls: gate.NewRation(controlsPerSecond, controlsAtOnce)}
}

// control counts a control frame, and reports whether it may be answered. Where it is one too many, nothing more is
// read.
func (e *ear) control() bool {
	if now, _ := e.clock.Now(); e.talked || !e.controls.Take(now) {
		e.talked = true
		if e.conn != nil {
			e.conn.SetReadDeadline(time.Unix(1, 0))
		}
	}
	return !e.talked
}

// listen has a goroutine read until the socket closes, so that who closes it is heard and answered. The context is done
// then, or when something was sent, with errTalks. The library's own CloseRead would wait for itself then.
func (e *ear) listen(ctx context.Context, socket *websocket.Conn) (context.Context, *sync.WaitGroup) {
	ctx, cancel := context.WithCancelCause(ctx)
	listener := new(sync.WaitGroup)
	listener.Go(func() {
		_, _, err := socket.Reader(context.Background()) // a context that ends would close the socket without a word
		if err == nil || e.talked {
			err = errTalks
		}
		cancel(err)
	})
	return ctx, listener
}
