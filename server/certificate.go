package main

import (
	"crypto/tls"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"
)

// lookAgain is how long a certificate's files are not looked at again.
const lookAgain = time.Second

// A certificate is one in two files of PEM, which may be renewed while it is in use.
type certificate struct {
	// Set once.
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time

	mu     sync.Mutex
	pair   *tls.Certificate
	read   stamps    // of the files when they were read last, whatever came of it
	looked time.Time // when the files were looked at last
}

// stamps tell files that were renewed, first the certificate's, then the key's.
type stamps [2]struct {
	modified time.Time
	size     int64
}

// newCertificate reads a certificate and its key. The error names the files. Later ones are logged, and until the files
// are in order what was read before is used.
func newCertificate(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, now: now, looked: now()}
	c.read = c.stamps()
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// get is a tls.Config's GetCertificate. Its error is always nil.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if now.Sub(c.looked) < lookAgain {
		return c.pair, nil
	}
	c.looked = now
	// Looked at before they are read, so that what changes meanwhile is read once more.
	if seen := c.stamps(); seen != c.read {
		c.read = seen
		if err := c.load(); err != nil {
			c.log.Warn("the renewed certificate is not in order, so the one before is used", "err", err)
		} else {
			c.log.Info("the certificate was renewed", "until", c.pair.Leaf.NotAfter)
		}
	}
	return c.pair, nil
}

// load reads the files. It is called with mu held, or before anybody else knows of c.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("read the certificate of -tls-cert %s and -tls-key %s: %w", c.certFile, c.keyFile, err)
	}
	c.pair = &pair
	return nil
}

func (c *certificate) stamps() (s stamps) {
	for i, name := range []string{c.certFile, c.keyFile} {
		var info fs.FileInfo
		if info, _ = os.Stat(name); info != nil { // what is missing has a stamp of its own, and an error when it is read
			s[i].modified, s[i].size = info.ModTime(), info.Size()
		}
	}
	return s
}
