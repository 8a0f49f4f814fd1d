package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// ErrStale is wrapped by the error of New where the bytes are not the module that belongs to this server.
var ErrStale = errors.New("verify: the module is not this server's: run make build")

// constants are the fixed numbers that a module must agree on, by the names they have in what its export answers. One
// that is missing here is not compared.
var constants = []struct {
	name string
	want uint64
}{
	{"fps", donut.FPS},
	{"columns", donut.Columns},
	{"rows", donut.Rows},
	{"textSize", donut.TextSize},
	{"packedSize", wire.PackedSize},
	{"maxThreads", wire.MaxThreads},
	{"maxDetail", donut.MaxDetail},
	{"wireVersion", wire.Version},
	{"codecVersion", codec.Version},
}

// checkedFrame is the frame that a module is tried on: a number like those of a server that has run for years, since
// the angles grow with it.
const checkedFrame = 5_000_000_011

// checkModule returns an error that wraps ErrStale where the module is another than this server's.
func (p *Pool) checkModule(ctx context.Context) error {
	if _, err := p.call(ctx, func(i *instance) ([]byte, error) { return i.ask("constants") }, checkConstants); err != nil {
		return stale(ctx, err)
	}
	var picture donut.Picture
	donut.NewRenderer(p.cfg.Detail).Render(&picture, checkedFrame)
	packed := make([]byte, wire.PackedSize)
	wire.Pack(packed, &picture)
	if _, err := p.Check(ctx, checkedFrame, packed); err != nil {
		return stale(ctx, err)
	}
	return nil
}

// stale blames the module for the error, but where the caller gave up.
func stale(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStale, err)
}

// checkConstants compares the numbers in the JSON text.
func checkConstants(text []byte) error {
	var got map[string]json.RawMessage
	if err := json.Unmarshal(text, &got); err != nil {
		return fmt.Errorf("constants: %w", err)
	}
	for _, c := range constants {
		value, ok := got[c.name]
		if !ok {
			value = []byte("none")
		}
		if string(value) != strconv.FormatUint(c.want, 10) {
			return fmt.Errorf("constants: %s: got %s, want %d", c.name, value, c.want)
		}
	}
	return nil
}
