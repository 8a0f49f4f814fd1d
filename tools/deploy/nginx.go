// Package deploy runs the examples for nginx, where a test or a trial needs them.
package deploy

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed nginx.conf cluster/nginx.conf
var examples embed.FS

// An Nginx is one in front of servers, with an example for its configuration. It is not safe for concurrent use.
type Nginx struct {
	addr    string
	folder  string
	command *exec.Cmd
	log     bytes.Buffer // until the command has ended, its
}

// connections is how many sockets it may have, two for each visitor.
const connections = 8192

// FindNginx returns the path of the program.
func FindNginx() (string, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/nginx") // where Debian has daemons, for root alone to find
	}
	return program, err
}

// Before returns the changes to "nginx.conf" that put nginx before servers, given as host:port: all go to the first one, and
// while that does not answer to the others in turn.
func Before(servers ...string) (changes map[string]string) {
	upstream := "server " + servers[0] + ";"
	for _, other := range servers[1:] {
		upstream += " server " + other + " backup;"
	}
	return map[string]string{"server 127.0.0.1:8080;": upstream}
}

// StartNginx starts nginx on a loopback port by an example, "nginx.conf" or "cluster/nginx.conf", in which each key of
// changes, which must occur once, is replaced. It returns when nginx takes connections. The caller must stop it.
func StartNginx(example string, changes map[string]string) (_ *Nginx, err error) {
	program, err := FindNginx()
	if err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer free.Close()
	n := &Nginx{addr: free.Addr().String()}
	if n.folder, err = os.MkdirTemp("", "donut-nginx-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			n.Stop()
		}
	}()
	arguments, err := n.configure(example, changes)
	if err != nil {
		return nil, err
	}
	if out, err := exec.Command(program, append(arguments, "-t")...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("nginx -t: %w\n%s", err, out)
	}
	free.Close()
	n.command = exec.Command(program, arguments...)
	n.command.Stdout, n.command.Stderr = &n.log, &n.log
	if err := n.command.Start(); err != nil {
		n.command = nil
		return nil, fmt.Errorf("start nginx: %w", err)
	}
	return n, n.await()
}

// configure writes the example as this nginx needs it, and returns nginx's arguments: it has no privileges, a folder of its
// own, and ends with its only process.
func (n *Nginx) configure(example string, changes map[string]string) (arguments []string, err error) {
	var temporary strings.Builder // folders that only root may use are built in
	for _, of := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temporary, "%s_temp_path %s/%s; ", of, n.folder, of)
	}
	content, err := examples.ReadFile(example)
	if err != nil {
		return nil, err
	}
	all := map[string]string{
		"listen 80;":                  "listen " + n.addr + ";",
		"pid /run/nginx.pid;":         "pid " + n.folder + "/pid; daemon off; master_process off;",
		"\nhttp {":                    "\nhttp { " + temporary.String(),
		"worker_rlimit_nofile 65536;": "",
		"worker_connections 30000;":   fmt.Sprintf("worker_connections %d;", connections),
	}
	maps.Copy(all, changes)
	text := string(content)
	for old, changed := range all {
		if strings.Count(text, old) != 1 {
			return nil, fmt.Errorf("%s has %d times %q, want it once", example, strings.Count(text, old), old)
		}
		text = strings.Replace(text, old, changed, 1)
	}
	conf := filepath.Join(n.folder, "nginx.conf")
	return []string{"-e", "stderr", "-p", n.folder, "-c", conf}, os.WriteFile(conf, []byte(text), 0o600)
}

// await waits until nginx takes connections.
func (n *Nginx) await() error {
	const patience, beat = 10 * time.Second, 10 * time.Millisecond
	for deadline := time.Now().Add(patience); ; <-time.After(beat) {
		conn, err := net.Dial("tcp", n.addr)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("nginx takes no connections after %v", patience), err)
		}
	}
}

// URL returns where nginx is.
func (n *Nginx) URL() string { return "http://" + n.addr }

// Stop kills nginx, waits for its end, and returns what it has logged.
func (n *Nginx) Stop() (log string) {
	if n.command != nil {
		_ = n.command.Process.Kill()
		_ = n.command.Wait() // it says that it was killed
	}
	os.RemoveAll(n.folder)
	return n.log.String()
}
