package verify

import (
	"context"
	"fmt"
	"runtime"
	"time"
)

// sliceFrames is the most frames of detail 1 in one call into the module: 3 to 5 ms.
const sliceFrames = 8

// maxStuck is how many calls may be overdue and still running before no more are begun: each of them goes on taking a
// core, and its instance's memory.
const maxStuck = 8

// An answer is what became of a call into the module.
type answer struct {
	instance *instance     // nil where it could not even be started
	view     []byte        // of the instance's memory
	spent    time.Duration // of a processor's
	err      error
}

// render renders count frames, a slice at most, and lends them to use, which must not keep them. It returns the
// processor time that the module took. Its errors are those of Render, and use's.
func (p *Pool) render(ctx context.Context, first uint64, count int, use func(packed []byte) error) (spent time.Duration, err error) {
	return p.call(ctx, func(i *instance) ([]byte, error) {
		return i.render(p.cfg.Detail, first, count)
	}, func(packed []byte) error {
		p.rendered.Add(uint64(count))
		return use(packed)
	})
}

// call has an instance answer ask and lends the answer to use, which runs in the caller's goroutine. Where ask fails or
// does not return in time, the instance is condemned. An error of use's is no fault of the instance.
func (p *Pool) call(
	ctx context.Context, ask func(*instance) ([]byte, error), use func(view []byte) error,
) (spent time.Duration, err error) {
	if err := p.begin(ctx); err != nil {
		return 0, err
	}
	defer p.calls.Done()

	answers := make(chan answer)
	abandoned := make(chan struct{})
	p.calls.Go(func() {
		a := p.answer(ask)
		select {
		case answers <- a:
		case <-abandoned:
			a.instance.close()
			p.stuck.Add(-1)
		}
	})

	watchdog := time.NewTimer(p.cfg.Overdue)
	defer watchdog.Stop()
	select {
	case a := <-answers:
		defer func() { <-p.slots }()
		if a.err != nil {
			a.instance.close()
			return a.spent, p.condemn(fmt.Errorf("verify: %w", a.err))
		}
		defer p.putBack(a.instance)
		return a.spent, use(a.view)

	case <-watchdog.C:
		p.stuck.Add(1)
		close(abandoned)
		<-p.slots
		p.overdue.Add(1)
		return 0, p.condemn(fmt.Errorf("%w: got nothing in %v", ErrOverdue, p.cfg.Overdue))
	}
}

// begin waits for a slot. It returns nil when the caller has one, and counts among p.calls.
func (p *Pool) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-p.closing:
		return ErrClosed
	}

	var err error
	if stuck := p.stuck.Load(); stuck >= maxStuck {
		err = fmt.Errorf("%w: %d calls are overdue already, want below %d", ErrOverdue, stuck, maxStuck)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		err = ErrClosed
	}
	if err != nil {
		<-p.slots
		return err
	}
	p.calls.Add(1)
	return nil
}

// answer is the part of a call that the watchdog watches.
func (p *Pool) answer(ask func(*instance) ([]byte, error)) (a answer) {
	runtime.LockOSThread() // whose time is taken
	defer runtime.UnlockOSThread()
	start := processorTime()
	defer func() {
		a.spent = processorTime() - start
		p.spent.Add(uint64(a.spent))
	}()

	a.instance = p.takeIdle()
	if a.instance == nil {
		p.started.Add(1)
		if a.instance, a.err = p.host.start(); a.err != nil {
			return answer{err: a.err}
		}
	}
	a.view, a.err = ask(a.instance)
	return a
}

// takeIdle returns the instance that was used last, whose memory is the likeliest in a cache, or nil.
func (p *Pool) takeIdle() *instance {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.idle) == 0 {
		return nil
	}
	last := len(p.idle) - 1
	instance := p.idle[last]
	p.idle = p.idle[:last]
	return instance
}

func (p *Pool) putBack(i *instance) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, i)
}

// condemn counts an instance that nobody will use again, and returns the reason.
func (p *Pool) condemn(reason error) error {
	p.condemned.Add(1)
	p.cfg.Log.Warn("instance of the module taken out of use", "error", reason)
	return reason
}
