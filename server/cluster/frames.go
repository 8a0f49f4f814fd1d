package cluster

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/distributed-donut/donut/server/timeline"
	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/donut"
	"github.com/distributed-donut/donut/wasm/wire"
)

// A message of frames is the header, and then the frames as the first message of a stream of the codec's: a key, number
// 1, of 1 to timeline.ChunkFrames frames without holes. A chunk takes some 3 KB, of 26 KB that it has packed.

// A packer makes messages of frames. It takes 160 KB, and is not safe for concurrent use.
type packer struct {
	encoder  codec.Encoder
	pictures [timeline.ChunkFrames]donut.Picture
	frames   [timeline.ChunkFrames]*donut.Picture
}

// append appends a message of packed frames, 1 to timeline.ChunkFrames. It fails where they are not well-formed.
func (p *packer) append(dst []byte, from, first uint64, packed []byte) ([]byte, error) {
	count := len(packed) / wire.PackedSize
	if count < 1 || count > timeline.ChunkFrames || len(packed)%wire.PackedSize != 0 {
		return dst, &SyntaxError{kindNames[kindFrames], "length", strconv.Itoa(len(packed)) + " bytes",
			"1.." + strconv.Itoa(timeline.ChunkFrames) + " times " + strconv.Itoa(wire.PackedSize)}
	}
	for i := range count {
		p.frames[i] = &p.pictures[i]
		if err := wire.Unpack(p.frames[i], packed[i*wire.PackedSize:(i+1)*wire.PackedSize]); err != nil {
			return dst, fmt.Errorf("cluster: frame %d: %w", first+uint64(i), err)
		}
	}
	dst = appendHeader(dst, kindFrames, from)
	p.encoder = codec.Encoder{}
	return p.encoder.Append(dst, first, p.frames[:count], true), nil
}

// frames is a message of frames, unpacked: count pictures of wire.PackedSize each, levels alone.
type frames struct {
	from   uint64
	first  uint64
	packed []byte
}

func (f frames) count() int { return len(f.packed) / wire.PackedSize }

// An unpacker reads messages of frames. It takes 140 KB, and is not safe for concurrent use.
type unpacker struct{ decoder codec.Decoder }

var errHole = errors.New("cluster: frames: got a hole, want a picture")

// sender returns whose message of frames it is, without a look at them: nothing is decoded for strangers.
func sender(b []byte) (from uint64, err error) {
	r := read(b, kindFrames)
	return r.from, r.err()
}

// parse reads a message. What it returns aliases nothing.
func (u *unpacker) parse(b []byte) (frames, error) {
	r := read(b, kindFrames)
	stream := r.Rest()
	if !r.OK() {
		return frames{}, r.err()
	}
	h, err := codec.ParseHeader(stream)
	if err != nil {
		return frames{}, fmt.Errorf("cluster: frames: %w", err)
	}
	r.Between("number", h.Number, 1, 1)
	r.Between("count", uint64(h.Count), 1, timeline.ChunkFrames)
	if !r.OK() {
		return frames{}, r.err()
	}
	f := frames{from: r.from, first: h.First, packed: make([]byte, h.Count*wire.PackedSize)}
	hole := false
	u.decoder = codec.Decoder{}
	_, err = u.decoder.Decode(stream, func(n uint64, p *donut.Picture) {
		if p == nil {
			hole = true
			return
		}
		wire.Pack(f.packed[(n-f.first)*wire.PackedSize:], p)
	})
	switch {
	case err != nil:
		return frames{}, fmt.Errorf("cluster: frames: %w", err)
	case hole:
		return frames{}, errHole
	}
	return f, nil
}
