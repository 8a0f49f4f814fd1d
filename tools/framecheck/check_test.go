package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/wire"
)

// A fake is an engine whose frames are all of one byte, but for those that it forges.
type fake struct {
	name   string
	forged map[uint64]bool
	err    error
}

func (f fake) Name() string { return f.name }

func (fake) Close() {}

func (f fake) Render(_ context.Context, first uint64, count int) ([]byte, error) {
	var packed []byte
	for i := range count {
		n := first + uint64(i)
		frame := bytes.Repeat([]byte{byte(n % 10)}, wire.PackedSize)
		if f.forged[n] {
			frame[100] ^= 1
		}
		packed = append(packed, frame...)
	}
	return packed, f.err
}

// spans is the source of these spans.
func spans(all ...span) source {
	return func(_ context.Context, yield func(span) error) error {
		for _, s := range all {
			if err := yield(s); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestCheckerFindsWhoDiffers(t *testing.T) {
	honest := fake{name: "right"}
	claimed, _ := fake{forged: map[uint64]bool{21: true}}.Render(t.Context(), 20, 3)
	var order []byte
	c := checker{
		engines:  []engine{honest, fake{name: "wrong", forged: map[uint64]bool{3: true, 7: true, 21: true}}, honest},
		claimant: "liar",
		parallel: 2,
		sink: func(packed []byte) error {
			for ; len(packed) > 0; packed = packed[wire.PackedSize:] {
				order = append(order, packed[0])
			}
			return nil
		},
	}
	r, err := c.run(t.Context(), spans(span{first: 0, count: 5}, span{first: 5, count: 5}, span{20, 3, claimed}, span{first: 2, count: 1}))
	if err != nil {
		t.Fatal(err)
	}
	if r.frames != 14 || r.differ != 3 || len(r.evidence) != 3 {
		t.Errorf("got %d frames, %d differ, evidence for %d, want 14, 3, 3", r.frames, r.differ, len(r.evidence))
	}
	for _, want := range []string{"wrong differs from right: verify: frame 3:", "frame 7:", "liar differs from right: verify: frame 21:"} {
		if !strings.Contains(r.err().Error(), want) {
			t.Errorf("got %v, want %q in it", r.err(), want)
		}
	}
	if want := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 2}; !bytes.Equal(order, want) {
		t.Errorf("the sink got frames %v, want %v", order, want)
	}
}

func TestCheckerStopsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	endless := func(_ context.Context, yield func(span) error) error {
		for n := uint64(0); ; n++ {
			if err := yield(span{first: n, count: 1}); err != nil {
				return err
			}
		}
	}
	honest := fake{name: "right"}
	for _, c := range []struct {
		name   string
		check  checker
		source source
	}{
		{"engine", checker{engines: []engine{honest, fake{name: "wrong", err: broken}}, parallel: 2}, endless},
		{"sink", checker{engines: []engine{honest}, sink: func([]byte) error { return broken }, parallel: 2}, endless},
		{"source", checker{engines: []engine{honest}, parallel: 2},
			func(context.Context, func(span) error) error { return broken }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.check.run(t.Context(), c.source); !errors.Is(err, broken) {
				t.Errorf("got %v, want %v", err, broken)
			}
		})
	}
}

func TestNothingToCheckIsAFailure(t *testing.T) {
	c := checker{engines: []engine{fake{name: "right"}}, parallel: 1}
	r, err := c.run(t.Context(), spans())
	if err != nil || r.err() == nil {
		t.Errorf("got %v and verdict %v, want a verdict alone", err, r.err())
	}
}
