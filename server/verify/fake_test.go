package verify

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/distributed-donut/donut/wasm/wire"
)

// The frames on which a fake module misbehaves. It answers blank pictures for all others.
const (
	frameTraps  = 13
	frameLoops  = 14 // until the byte at address 0 is not 0, calling its host each time so that Go can preempt it
	frameRefuse = 15 // with the refusal, where that is its output
)

const refusal = "no such frame"

// openFake returns a pool of a fake module, without New's check, closed at the end of the test.
func openFake(t *testing.T, cfg Config) *Pool {
	t.Helper()
	cfg.Detail = 1
	p, err := open(t.Context(), fakeModule(refusal), cfg)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, p)
	return p
}

// constantsLike is the JSON of this server's constants with one of them replaced.
func constantsLike(name, value string) string {
	var members []string
	for _, c := range constants {
		v := strconv.FormatUint(c.want, 10)
		if c.name == name {
			v = value
		}
		members = append(members, `"`+c.name+`":`+v)
	}
	return "{" + strings.Join(members, ",") + "}"
}

// fakeModule assembles a module with the exports that a pool calls, in WebAssembly's binary format. All that it answers
// is output, which is what it gives for its constants.
func fakeModule(output string) []byte {
	const (
		i32, i64             = 0x7f, 0x7e
		end                  = 0x0b
		localGet             = 0x20
		i32Const, i64Const   = 0x41, 0x42
		i64Eq, i32Eqz        = 0x51, 0x45
		i32Mul, i32Load8     = 0x6c, 0x2d
		ifVoid, loopVoid, br = 0x04, 0x03, 0x0d
		void                 = 0x40
		call, drop           = 0x10, 0x1a
		unreachable, ret     = 0x00, 0x0f
		outputAt             = 1024
	)
	constI32 := func(v int64) []byte { return append([]byte{i32Const}, signed(v)...) }
	onFrame := func(n int64, do ...byte) []byte {
		return slices.Concat([]byte{localGet, 1, i64Const}, signed(n), []byte{i64Eq, ifVoid, void}, do, []byte{end})
	}
	function := func(code ...[]byte) []byte {
		body := slices.Concat(append(append([][]byte{{0}}, code...), []byte{end})...) // no locals
		return append(unsigned(len(body)), body...)
	}
	render := function(
		onFrame(frameTraps, unreachable),
		onFrame(frameLoops, loopVoid, void, call, 0, drop, i32Const, 0, i32Load8, 0, 0, i32Eqz, br, 0, end),
		onFrame(frameRefuse, append(constI32(-int64(len(refusal))), ret)...),
		[]byte{localGet, 2}, constI32(wire.PackedSize), []byte{i32Mul},
	)

	return slices.Concat(
		[]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte{0x60, 0, 0}, []byte{0x60, 0, 1, i32}, []byte{0x60, 3, i32, i64, i32, 1, i32}), // types
		section(2, imported("wasi_snapshot_preview1", "sched_yield", 1)),
		section(3, []byte{0}, []byte{1}, []byte{1}, []byte{2}), // functions
		section(5, []byte{0, 1}), // memory: a page
		section(7, export("_initialize", 1), export("output", 2), export("constants", 3), export("render", 4)),
		section(10, function(), function(constI32(outputAt)), function(constI32(int64(len(output)))), render),
		section(11, slices.Concat([]byte{0}, constI32(outputAt), []byte{end}, unsigned(len(output)), []byte(output))), // data
	)
}

func section(id byte, items ...[]byte) []byte {
	content := append(unsigned(len(items)), slices.Concat(items...)...)
	return slices.Concat([]byte{id}, unsigned(len(content)), content)
}

func export(name string, function byte) []byte {
	return slices.Concat(unsigned(len(name)), []byte(name), []byte{0, function})
}

func imported(module, name string, kind byte) []byte {
	return slices.Concat(unsigned(len(module)), []byte(module), unsigned(len(name)), []byte(name), []byte{0, kind})
}

func unsigned(v int) []byte { return binary.AppendUvarint(nil, uint64(v)) }

// signed is v in signed LEB128.
func signed(v int64) (b []byte) {
	for v < -64 || v > 63 {
		b = append(b, byte(v)&0x7f|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}
