package terminal

import (
	"context"
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/coder/websocket"
)

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
	v, leave, ok := r.enter(w, req, p)
	if !ok {
		return
	}
	defer leave()

	ear := r.newEar(lowest(req.Context()))
	socket, err := websocket.Accept(w, req, &websocket.AcceptOptions{
		Subprotocols: []string{alisProtocol}, InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled,
		OnPingReceived: func(context.Context, []byte) bool { return ear.control() },
		OnPongReceived: func(context.Context, []byte) { ear.control() },
	})
	if err != nil {
		return // Accept has answered
	}
	ctx, listener := ear.listen(req.Context(), socket)
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
		r.stats.talked.Add(1)
		part(req.Context(), socket, websocket.StatusPolicyViolation, errTalks.Error())
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		r.stats.slow.Add(1)
	}
}

// play sends the stream until ctx is done, or the relay ends it with errDraining.
func (r *Relay) play(ctx context.Context, v *viewer, socket *websocket.Conn) error {
	send := func(message []byte) error {
		ctx, cancel := context.WithTimeout(ctx, r.cfg.Write)
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
