package cluster

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"

	"github.com/nats-io/nats.go"
)

// maxComplaints is how many different ones are logged between two connections: those of some servers, and no more
// where each is another one.
const maxComplaints = 32

// Complaints log what is wrong with the connection to NATS: each thing once until there is a new connection, since it
// is tried four times a second, and announcements that may not be sent are refused as often. They may be used
// concurrently.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex
	said map[string]bool
}

// unreached says that a try to connect came to nothing.
func (c *complaints) unreached(err error) {
	if errors.Is(err, nats.ErrNoServers) {
		return // why is said by the next try
	}
	// Where it came from is another port at each try.
	var network *net.OpError
	if errors.As(err, &network) {
		bare := *network
		bare.Source = nil
		err = &bare
	}
	c.once("NATS is not to be reached, and is tried again", err, slog.String("see", setting(err)))
}

// refused says that NATS will not have what was sent, or subscribed to.
func (c *complaints) refused(s *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrSlowConsumer) {
		return // which is counted
	}
	subject := ""
	if s != nil {
		subject = s.Subject
	}
	c.once("NATS complains", err, slog.String("subject", subject))
}

// again forgets what was said, and says that there is a connection to a server at an address: its URL might hold a
// token.
func (c *complaints) again(server string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said = nil
	c.log.Info("connected to NATS", "server", server)
}

func (c *complaints) once(message string, err error, more slog.Attr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text := err.Error()
	if c.said[text] || len(c.said) == maxComplaints {
		return
	}
	if c.said == nil {
		c.said = make(map[string]bool)
	}
	c.said[text] = true
	c.log.Warn(message, "err", text, more) // as text: the address in it is NATS's, and no visitor's to be shortened
}

// setting names what is likely to be set wrong where a connection fails.
func setting(err error) string {
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.As(err, &certificate):
		return "-nats-ca"
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired),
		errors.Is(err, nats.ErrAuthRevoked):
		return "-nats-credentials, or the user and password in -nats"
	default:
		return "-nats"
	}
}
