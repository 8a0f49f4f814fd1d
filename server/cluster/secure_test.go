package cluster

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/distributed-donut/donut/server/cluster/natstest"
	"github.com/distributed-donut/donut/tools/certtest"
)

// A journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func write(t *testing.T, path string, content []byte) string {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issue returns the files of a new certificate of 127.0.0.1, and of its key.
func issue(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	folder := t.TempDir()
	certFile, keyFile = filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	certtest.Issue(t, certFile, keyFile, 1)
	return certFile, keyFile
}

// guarded starts a NATS server that speaks TLS alone and lets in whom auth says, by a file of configuration, and
// returns who vouches for it, too.
func guarded(t *testing.T, auth string) (nats *natstest.Server, config, ca string) {
	t.Helper()
	certFile, keyFile := issue(t)
	config = write(t, filepath.Join(t.TempDir(), "nats.conf"),
		fmt.Appendf(nil, "tls { cert_file: %q, key_file: %q }\n%s\n", certFile, keyFile, auth))
	return natstest.Start(t, "-c", config), config, certFile
}

const (
	password = "correct-horse"
	mistaken = "battery-staple"
)

func byPassword(password string) string {
	return fmt.Sprintf("authorization { user: donut, password: %q }", password)
}

// logged has a server log into a journal.
func logged(log *journal, credentials, ca string) func(*Config) {
	return func(config *Config) {
		config.Log, config.Credentials, config.CA = slog.New(slog.NewTextHandler(log, nil)), credentials, ca
	}
}

func TestServersMeetWhereNATSDemandsTLSAndCredentials(t *testing.T) {
	keys := newKeys(t)
	for name, c := range map[string]struct{ auth, user, credentials string }{
		"password":    {byPassword(password), "donut:" + password + "@", ""},
		"token":       {fmt.Sprintf("authorization { token: %q }", password), password + "@", ""},
		"credentials": {keys.config(t), "", keys.credentials(t)},
	} {
		t.Run(name, func(t *testing.T) {
			nats, _, ca := guarded(t, c.auth)
			log := new(journal)
			a := run(t, "tls://"+c.user+nats.Addr(), 0, logged(log, c.credentials, ca))
			b := run(t, "tls://"+c.user+nats.Addr(), 0, logged(log, c.credentials, ca))
			whole(t, a, b)
			a.stop()
			b.stop()
			if text := log.String(); strings.Contains(text, password) || strings.Contains(text, "WARN") {
				t.Errorf("the log warns, or shows a secret:\n%s", text)
			}
		})
	}
}

// TestServerThatNATSKeepsOut has what was set be wrong. It says so, once, and is a server alone until that is mended.
func TestServerThatNATSKeepsOut(t *testing.T) {
	keys := newKeys(t)
	strangers, _ := issue(t)
	garbage := write(t, filepath.Join(t.TempDir(), "garbage"), []byte("none"))
	const url = "tls://donut:" + password + "@"
	for name, c := range map[string]struct {
		auth, url, credentials string                    // of NATS; of the server's own, without an address
		ca                     func(right string) string // nil for the right one
		want                   []string                  // in the log
	}{
		"wrong password": {byPassword(password), "tls://donut:" + mistaken + "@", "", nil,
			[]string{"Authorization Violation", "-nats-credentials"}},
		"no password": {byPassword(password), "tls://", "", nil,
			[]string{"Authorization Violation", "-nats-credentials"}},
		"no credentials": {keys.config(t), "tls://", "", nil, []string{"Authorization Violation", "-nats-credentials"}},
		"credentials of somebody else": {keys.config(t), "tls://", newKeys(t).credentials(t), nil,
			[]string{"Authorization Violation", "-nats-credentials"}},
		"garbage for credentials": {keys.config(t), "tls://", garbage, nil,
			[]string{"not to be reached"}},
		"another authority": {byPassword(password), url, "", func(string) string { return strangers },
			[]string{"signed by unknown authority", "see=-nats-ca"}},
		"the system's authorities, and no mention of TLS": {byPassword(password), "nats://donut:" + password + "@", "",
			func(string) string { return "" }, []string{"signed by unknown authority", "see=-nats-ca"}},
	} {
		t.Run(name, func(t *testing.T) {
			nats, config, right := guarded(t, c.auth)
			ca := right
			if c.ca != nil {
				ca = c.ca(right)
			}
			log := new(journal)
			s := run(t, c.url+nats.Addr(), 0, logged(log, c.credentials, ca))
			until(t, "the server says what is wrong", func() bool {
				for _, want := range c.want {
					if !strings.Contains(log.String(), want) {
						return false
					}
				}
				return true
			})
			for chunk := range uint64(100) {
				if owner := s.Owner(s.now(), chunk); owner != 0 {
					t.Fatalf("chunk %d is left to %d, and nobody is there", chunk, owner)
				}
			}
			// NATS comes back with what the server has had all along.
			if strings.Contains(c.url, mistaken) {
				nats.Stop()
				content, err := os.ReadFile(config)
				if err != nil {
					t.Fatal(err)
				}
				write(t, config, bytes.ReplaceAll(content, []byte(password), []byte(mistaken)))
				nats.Restart(t)
				whole(t, s, run(t, c.url+nats.Addr(), 0, logged(new(journal), "", right)))
			}
			s.stop()
			text := log.String()
			shown, _ := os.ReadFile(c.credentials) // or nothing
			for _, secret := range append(strings.Fields(string(shown)), password, mistaken) {
				if len(secret) > 10 && strings.Contains(text, secret) {
					t.Errorf("the log shows %q:\n%s", secret, text)
				}
			}
			if said := strings.Count(text, c.want[0]); said != 1 {
				t.Errorf("the log says it %d times, want once:\n%s", said, text)
			}
		})
	}
}

// TestPasswordThatIsChangedForAWhile has a server that is connected be kept out, and then not any more.
func TestPasswordThatIsChangedForAWhile(t *testing.T) {
	nats, config, ca := guarded(t, byPassword(password))
	log := new(journal)
	s := run(t, "tls://donut:"+password+"@"+nats.Addr(), 0, logged(log, "", ca))
	says := func(what string, times int) {
		t.Helper()
		until(t, "the log says "+what, func() bool { return strings.Count(log.String(), what) == times })
	}
	says("connected to NATS", 1)
	right, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	for times := 1; times <= 2; times++ {
		nats.Stop()
		says("connection refused", times)
		write(t, config, bytes.ReplaceAll(right, []byte(password), []byte(mistaken)))
		nats.Restart(t)
		says("nats: Authorization Violation", times)
		nats.Stop()
		write(t, config, right)
		nats.Restart(t)
		says("connected to NATS", times+1)
	}
	s.stop()
}

// TestTLSToANATSWithoutSaysSo must not fall back to sending a password in the open.
func TestTLSToANATSWithoutSaysSo(t *testing.T) {
	nats, log := natstest.Start(t), new(journal)
	s := run(t, "tls://donut:"+password+"@"+nats.Addr(), 0, logged(log, "", ""))
	until(t, "the server says what is wrong", func() bool {
		return strings.Contains(log.String(), "secure connection not available")
	})
	s.stop()
	if strings.Contains(log.String(), password) || strings.Contains(log.String(), "connected") {
		t.Errorf("the log is\n%s", log)
	}
}

// TestRefusedSubjectsAreSaidOnce has NATS permit everything but announcements, which are sent four times a second.
func TestRefusedSubjectsAreSaidOnce(t *testing.T) {
	nats, _, ca := guarded(t, fmt.Sprintf(`authorization {
		users: [{ user: donut, password: %q, permissions: { publish: { deny: "donut.*.announce" } } }]
	}`, password))
	log := new(journal)
	s := run(t, "tls://donut:"+password+"@"+nats.Addr(), 0, logged(log, "", ca))
	until(t, "it has announced itself often", func() bool { return s.View().Counters.Announced > 5 })
	s.stop()
	if said := strings.Count(log.String(), "violation: Permissions Violation for Publish"); said != 1 {
		t.Errorf("the log says %d times that publishing is refused, want once:\n%s", said, log)
	}
}
