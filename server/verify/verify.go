// Package verify re-renders frames with the very module that tabs run, through wazero, and holds what tabs sent against
// it byte for byte.
//
// The module is compiled once. Its instances are made when they are needed, up to Config.Instances, and reused; each
// serves one call at a time. An instance whose call failed in any way, or is overdue, is condemned: no frame is ever
// asked of it again.
//
// # Why calls are short
//
// Go's scheduler cannot preempt the machine code that wazero makes: a garbage collection that starts while a call is
// running stops every other goroutine of the process until that call returns or calls its host. So a call renders a
// slice of a few milliseconds, however many frames were asked for; from detail 3 on that is a single frame, which takes
// half a second at detail 32.
//
// For the same reason the watchdog outside of a call finds a module that is slow, but cannot save the process from one
// that never returns. wazero can look for a cancelled context in every loop of the module, which would, and makes this
// one 3.5 times slower: that is for modules of strangers, and this package runs none.
package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// ErrClosed is returned by the methods of a closed Pool.
var ErrClosed = errors.New("verify: the pool is closed")

// ErrOverdue is wrapped by the errors of Render and Check where the module did not answer within Config.Overdue, or
// where so many calls are overdue that no more are begun.
var ErrOverdue = errors.New("verify: the module does not answer")

// Config says how a Pool renders. Its zero value but for Detail is ready.
type Config struct {
	// Instances is the most instances in use at once, each on a core of its own and with up to 16 MiB of memory; 0
	// means GOMAXPROCS.
	Instances int
	// Detail is the detail of every frame, 1 to donut.MaxDetail.
	Detail int
	// CacheDir is the folder that keeps the compiled module from one start to the next; it is made where it is missing.
	// Whoever can write there decides what the pool answers, so a folder that is not this user's alone is not used, and
	// a warning says so. Empty means no cache.
	CacheDir string
	// Overdue is how long one call into the module may take, be it to start an instance or to render a slice, before
	// its instance is condemned; 0 means 2 s and 10 ms x Detail x Detail, which is over ten times what it takes.
	Overdue time.Duration
	// Log is told about the cache and about condemned instances; nil means nobody is.
	Log *slog.Logger
}

func (cfg *Config) validate() error {
	switch {
	case cfg.Detail < 1 || cfg.Detail > donut.MaxDetail:
		return fmt.Errorf("verify: detail: got %d, want 1..%d", cfg.Detail, donut.MaxDetail)
	case cfg.Instances < 0:
		return fmt.Errorf("verify: instances: got %d, want 0 or more", cfg.Instances)
	case cfg.Overdue < 0:
		return fmt.Errorf("verify: overdue: got %v, want 0 or more", cfg.Overdue)
	}
	if cfg.Instances == 0 {
		cfg.Instances = runtime.GOMAXPROCS(0)
	}
	if cfg.Overdue == 0 {
		cfg.Overdue = 2*time.Second + time.Duration(cfg.Detail*cfg.Detail)*10*time.Millisecond
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// A Pool renders frames with the module. Its methods may be called concurrently.
type Pool struct {
	// Set once.
	cfg    Config
	slice  int // most frames in one call into the module
	host   *host
	digest wire.Digest

	slots   chan struct{} // holds one element for each call in progress, but for the overdue ones
	closing chan struct{} // closed when no call may begin any more
	closed  chan struct{} // closed when everything has ended
	calls   sync.WaitGroup

	rendered, spent, started, condemned, overdue atomic.Uint64
	stuck                                        atomic.Int64 // overdue calls that have not returned yet

	mu       sync.Mutex
	idle     []*instance
	draining bool  // closing is closed
	closeErr error // set before closed is closed
}

// New compiles the module and checks that it is this server's: that the fixed numbers of wire, codec and donut in it
// are those that the server was built with, and that it renders a frame as the server itself does. Where it does not,
// the error wraps ErrStale. The pool keeps no reference to module, and the caller must Close it.
func New(ctx context.Context, module []byte, cfg Config) (*Pool, error) {
	p, err := open(ctx, module, cfg)
	if err != nil {
		return nil, err
	}
	if err := p.checkModule(ctx); err != nil {
		return nil, errors.Join(err, p.Close(ctx))
	}
	return p, nil
}

// open is New without the check.
func open(ctx context.Context, module []byte, cfg Config) (*Pool, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	host, err := newHost(ctx, module, cfg.CacheDir, cfg.Log)
	if err != nil {
		return nil, err
	}
	return &Pool{
		cfg:     cfg,
		slice:   max(1, sliceFrames/(cfg.Detail*cfg.Detail)),
		host:    host,
		digest:  sha256.Sum256(module),
		slots:   make(chan struct{}, cfg.Instances),
		closing: make(chan struct{}),
		closed:  make(chan struct{}),
	}, nil
}

// Render renders count frames from first on and returns them packed, count times wire.PackedSize bytes that are the
// caller's own. It looks at ctx between slices, while the longest it goes on without is Config.Overdue. The error is
// the context's, ErrClosed, one that wraps ErrOverdue, or one that says why the module failed.
func (p *Pool) Render(ctx context.Context, first uint64, count int) (packed []byte, err error) {
	if count < 0 || first > math.MaxUint64-uint64(count) {
		return nil, fmt.Errorf("verify: render: got %d frames from %d on, want a range of uint64", count, first)
	}
	packed = make([]byte, 0, count*wire.PackedSize)
	for done := 0; done < count; done += p.slice {
		_, err := p.render(ctx, first+uint64(done), min(p.slice, count-done), func(slice []byte) error {
			packed = append(packed, slice...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return packed, nil
}

// Check renders the frames that packed claims to be, from first on, and compares every byte. The error is a *Mismatch
// for the first frame that differs; otherwise it is one of Render's and says nothing about the frames. It does not keep
// packed, and allocates nothing in proportion to it. It returns the processor time that the module took, or the time
// that passed meanwhile where the system cannot tell.
func (p *Pool) Check(ctx context.Context, first uint64, packed []byte) (spent time.Duration, err error) {
	count := len(packed) / wire.PackedSize
	if len(packed)%wire.PackedSize != 0 || first > math.MaxUint64-uint64(count) {
		return 0, fmt.Errorf("verify: check: got %d bytes of frames from %d on, want a multiple of %d and a range of uint64",
			len(packed), first, wire.PackedSize)
	}
	for done := 0; done < count; done += p.slice {
		n := min(p.slice, count-done)
		claimed := packed[done*wire.PackedSize : (done+n)*wire.PackedSize]
		took, err := p.render(ctx, first+uint64(done), n, func(slice []byte) error {
			return Compare(first+uint64(done), claimed, slice)
		})
		spent += took
		if err != nil {
			return spent, err
		}
	}
	return spent, nil
}

// Digest returns the SHA-256 of the module's bytes.
func (p *Pool) Digest() wire.Digest { return p.digest }

// Stats are totals since New.
type Stats struct {
	Rendered  uint64        // frames rendered by calls that succeeded, whether to return or to compare them
	Spent     time.Duration // processor time of the module, as far as the system tells, failed calls and starting included
	Started   uint64        // instances made, or tried to
	Condemned uint64        // instances taken out of use because a call of theirs failed or was overdue
	Overdue   uint64        // of these: calls that did not answer in time
}

// Stats returns the totals. They are not one instant's: a call that ends meanwhile may count in some of them only.
func (p *Pool) Stats() Stats {
	return Stats{
		Rendered:  p.rendered.Load(),
		Spent:     time.Duration(p.spent.Load()),
		Started:   p.started.Load(),
		Condemned: p.condemned.Load(),
		Overdue:   p.overdue.Load(),
	}
}

// Close lets no more calls begin, waits for those in progress, and frees everything. Where ctx ends first, that is the
// error, and what is left is freed in the background as soon as the last call returns: a call into the module cannot be
// stopped, and its code must not be unmapped while it runs. Closing again waits again.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.Lock()
	if !p.draining {
		p.draining = true
		close(p.closing)
		go func() {
			p.calls.Wait()
			p.closeErr = p.host.close()
			close(p.closed)
		}()
	}
	p.mu.Unlock()

	select {
	case <-p.closed:
		return p.closeErr
	case <-ctx.Done():
		return fmt.Errorf("verify: close: wait for calls in progress: %w", ctx.Err())
	}
}
