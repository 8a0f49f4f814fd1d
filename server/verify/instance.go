package verify

import (
	"context"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/distributed-donut/donut/wasm/wire"
)

// exports are the functions of the module that a pool calls. See wasm/exports.go for what they do.
var exports = []string{"output", "constants", "render"}

// An instance of the module serves one call at a time. After an error of any kind it must only be closed: a Go panic
// inside the module leaves it answering as if nothing had happened, on a broken runtime.
type instance struct {
	module api.Module
	output uint32 // the address of what calls answer
	said   *head  // on standard error, where Go's runtime says why it is about to trap
}

// render renders frames. The packed frames are a view of the instance's memory, valid until the next call.
func (i *instance) render(detail int, first uint64, count int) (packed []byte, err error) {
	packed, err = i.ask("render", api.EncodeI32(int32(detail)), first, api.EncodeI32(int32(count)))
	if err == nil && len(packed) != count*wire.PackedSize {
		err = fmt.Errorf("render: got %d bytes, want %d", len(packed), count*wire.PackedSize)
	}
	if err != nil {
		return nil, fmt.Errorf("frames %d..%d: %w", first, first+uint64(count)-1, err)
	}
	return packed, nil
}

// ask calls an export that answers at the output, and returns a view of what it answered.
func (i *instance) ask(export string, parameters ...uint64) ([]byte, error) {
	result, err := i.call(export, parameters...)
	if err != nil {
		return nil, err
	}
	length := api.DecodeI32(result)
	view, ok := i.module.Memory().Read(i.output, uint32(max(length, -length)))
	switch {
	case !ok:
		return nil, fmt.Errorf("%s: got a length of %d bytes at %#x, want them inside the memory", export, length, i.output)
	case length < 0:
		return nil, fmt.Errorf("%s: the module refuses: %s", export, view)
	}
	return view, nil
}

// call calls an export of one result.
func (i *instance) call(export string, parameters ...uint64) (uint64, error) {
	// The context would reach host functions, and stop nothing: see newHost.
	results, err := i.module.ExportedFunction(export).Call(context.Background(), parameters...)
	switch {
	case err != nil && i.said.String() != "":
		return 0, fmt.Errorf("%s: %w; the module said: %s", export, err, i.said)
	case err != nil:
		return 0, fmt.Errorf("%s: %w", export, err)
	case len(results) != 1:
		return 0, fmt.Errorf("%s: got %d results, want 1", export, len(results))
	}
	return results[0], nil
}

// close frees the instance, which may be nil.
func (i *instance) close() {
	if i != nil {
		_ = i.module.Close(context.Background()) // it would tell of files that could not be flushed; there are none
	}
}

// A head keeps the first bytes that are written to it, and takes the rest for nothing.
type head struct {
	kept []byte
}

// maxHead has room for the message of a panic, without the stack that follows.
const maxHead = 256

func (h *head) Write(b []byte) (int, error) {
	h.kept = append(h.kept, b[:min(len(b), maxHead-len(h.kept))]...)
	return len(b), nil
}

// String returns the first line.
func (h *head) String() string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(h.kept)), "\n")
	return line
}
