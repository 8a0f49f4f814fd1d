package natsserver

import (
	"net"
	"sync"
	"sync/atomic"
)

// A Proxy stands before a server. While it swallows, connections stay open and are accepted, and nothing comes of what
// is sent; a connection that has lost bytes stays deaf for ever.
type Proxy struct {
	listener net.Listener
	server   *Server
	deaf     atomic.Bool
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
}

// StartProxy starts a proxy in front of a server. The caller must close it.
func StartProxy(server *Server) (*Proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: listener, server: server, conns: make(map[net.Conn]bool)}
	p.running.Go(p.accept)
	return p, nil
}

// URL returns the URL of the server behind the proxy.
func (p *Proxy) URL() string { return "nats://" + p.listener.Addr().String() }

// Swallow makes the proxy swallow what it is sent, or not any more.
func (p *Proxy) Swallow(on bool) { p.deaf.Store(on) }

// Close ends the proxy and all connections through it, and waits for that.
func (p *Proxy) Close() {
	p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.conns {
		c.Close()
	}
	p.mu.Unlock()
	p.running.Wait()
}

// keep remembers a connection to be closed at the end, which it is at once if that is over.
func (p *Proxy) keep(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	if p.closed {
		c.Close()
	}
}

func (p *Proxy) drop(c net.Conn) {
	c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.keep(client)
		p.running.Go(func() { p.serve(client) })
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer p.drop(client)
	lost := new(atomic.Bool)
	if p.deaf.Load() {
		lost.Store(true)
		p.pass(nil, client, lost)
		return
	}
	server, err := p.server.dial()
	if err != nil {
		return
	}
	p.keep(server)
	defer p.drop(server)
	var back sync.WaitGroup
	back.Go(func() {
		p.pass(client, server, lost)
		client.Close()
	})
	p.pass(server, client, lost)
	server.Close()
	back.Wait()
}

// pass passes bytes on until there are none.
func (p *Proxy) pass(to, from net.Conn, lost *atomic.Bool) {
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		if p.deaf.Load() {
			lost.Store(true)
		}
		if !lost.Load() {
			if _, err := to.Write(b[:n]); err != nil {
				return
			}
		}
	}
}
