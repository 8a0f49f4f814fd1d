package terminal

import (
	"context"
	"errors"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// errTalks is the error for a client that sends something: players only listen.
var errTalks = errors.New("nothing is expected of you")

// ServeALiS answers with a WebSocket that shows players of asciinema, of any origin, what ServeANSI shows terminals. It
// says goodbye as a server does that will be back, so that they try again.
func (r *Relay) ServeALiS(w http.ResponseWriter, req *http.Request) {
	p, err := parsePace(req.URL.RawQuery)
	switch {
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	case req.Header.Get("Upgrade") == "": // which Accept would find out when a stream has been opened for it
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this is a WebSocket of subprotocol "+alisProtocol, http.StatusUpgradeRequired)
		return
	}
	v, err := r.join(p)
	if err != nil {
		refuse(w, err, comeBack)
		return
	}
	defer r.leave(v)
	defer r.cutOffLate(req.Context())()
	holdLittle(req.Context())

	socket, err := websocket.Accept(w, req, &websocket.AcceptOptions{
		Subprotocols: []string{alisProtocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered
	}
	ctx, listener := listen(req.Context(), socket)
	defer listener.Wait()
	defer socket.CloseNow()
	if socket.Subprotocol() != alisProtocol {
		part(req.Context(), socket, websocket.StatusProtocolError, "want subprotocol "+alisProtocol)
		return
	}
	err = r.play(ctx, v, socket)
	switch {
	case errors.Is(err, errDraining):
		part(req.Context(), socket, websocket.StatusGoingAway, err.Error())
	case errors.Is(context.Cause(ctx), errTalks):
		part(req.Context(), socket, websocket.StatusPolicyViolation, errTalks.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		r.stats.slow.Add(1)
	}
}

// listen has a goroutine read until the socket closes, so that who closes it is heard and answered. The context is done
// then, or when something was sent, with errTalks. The library's own CloseRead would wait for itself then.
func listen(ctx context.Context, socket *websocket.Conn) (context.Context, *sync.WaitGroup) {
	ctx, cancel := context.WithCancelCause(ctx)
	listener := new(sync.WaitGroup)
	listener.Go(func() {
		_, _, err := socket.Reader(context.Background()) // a context that ends would close the socket without a word
		if err == nil {
			err = errTalks
		}
		cancel(err)
	})
	return ctx, listener
}

// play sends the stream until ctx is done, or the relay ends it with errDraining.
func (r *Relay) play(ctx context.Context, v *viewer, socket *websocket.Conn) error {
	send := func(message []byte) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return socket.Write(ctx, websocket.MessageBinary, message)
	}
	if err := send([]byte(alisMagic)); err != nil {
		return err
	}
	var messages alisStream
	return r.follow(ctx, v, func(shots []*shot) error {
		for _, s := range shots {
			if err := send(messages.of(s)); err != nil {
				return err
			}
		}
		return nil
	})
}

// part closes a request's socket in good form, unless the other side takes too long: the library would wait for it.
func part(ctx context.Context, socket *websocket.Conn, status websocket.StatusCode, reason string) {
	cut := time.AfterFunc(farewell, func() { cutOff(ctx) })
	defer cut.Stop()
	socket.Close(status, reason) // an error means that it was cut
}
