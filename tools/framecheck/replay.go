package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/distributed-donut/donut/wasm/codec"
	"github.com/distributed-donut/donut/wasm/wire"
)

// replay renders again what a recording holds.
func (c command) replay(ctx context.Context, cfg config, module []byte) error {
	file, err := os.Open(cfg.file)
	if err != nil {
		return fmt.Errorf("-file: %w", err)
	}
	defer file.Close()
	p, err := play(file)
	if err != nil {
		return fmt.Errorf("-file: %s: %w", cfg.file, err)
	}
	if digest := wire.Digest(sha256.Sum256(module)); p.header.digest != digest {
		return fmt.Errorf("-file: %s: module: got %x, want %x: use the framecheck that was built with the web/dist/donut.wasm of the first SHA-256",
			cfg.file, p.header.digest, digest)
	}
	var seen stream
	var skipped int
	err = c.checkAired(ctx, cfg, module, p.header.detail, &seen, func(ctx context.Context, yield func(span) error) (err error) {
		if skipped, err = p.feed(ctx, &seen, yield); err != nil && ctx.Err() == nil {
			err = fmt.Errorf("-file: %s: %w", cfg.file, err)
		}
		return err
	})
	text := fmt.Sprintf("recorded from %q since %s for %v\n",
		p.header.url, time.UnixMicro(p.header.begun).UTC().Format(time.RFC3339), p.after)
	if skipped > 0 {
		text += fmt.Sprintf("the recording begins inside a key group: messages skipped up to the first key: %d\n", skipped)
	}
	if p.torn > 0 {
		text += fmt.Sprintf("the recording ends inside a message: bytes left out: %d\n", p.torn)
	}
	_, printErr := io.WriteString(c.stdout, text)
	return errors.Join(err, printErr)
}

// feed has a stream take all that is left of the recording, but for the messages before the first key, which cannot be
// decoded.
func (p *player) feed(ctx context.Context, seen *stream, yield func(span) error) (skipped int, err error) {
	for ctx.Err() == nil {
		offset := p.offset
		r, err := p.next()
		switch {
		case err == io.EOF:
			return skipped, nil
		case err != nil:
			return skipped, err
		}
		key := true
		if seen.messages == 0 {
			key, err = isKey(r.message)
		}
		switch {
		case err == nil && !key:
			skipped++
		case err == nil:
			err = seen.take(r.message, yield)
		}
		if err != nil {
			return skipped, fmt.Errorf("offset %d: %w", offset, err)
		}
	}
	return skipped, context.Cause(ctx)
}

// isKey tells whether a broadcast can be decoded without those before it.
func isKey(message []byte) (bool, error) {
	m, err := wire.ParseBroadcast(message)
	if err != nil {
		return false, err
	}
	h, err := codec.ParseHeader(m.Stream)
	return h.Key, err
}
