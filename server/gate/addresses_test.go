package gate

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
)

func TestHeadersOfOthersAreWarnedOfOnce(t *testing.T) {
	for _, test := range []struct {
		name, proxies, header, want string
	}{
		{"a proxy nobody named", "10.0.0.0/8", "192.0.2.1", "name it in -trusted-proxies"},
		{"a proxy that says nothing useful", "127.0.0.1", "unknown", `got entry \"unknown\", want an address`},
		{"a proxy that is named", "127.0.0.1", "127.0.0.1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log strings.Builder
			proxies, err := ParseProxies(test.proxies)
			if err != nil {
				t.Fatal(err)
			}
			a := NewAddresses(proxies, slog.New(slog.NewTextHandler(&log, nil)))
			for range 3 {
				if got := a.Of("127.0.0.1:4711", []string{test.header}); got != netip.MustParseAddr("127.0.0.1") {
					t.Errorf("%v counts, want the peer's own address", got)
				}
			}
			lines := strings.Count(log.String(), "\n")
			if (lines == 1) != (test.want != "") || lines > 1 || !strings.Contains(log.String(), test.want) {
				t.Errorf("the log is %q, want one line that says %q, if anything", &log, test.want)
			}
		})
	}
}

func TestAddressThatIsNoneCountsForNobody(t *testing.T) {
	var log strings.Builder
	a := NewAddresses(nil, slog.New(slog.NewTextHandler(&log, nil)))
	if got := a.Of("@", nil); got.IsValid() || !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("%v counts, and the log is %q; want no address, and an error", got, &log)
	}
}
