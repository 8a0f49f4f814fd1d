package jsengine

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/coder/websocket"
)

// preferences keep the browser to itself. What is not on loopback goes through a proxy that is not there.
const preferences = `
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
user_pref("network.proxy.socks", "127.0.0.1");
user_pref("network.proxy.socks_port", 9);
user_pref("network.proxy.allow_bypass", false);
user_pref("network.proxy.failover_direct", false);
user_pref("network.dns.disablePrefetch", true);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.trr.mode", 5);
user_pref("dom.push.connection.enabled", false);
user_pref("app.update.enabled", false);
user_pref("app.update.auto", false);
user_pref("app.normandy.enabled", false);
user_pref("app.shield.optoutstudies.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("datareporting.healthreport.uploadEnabled", false);
user_pref("toolkit.telemetry.enabled", false);
user_pref("toolkit.telemetry.server", "");
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.safebrowsing.downloads.enabled", false);
user_pref("browser.region.update.enabled", false);
user_pref("browser.search.update", false);
user_pref("browser.newtabpage.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.startup.homepage_override.mstone", "ignore");
user_pref("browser.tabs.warnOnClose", false);
user_pref("extensions.update.enabled", false);
user_pref("extensions.getAddons.cache.enabled", false);
user_pref("extensions.systemAddon.update.enabled", false);
user_pref("extensions.blocklist.enabled", false);
user_pref("media.gmp-manager.updateEnabled", false);
user_pref("services.settings.server", "data:,");
user_pref("signon.management.page.breach-alerts.enabled", false);
user_pref("dom.allow_scripts_to_close_windows", true);
`

// A socket leads to a worker in a browser's page.
type socket struct{ *websocket.Conn }

func (s socket) ask(ctx context.Context, request []byte) ([]byte, error) {
	if err := s.Write(ctx, websocket.MessageText, request); err != nil {
		return nil, err
	}
	_, answer, err := s.Read(ctx)
	return answer, err
}

// startFirefox starts Firefox, on a page with a worker for each thread.
func startFirefox(ctx context.Context, e *Engine, path string, threads int) error {
	profile := filepath.Join(e.dir, "profile")
	if err := os.Mkdir(profile, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(preferences), 0o600); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	// The secret keeps out whoever else is on this machine.
	secret := "/" + rand.Text() + "/"
	joined := make(chan *websocket.Conn)
	site := http.NewServeMux()
	site.Handle("GET "+secret, http.StripPrefix(secret, http.FileServer(http.Dir(e.dir))))
	site.HandleFunc("GET "+secret+"socket", func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return // and the answer says so
		}
		select {
		case joined <- conn:
		case <-ctx.Done():
			conn.CloseNow()
		}
	})
	server := &http.Server{Handler: site, ReadHeaderTimeout: e.patience}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // until it is closed
	}()

	address := fmt.Sprintf("http://%s%stools/jsengine/page.html?threads=%d", listener.Addr(), secret, threads)
	browser := newProcess(ctx, path, "--headless", "--no-remote", "--new-instance", "--profile", profile, address)
	browser.command.Env = append(os.Environ(), "MOZ_CRASHREPORTER_DISABLE=1", "MOZ_DATA_REPORTING=0", "HOME="+e.dir)
	if err := browser.command.Start(); err != nil {
		browser.kill()
		server.Close()
		<-served
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		e.condemn(browser.wait())
	}()
	var sockets []*websocket.Conn
	e.close = func() {
		browser.kill()
		<-ended
		e.end() // so that no handler waits
		for _, s := range sockets {
			s.CloseNow()
		}
		server.Close()
		<-served
	}

	for deadline := time.After(e.patience); len(sockets) < threads; {
		select {
		case conn := <-joined:
			conn.SetReadLimit(maxAnswer)
			sockets = append(sockets, conn)
			e.idle <- socket{conn}
		case <-e.condemned:
			return e.err
		case <-deadline:
			return fmt.Errorf("got %d of %d threads, want all within %v", len(sockets), threads, e.patience)
		}
	}
	return nil
}
