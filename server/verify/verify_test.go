package verify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/distributed-donut/donut/tools/moduletest"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

func TestRenderIsTheNativeRenderer(t *testing.T) {
	for _, c := range []struct {
		detail int
		first  uint64
		count  int
	}{
		{1, 0, 2*sliceFrames + 5},
		{1, 4_000_000_000, 3},
		{8, 150, 2},
	} {
		t.Run(fmt.Sprintf("detail %d from %d", c.detail, c.first), func(t *testing.T) {
			p := newPool(t, Config{Detail: c.detail, Instances: 1})
			got, err := p.Render(t.Context(), c.first, c.count)
			if err != nil {
				t.Fatal(err)
			}
			if want := moduletest.Native(c.detail, c.first, c.count); !bytes.Equal(got, want) {
				t.Fatal(Compare(c.first, got, want))
			}
			if s := p.Stats(); s.Rendered != uint64(c.count)+1 || s.Started != 1 || s.Condemned != 0 || s.Spent <= 0 {
				t.Errorf("stats: got %+v, want %d frames and New's, one instance and some time", s, c.count)
			}
		})
	}
}

func TestRangesOfFrames(t *testing.T) {
	p := newPool(t, Config{Detail: 1, Instances: 1})
	if got, err := p.Render(t.Context(), math.MaxUint64, 0); err != nil || len(got) != 0 {
		t.Errorf("no frames: got %d bytes, %v", len(got), err)
	}
	if _, err := p.Render(t.Context(), 0, -1); err == nil {
		t.Error("Render took a negative count")
	}
	if _, err := p.Render(t.Context(), math.MaxUint64-1, 2); err == nil {
		t.Error("Render took frames past the last number")
	}
	if _, err := p.Check(t.Context(), 0, make([]byte, wire.PackedSize+1)); err == nil {
		t.Error("Check took a part of a frame")
	}
	if _, err := p.Check(t.Context(), math.MaxUint64, make([]byte, wire.PackedSize)); err == nil {
		t.Error("Check took frames past the last number")
	}
}

func TestCheckFindsOneForgedCell(t *testing.T) {
	p := newPool(t, Config{Detail: 1, Instances: 1})
	const first, count, forged = 1000, 2*sliceFrames + 3, 1000 + sliceFrames + 7
	honest := moduletest.Native(1, first, count)
	if _, err := p.Check(t.Context(), first, honest); err != nil {
		t.Fatalf("honest frames: %v", err)
	}

	packed := bytes.Clone(honest)
	frame := packed[(forged-first)*wire.PackedSize:][:wire.PackedSize]
	const cell = 10*donut.Width + 41
	was := frame[cell/2] >> (cell % 2 * 4) & 15
	frame[cell/2] ^= 1 << (cell % 2 * 4)

	_, err := p.Check(t.Context(), first, packed)
	var got *Mismatch
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want a *Mismatch", err)
	}
	want := Mismatch{
		Frame: forged, Cells: 1, Cell: cell, GotLevel: was ^ 1, WantLevel: was,
		Got: sha256.Sum256(frame), Want: sha256.Sum256(honest[(forged-first)*wire.PackedSize:][:wire.PackedSize]),
	}
	if *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	text := fmt.Sprintf("verify: frame %d: 1 cells differ, the first at row 10, column 41: got level %d, want %d", forged, was^1, was)
	if err.Error() != text {
		t.Errorf("the error reads %q, want %q", err, text)
	}
	if s := p.Stats(); s.Condemned != 0 {
		t.Errorf("a forgery condemned an instance: %+v", s)
	}
}

func TestStaleModules(t *testing.T) {
	for _, c := range []struct {
		name   string
		module []byte
		want   string
	}{
		{"nothing", nil, "compile"},
		{"no module", []byte("<!doctype html>"), "compile"},
		{"no exports", []byte("\x00asm\x01\x00\x00\x00"), `got no function "output"`},
		{"no constants", fakeModule("{}"), "fps: got none, want 60"},
		{"another codec", fakeModule(constantsLike("codecVersion", "99")), "codecVersion: got 99, want"},
		{"another picture", fakeModule(constantsLike("", "")), "cells differ"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := New(t.Context(), c.module, Config{Detail: 1})
			if err == nil {
				p.Close(t.Context())
			}
			if !errors.Is(err, ErrStale) {
				t.Fatalf("got %v, want ErrStale", err)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "make build") {
				t.Errorf("the error is %q, want %q in it, and what to do", err, c.want)
			}
		})
	}
}

func TestConfigIsValidated(t *testing.T) {
	for _, cfg := range []Config{{}, {Detail: donut.MaxDetail + 1}, {Detail: 1, Instances: -1}, {Detail: 1, Overdue: -1}} {
		if _, err := New(t.Context(), nil, cfg); err == nil || errors.Is(err, ErrStale) {
			t.Errorf("%+v: got %v, want an error about the field", cfg, err)
		}
	}
}

func TestDigest(t *testing.T) {
	p := newPool(t, Config{Detail: 1})
	if got, want := p.Digest(), wire.Digest(sha256.Sum256(module(t))); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestConcurrentCalls(t *testing.T) {
	p := newPool(t, Config{Detail: 1, Instances: 2})
	want := moduletest.Native(1, 0, 40)
	var callers sync.WaitGroup
	for i := range 8 {
		callers.Go(func() {
			first := i * 5
			mine := want[first*wire.PackedSize : (first+5)*wire.PackedSize]
			if _, err := p.Check(t.Context(), uint64(first), mine); err != nil {
				t.Error(err)
			}
			got, err := p.Render(t.Context(), uint64(first), 5)
			if err != nil || !bytes.Equal(got, mine) {
				t.Errorf("frames %d..%d: got other frames, error %v", first, first+4, err)
			}
		})
	}
	callers.Wait()
	if s := p.Stats(); s.Started > 2 || s.Rendered != 8*10+1 {
		t.Errorf("stats: got %+v, want 2 instances at most and 81 frames", s)
	}
}

func TestCancelledContext(t *testing.T) {
	p := newPool(t, Config{Detail: 1, Instances: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.Render(ctx, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("Render: got %v", err)
	}
	p.slots <- struct{}{} // as if the only instance were in use
	waiting, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := p.Check(waiting, 0, moduletest.Native(1, 0, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Check in the queue: got %v", err)
	}
	<-p.slots
	if s := p.Stats(); s.Condemned != 0 {
		t.Errorf("a cancelled call condemned an instance: %+v", s)
	}
}

func TestClosedPool(t *testing.T) {
	p := newPool(t, Config{Detail: 1})
	if err := p.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(t.Context()); err != nil {
		t.Errorf("closing again: %v", err)
	}
	if _, err := p.Render(t.Context(), 0, 1); !errors.Is(err, ErrClosed) {
		t.Errorf("Render: got %v, want ErrClosed", err)
	}
}

func BenchmarkRender(b *testing.B) {
	benchmark(b, func(p *Pool, packed []byte) error {
		_, err := p.Render(b.Context(), 0, len(packed)/wire.PackedSize)
		return err
	})
}

func BenchmarkCheck(b *testing.B) {
	benchmark(b, func(p *Pool, packed []byte) error {
		_, err := p.Check(b.Context(), 0, packed)
		return err
	})
}

func benchmark(b *testing.B, do func(p *Pool, packed []byte) error) {
	const count = 60
	p := newPool(b, Config{Detail: 1, Instances: 1})
	packed := moduletest.Native(1, 0, count)
	b.ReportAllocs()
	for b.Loop() {
		if err := do(p, packed); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*count), "µs/frame")
}
