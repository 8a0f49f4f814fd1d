package main

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// answerWithin is how long the fleet may take to answer before the server is not ready.
const answerWithin = time.Second

// A readiness answers /readyz: 200 while the stream can be carried and the server is to be sent visitors, and else 503 and
// why. It is told when the server drains.
type readiness struct {
	fleet    interface{ Answer(context.Context) error } // the loop that everything hangs on
	hub      interface{ Open() bool }
	draining atomic.Bool
}

// ServeHTTP implements http.Handler.
func (r *readiness) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if err := r.check(request.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (r *readiness) check(ctx context.Context) error {
	if r.draining.Load() {
		return fmt.Errorf("draining")
	}
	if !r.hub.Open() {
		return fmt.Errorf("connections are let in no more")
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := r.fleet.Answer(ctx); err != nil {
		return fmt.Errorf("the fleet does not answer: %w", err)
	}
	return nil
}

// alive answers /healthz.
func alive(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// An entrance is what the public meets: while the module compiles, that the server is alive and not ready, and from open
// on the site. Who comes early is told so at once and does not wait for the compiler.
type entrance struct {
	site  atomic.Pointer[site]
	early *http.ServeMux
}

func newEntrance() *entrance {
	e := &entrance{early: http.NewServeMux()}
	e.early.HandleFunc("GET /healthz", alive)
	e.early.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Retry-After", "1")
		http.Error(w, "starting", http.StatusServiceUnavailable)
	})
	return e
}

// open shows the site from now on.
func (e *entrance) open(s *site) { e.site.Store(s) }

// ServeHTTP implements http.Handler.
func (e *entrance) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s := e.site.Load(); s != nil {
		s.ServeHTTP(w, r)
		return
	}
	e.early.ServeHTTP(w, r)
}
