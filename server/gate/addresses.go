package gate

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync"
)

// Addresses say which address counts for whom. They may be asked concurrently.
type Addresses struct {
	proxies Proxies
	log     *slog.Logger

	stranger  sync.Once // warned of a peer that speaks for others unasked
	forwarded sync.Once // warned of a trusted proxy that does not say whom it speaks for
}

// NewAddresses returns what takes the word of those proxies.
func NewAddresses(p Proxies, log *slog.Logger) *Addresses { return &Addresses{proxies: p, log: log} }

// Of returns the address that counts for a request, as Proxies.Client does, of a peer that is named as in
// http.Request.RemoteAddr, and the lines of the request's ForwardedFor header. What is wrong with how it is forwarded
// is logged once: those who send it can do so as often as they like.
func (a *Addresses) Of(remote string, header []string) netip.Addr {
	peer, err := netip.ParseAddrPort(remote)
	if err != nil {
		a.log.Error("the peer's address is none", "err", err)
	}
	addr, err := a.proxies.Client(peer.Addr(), header)
	switch {
	case errors.Is(err, ErrStranger):
		a.stranger.Do(func() {
			a.log.Warn("ignored "+ForwardedFor+": if its sender is your proxy, name it in -trusted-proxies, for its own "+
				"address counts for all it speaks for; said once", "peer", addr)
		})
	case err != nil:
		a.forwarded.Do(func() {
			a.log.Warn("a proxy that -trusted-proxies names does not say whom it speaks for, so its own address counts; "+
				"said once", "peer", addr, "err", err)
		})
	}
	return addr
}
