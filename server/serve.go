package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/distributed-donut/donut/server/cluster"
	"github.com/distributed-donut/donut/server/gate"
	"github.com/distributed-donut/donut/server/hub"
	"github.com/distributed-donut/donut/server/metrics"
	"github.com/distributed-donut/donut/server/orchestrator"
	"github.com/distributed-donut/donut/server/terminal"
	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/server/trust"
	"github.com/distributed-donut/donut/server/turnstile"
	"github.com/distributed-donut/donut/server/verify"
	"github.com/distributed-donut/donut/wasm/codec"
)

const (
	// idleTimeout is how long a connection may wait for the next request, and answerTimeout how long an answer may take to
	// leave: it is what the module needs at 16 KB/s. Neither holds for sockets.
	idleTimeout   = time.Minute
	answerTimeout = 2 * time.Minute
	// comeBack is how long the first tab waits before it looks for a server that went away.
	comeBack = time.Second
)

// serve runs the server until ctx is done, and returns when everything it started has ended.
func serve(ctx context.Context, cfg config, module []byte, stderr io.Writer) (err error) {
	log := newLogger(cfg, stderr)
	log.LogAttrs(ctx, slog.LevelInfo, "configured", cfg.effective...)
	if len(cfg.unknown) > 0 {
		log.Warn("these variables of the environment set nothing; see -h", "names", strings.Join(cfg.unknown, " "))
	}
	encryption, err := newEncryption(cfg, log)
	if err != nil {
		return err
	}
	listeners, err := listen(cfg)
	if err != nil {
		return err
	}
	defer listeners.Close()

	var running sync.WaitGroup
	defer running.Wait()
	failed := make(chan error, 3)
	entrance := newEntrance()
	public := newServer(entrance, cfg, log)
	public.ReadTimeout = cfg.headerTimeout // the body included, of which no request has any
	public.ConnContext = terminal.ConnContext
	public.TLSConfig = encryption
	turnstile := newTurnstile(listeners.public, cfg)
	public.ConnState = turnstile.ConnState
	defer public.Close() // where the start fails
	running.Go(func() { failed <- serveOn(public, turnstile) })

	pool, err := verify.New(ctx, module, verify.Config{Detail: cfg.detail, CacheDir: cfg.cacheDir, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close(context.WithoutCancel(ctx))) }()
	debug.FreeOSMemory() // compiling takes ten times the memory that running does

	clock := timeline.NewClock(cfg.epoch, cfg.rig.clocks(timeline.System()))
	durations := metrics.NewDurations()
	addresses := gate.NewAddresses(cfg.proxies, log)
	h := hub.New(hub.Config{
		Clock: clock, Log: log, Digest: pool.Digest(), Detail: cfg.detail, Lead: cfg.lead,
		Limits: cfg.limits, Addresses: addresses, Messages: cfg.messages, SendBuffer: cfg.sendBuffer,
		Timeouts: cfg.timeouts, Origins: cfg.origins,
		Served: durations.Served, Probed: durations.Probed,
	})
	relay := terminal.New(terminal.Config{
		Clock: clock, Log: log, Limits: cfg.streams, Addresses: addresses, Write: cfg.timeouts.Write,
	})
	meet, err := newMeeting(cfg, cluster.Config{Digest: pool.Digest(), Detail: cfg.detail, Clock: clock, Log: log})
	if err != nil {
		return err
	}
	fleet, err := orchestrator.New(cfg.rig.fleet(orchestrator.Config{
		Clock: clock, Audience: everybody{h, relay}, Verifier: verifier{pool}, Log: log, Lead: cfg.lead, Detail: cfg.detail,
		Auditors: max(1, runtime.GOMAXPROCS(0)-1), // one processor is left for the sockets
		MaxLease: cfg.maxLease,
		Policy:   trust.Policy{Floor: cfg.auditFloor}, AuditBudget: cfg.auditBudget, Random: unforeseeable{},
		Observer: durations, Cluster: meet.others,
	}))
	if err != nil {
		return err
	}
	ready := &readiness{fleet: fleet, hub: h}
	stats := statistics{clock, fleet, h, relay, pool, turnstile, meet.view}
	site, err := newSite(module, cfg.dev, h.Handler(fleet), relay, stats, ready)
	if err != nil {
		return err
	}
	admin := newServer(adminHandler(metrics.Handler(metrics.Sources{
		Playhead: func() uint64 { now, _ := clock.Now(); return now.Frame() },
		Fleet:    fleet.Snapshot, Hub: h.Stats, Terminals: relay.Stats, Turnstile: turnstile.Stats, Module: pool.Stats,
		Cluster: meet.view, Durations: durations, ModuleSHA256: hexDigest(pool),
	})), cfg, log)

	fleetContext, stopFleet := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFleet()
	running.Go(func() { fleet.Run(fleetContext) })
	running.Go(func() { relay.Run(fleetContext, fleet) })
	running.Go(func() {
		if err := meet.Run(fleetContext, fleet); err != nil {
			failed <- err
		}
	})

	entrance.open(site)
	if listeners.admin != nil {
		running.Go(func() { failed <- serveOn(admin, listeners.admin) })
	}
	info, _ := debug.ReadBuildInfo()
	log.Info("listening", "addr", listeners.public.Addr().String(), "admin_addr", listeners.adminAddr(),
		"commit", commit(info), "module_sha256", hexDigest(pool))

	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	log.Info("draining", "within", cfg.drain)
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.drain)
	defer cancel()
	ready.draining.Store(true)
	if cfg.drainDelay > 0 && err == nil {
		delay := time.NewTimer(cfg.drainDelay)
		defer delay.Stop()
		<-delay.C
	}
	stopFleet()
	// Until all sockets are closed, who still comes is told when to come back, and probes that the server is not ready.
	h.Close(drain, hub.Returns{First: comeBack, PerSecond: cfg.returns})
	for _, server := range []*http.Server{public, admin} {
		running.Go(func() {
			if server.Shutdown(drain) != nil {
				server.Close()
			}
		})
	}
	running.Wait()
	log.Info("stopped")
	return err
}

// listeners are the open ports.
type listeners struct {
	public, admin net.Listener // admin is nil where there is none
}

func listen(cfg config) (l listeners, err error) {
	// Who says nothing is found out by timeouts that are shorter than TCP's own.
	silent := net.ListenConfig{KeepAlive: -1}
	if l.public, err = silent.Listen(context.Background(), "tcp", cfg.addr); err != nil {
		return l, fmt.Errorf("listen for tabs: %w", err)
	}
	if cfg.adminAddr != "" {
		if l.admin, err = net.Listen("tcp", cfg.adminAddr); err != nil {
			l.public.Close()
			return l, fmt.Errorf("listen for operators: %w (see -admin-addr)", err)
		}
	}
	return l, nil
}

// adminAddr is where operators are listened for, or empty.
func (l listeners) adminAddr() string {
	if l.admin == nil {
		return ""
	}
	return l.admin.Addr().String()
}

// Close closes what is still open.
func (l listeners) Close() {
	l.public.Close()
	if l.admin != nil {
		l.admin.Close()
	}
}

// leastPlain is how many connections without a socket there may be beside streams, however few sockets are allowed: a
// browser opens six for a page.
const leastPlain = 16

// newTurnstile bounds the connections that are no sockets: there may be as many as sockets and streams together, so
// that who is not let in is still shown the page, and told why.
func newTurnstile(l net.Listener, cfg config) *turnstile.Listener {
	return turnstile.New(l, turnstile.Limits{
		Connections: max(cfg.limits.Clients, leastPlain) + cfg.streams.Clients,
		PerAddress:  max(cfg.limits.PerAddress, leastPlain) + cfg.streams.PerAddress,
		Exempt:      cfg.proxies.Includes,
	})
}

// newEncryption returns how the public listener is encrypted, nil for not at all.
func newEncryption(cfg config, log *slog.Logger) (*tls.Config, error) {
	if cfg.tlsCert == "" {
		return nil, nil
	}
	certificate, err := newCertificate(cfg.tlsCert, cfg.tlsKey, log, time.Now)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: certificate.get}, nil
}

func newServer(handler http.Handler, cfg config, log *slog.Logger) *http.Server {
	// Sockets and endless streams take over, hold little for, and cut off connections that are theirs alone.
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	return &http.Server{
		Protocols: &protocols,
		Handler:   handler, ReadHeaderTimeout: cfg.headerTimeout, IdleTimeout: idleTimeout, WriteTimeout: answerTimeout,
		MaxHeaderBytes: 16 << 10,
		ErrorLog:       errorLog(log),
	}
}

// serveOn serves until the server is shut down.
func serveOn(server *http.Server, l net.Listener) error {
	serve := server.Serve
	if server.TLSConfig != nil {
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
	}
	if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return nil
}

func hexDigest(pool *verify.Pool) string {
	digest := pool.Digest()
	return hex.EncodeToString(digest[:])
}

// everybody is all audiences.
type everybody []orchestrator.Audience

// Broadcast implements orchestrator.Audience.
func (e everybody) Broadcast(message []byte, header codec.Header) {
	for _, audience := range e {
		audience.Broadcast(message, header)
	}
}

// verifier lets the orchestrator ask the pool.
type verifier struct {
	*verify.Pool
}

// Check implements orchestrator.Verifier.
func (v verifier) Check(ctx context.Context, first uint64, packed []byte) (spent time.Duration, err error) {
	spent, err = v.Pool.Check(ctx, first, packed)
	var mismatch *verify.Mismatch
	if errors.As(err, &mismatch) {
		return spent, &orchestrator.Forgery{
			Frame: mismatch.Frame, Got: mismatch.Got, Want: mismatch.Want, Module: v.Digest(),
		}
	}
	return spent, err
}

// unforeseeable draws from the system's randomness.
type unforeseeable struct{}

// Uint64 implements rand.Source.
func (unforeseeable) Uint64() uint64 {
	var b [8]byte
	rand.Read(b[:]) // which never fails
	return binary.LittleEndian.Uint64(b[:])
}
