package terminal

import (
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"
)

// comeBack is how long who is refused should wait before trying again.
const comeBack = 10 * time.Second

// ServeANSI answers with a stream that shows the frames that air at a pace, ?fps= of them a second, in a terminal of 80
// columns and 23 rows at least. It ends with the client or the relay.
func (r *Relay) ServeANSI(w http.ResponseWriter, req *http.Request) {
	openToAll(w.Header())
	p, err := parsePace(req.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // or a reverse proxy might gather some seconds first
	if req.Method == http.MethodHead {
		return
	}
	v, leave, ok := r.enter(w, req, p)
	if !ok {
		return
	}
	defer leave()

	stream := http.NewResponseController(w)
	stream.Flush()
	err = r.follow(req.Context(), v, func(shots []*shot) error {
		if err := stream.SetWriteDeadline(time.Now().Add(r.cfg.Write)); err != nil {
			return err
		}
		for _, s := range shots {
			if _, err := w.Write(s.ansi); err != nil {
				return err
			}
		}
		return stream.Flush()
	})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		r.stats.slow.Add(1)
	}
}

// enter lets a request follow the stream at a pace, until it calls leave, or refuses it.
func (r *Relay) enter(w http.ResponseWriter, req *http.Request, p pace) (v *viewer, leave func(), ok bool) {
	addr := r.addressOf(req)
	v, err := r.join(p, addr)
	if err != nil {
		refuse(w, err, comeBack)
		return nil, nil, false
	}
	done := r.cutOffLate(req.Context())
	holdLittle(req.Context())
	return v, func() {
		done()
		r.leave(v, addr)
	}, true
}

// openToAll lets pages of any origin read the answer, and nobody keep it.
func openToAll(header http.Header) {
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Cache-Control", "no-store")
}

// refuse answers a request for which there is nothing before some time has passed, and hangs up: who waits for the next
// request meanwhile holds a descriptor.
func refuse(w http.ResponseWriter, err error, before time.Duration) {
	w.Header().Set("Connection", "close")
	w.Header().Set("Retry-After", strconv.Itoa(int(before/time.Second)))
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}
