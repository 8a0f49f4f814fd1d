package cluster

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	connectTimeout = time.Second
	// A connection that was cut without a word is noticed after three intervals, and tried again after a wait: together
	// with the first announcements that is less than two seconds.
	pingInterval    = 400 * time.Millisecond
	pingsMissed     = 2
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 100 * time.Millisecond
	// writeTimeout is how long a write may hold up whoever sends.
	writeTimeout = time.Second
)

// How many messages of a kind wait to be read. What comes then is dropped by the client, and counted.
const (
	announcementsWaiting = 1024
	probesWaiting        = 256
	framesWaiting        = 64
	fetchesWaiting       = 64
)

// A line is the connection to NATS with what comes from it.
type line struct {
	conn   *nats.Conn
	closed chan struct{} // closed when the connection is for good
	subs   []*nats.Subscription
	wrong  *complaints

	announcements, frames, fetched, fetches, probes, replies chan *nats.Msg
}

// connect opens a line, whether NATS is there yet or not.
func connect(config Config, names subjects, up func()) (*line, error) {
	log := config.Log
	l := &line{closed: make(chan struct{}), wrong: &complaints{log: log}}
	connected := func(c *nats.Conn) {
		l.wrong.again(c.ConnectedAddr())
		up()
	}
	options := []nats.Option{
		nats.Name("donut " + config.Name),
		nats.NoEcho(),
		nats.Timeout(connectTimeout),
		nats.RetryOnFailedConnect(true),
		nats.MaxReconnects(-1),
		nats.IgnoreAuthErrorAbort(), // a server that lets nobody in today may do so tomorrow
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.ReconnectBufSize(-1), // old frames are worth nothing
		nats.PingInterval(pingInterval),
		nats.MaxPingsOutstanding(pingsMissed),
		nats.FlusherTimeout(writeTimeout),
		nats.ConnectHandler(connected),
		nats.ReconnectHandler(connected),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil { // else it was closed
				log.Warn("the connection to NATS is lost", "err", err)
			}
		}),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { l.wrong.unreached(err) }),
		nats.ErrorHandler(func(_ *nats.Conn, s *nats.Subscription, err error) { l.wrong.refused(s, err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(l.closed) }),
	}
	if config.Credentials != "" {
		options = append(options, nats.UserCredentials(config.Credentials))
	}
	if config.CA != "" {
		options = append(options, nats.RootCAs(config.CA))
	}
	conn, err := nats.Connect(config.URL, options...)
	if err != nil {
		return nil, fmt.Errorf("cluster: connect to NATS: %w", err)
	}
	l.conn = conn
	for _, s := range []struct {
		subject string
		into    *chan *nats.Msg
		waiting int
	}{
		{names.announce, &l.announcements, announcementsWaiting},
		{names.frames, &l.frames, framesWaiting},
		{names.fetch, &l.fetches, fetchesWaiting},
		{of(names.frames, config.Identity), &l.fetched, framesWaiting},
		{of(names.probe, config.Identity), &l.probes, probesWaiting},
		{of(names.reply, config.Identity), &l.replies, probesWaiting},
	} {
		*s.into = make(chan *nats.Msg, s.waiting)
		sub, err := conn.ChanSubscribe(s.subject, *s.into)
		if err != nil {
			l.close()
			return nil, fmt.Errorf("cluster: subscribe to %s: %w", s.subject, err)
		}
		l.subs = append(l.subs, sub)
	}
	return l, nil
}

// check says what is wrong where there is no connection. The client tells by itself what keeps it from another one, but
// for what comes of TLS and authorization.
func (l *line) check() {
	if err := l.conn.LastError(); err != nil && l.conn.IsReconnecting() {
		l.wrong.unreached(err)
	}
}

// send sends a message, and reports whether it left; b may be used again at once.
func (l *line) send(subject string, b []byte) bool {
	return l.conn.IsConnected() && l.conn.Publish(subject, b) == nil
}

// count adds what the connection counts.
func (l *line) count(c *Counters) {
	s := l.conn.Stats()
	c.Reconnects, c.BytesSent, c.BytesReceived = s.Reconnects, s.OutBytes, s.InBytes
	for _, sub := range l.subs {
		if n, err := sub.Dropped(); err == nil {
			c.Overrun += uint64(n)
		}
	}
}

// close closes the line and waits for that.
func (l *line) close() {
	l.conn.Close()
	<-l.closed
}
