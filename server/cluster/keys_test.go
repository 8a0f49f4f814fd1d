package cluster

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"
)

// The first letters of keys as NATS writes them.
const (
	operator byte = 14 << 3 // O
	account  byte = 0       // A
	user     byte = 20 << 3 // U
	seed     byte = 18 << 3 // S
)

// nkey writes a key as NATS does: what it is, its bytes, and a CRC-16, in base 32.
func nkey(prefix, key []byte) string {
	b := append(append([]byte(nil), prefix...), key...)
	var crc uint16
	for _, next := range b {
		crc ^= uint16(next) << 8
		for range 8 {
			carry := crc & 0x8000
			if crc <<= 1; carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(binary.LittleEndian.AppendUint16(b, crc))
}

// Keys are those of an operator of NATS, of an account of its, and of a user of that.
type keys struct {
	operator, account, user ed25519.PrivateKey
}

func newKeys(t *testing.T) (k keys) {
	t.Helper()
	for _, key := range []*ed25519.PrivateKey{&k.operator, &k.account, &k.user} {
		var err error
		if _, *key, err = ed25519.GenerateKey(nil); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

func public(kind byte, key ed25519.PrivateKey) string {
	return nkey([]byte{kind}, key.Public().(ed25519.PublicKey))
}

// token is a JWT in which an issuer says something of a subject.
func token(t *testing.T, issuer string, by ed25519.PrivateKey, subject string, says map[string]any) string {
	t.Helper()
	says["version"] = 2
	claims, err := json.Marshal(map[string]any{
		"jti": subject, "iat": time.Now().Unix(), "iss": issuer, "name": "donut", "sub": subject, "nats": says,
	})
	if err != nil {
		t.Fatal(err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"typ":"JWT","alg":"ed25519-nkey"}`)) + "." + encode(claims)
	return signed + "." + encode(ed25519.Sign(by, []byte(signed)))
}

// config is what NATS is to let in the account's users by.
func (k keys) config(t *testing.T) string {
	t.Helper()
	issuer, subject := public(operator, k.operator), public(account, k.account)
	limits := map[string]any{
		"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true, "conn": -1, "leaf": -1,
	}
	return fmt.Sprintf("operator: %q\nresolver: MEMORY\nresolver_preload: { %s: %q }\n",
		token(t, issuer, k.operator, issuer, map[string]any{"type": "operator"}), subject,
		token(t, issuer, k.operator, subject, map[string]any{"type": "account", "limits": limits}))
}

// credentials writes the file that the user shows.
func (k keys) credentials(t *testing.T) string {
	t.Helper()
	limits := map[string]any{"type": "user", "subs": -1, "data": -1, "payload": -1}
	secret := nkey([]byte{seed | user>>5, user & 31 << 3}, k.user.Seed())
	return write(t, filepath.Join(t.TempDir(), "donut.creds"), fmt.Appendf(nil,
		"-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"+
			"-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n",
		token(t, public(account, k.account), k.account, public(user, k.user), limits), secret))
}
