package main

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/distributed-donut/donut/wasm/codec"
)

// ahead is how many frames the servers render ahead.
const ahead = 600

// An ear hears what the servers publish. Its methods may be called concurrently.
type ear struct {
	conn *nats.Conn

	mu     sync.Mutex
	chunks []chunk // in the order in which they came
}

// A chunk is one that a server has published.
type chunk struct {
	from  uint64 // the server's identity
	first uint64 // frame
}

// published is where chunks go that are for all servers of a fleet.
const published = "donut.*.*.frames"

// listen hears what is published at a NATS server. The caller must close the ear.
func listen(url string) (*ear, error) {
	conn, err := nats.Connect(url)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", url, err)
	}
	e := &ear{conn: conn}
	if _, err := conn.Subscribe(published, func(m *nats.Msg) { e.hear(m.Data) }); err != nil {
		conn.Close()
		return nil, fmt.Errorf("listen at %s: %w", url, err)
	}
	return e, conn.Flush()
}

// headerSize is what comes before the frames of a message: two bytes, and the identity of who published them.
const headerSize = 2 + 8

func (e *ear) hear(message []byte) {
	if len(message) < headerSize {
		return
	}
	header, err := codec.ParseHeader(message[headerSize:])
	if err != nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.chunks = append(e.chunks, chunk{binary.LittleEndian.Uint64(message[2:]), header.First})
}

// since returns how many chunks from a frame on were published by one server, and by all.
func (e *ear) since(frame, from uint64) (own, all int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.chunks {
		if c.first < frame {
			continue
		}
		all++
		if c.from == from {
			own++
		}
	}
	return own, all
}

// twice is how many chunks were published by more than one server.
func (e *ear) twice() (n int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	servers := make(map[uint64]map[uint64]bool)
	for _, c := range e.chunks {
		if servers[c.first] == nil {
			servers[c.first] = make(map[uint64]bool)
		}
		if servers[c.first][c.from] = true; len(servers[c.first]) == 2 {
			n++
		}
	}
	return n
}

func (e *ear) close() { e.conn.Close() }
