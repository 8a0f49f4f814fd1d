package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

// layers is who may import what: for each package, the packages of this module and the third-party packages that its
// non-test files import directly. What is not listed is forbidden.
const layers = `
wasm/donut:          -
wasm/digest:         -
wasm/fields:         -
wasm/wire:           wasm/donut wasm/fields
wasm/codec:          wasm/donut wasm/fields wasm/wire
wasm/handle:         -
wasm:                wasm/donut wasm/wire wasm/codec wasm/digest wasm/handle

server/timeline:     wasm/donut
server/ring:         wasm/wire
server/schedule:     wasm/wire server/timeline
server/airing:       wasm/codec server/timeline
server/trust:        wasm/donut server/timeline
server/gate:         server/timeline server/trust
server/turnstile:    server/trust
server/orchestrator: wasm/donut wasm/wire wasm/codec server/timeline server/airing server/ring server/schedule server/trust
server/verify:       wasm/donut wasm/wire wasm/codec github.com/tetratelabs/wazero
server/hub:          wasm/wire wasm/codec server/timeline server/gate server/orchestrator github.com/coder/websocket
server/terminal:     wasm/donut wasm/wire wasm/codec server/timeline server/gate github.com/coder/websocket
server/cluster:      wasm/donut wasm/fields wasm/wire wasm/codec server/timeline github.com/nats-io/nats.go
server/cluster/natstest: tools/natsserver
server/metrics:      wasm/wire server/cluster server/orchestrator server/verify server/hub server/terminal server/turnstile github.com/prometheus/client_golang
web:                 -
server:              wasm/donut wasm/codec server/timeline server/trust server/gate server/turnstile server/orchestrator server/verify server/hub server/terminal server/metrics server/cluster web

tools/leakcheck:         -
tools/certtest:          -
tools/seeds:             -
tools/vt:                -
tools/natsserver:        -
tools/deploy:            -
tools/exit:              -
tools/progress:          -
tools/wasmbuild/build:   -
tools/moduletest:        wasm/donut wasm/wire tools/leakcheck tools/wasmbuild/build
tools/wasmbuild:         tools/exit tools/wasmbuild/build
tools/jsengine:          web github.com/coder/websocket
tools/framecheck:        wasm/donut wasm/wire wasm/codec server/timeline server/verify web tools/exit tools/progress tools/jsengine github.com/coder/websocket
tools/bench:             wasm/donut wasm/wire wasm/codec server/verify web tools/exit tools/progress tools/jsengine
tools/trials:            wasm/wire wasm/codec server/gate server/ring server/trust server/verify tools/exit tools/progress tools/natsserver tools/deploy github.com/nats-io/nats.go
tools/sim:               wasm/donut wasm/wire server/timeline server/airing server/ring server/schedule server/trust tools/exit tools/progress
tools/chart:             tools/exit
tools/typeface:          wasm/donut tools/exit
tools/swarm:             wasm/donut wasm/wire wasm/codec server/timeline tools/exit tools/progress github.com/coder/websocket
`

// barred are packages of the standard library that make the module larger than all else in it.
var barred = []string{"fmt", "time", "sync", "os", "net"}

func TestImportsFollowThePolicy(t *testing.T) {
	allowed := make(map[string][]string)
	for line := range strings.Lines(layers) {
		if name, imports, ok := strings.Cut(line, ":"); ok {
			allowed[name] = strings.Fields(imports)
		}
	}
	list := exec.Command("go", "list", "-json=ImportPath,Imports,Module", "../...")
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	type listed struct {
		ImportPath string
		Imports    []string
		Module     struct{ Path string }
	}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimPrefix(p.ImportPath, p.Module.Path+"/")
		may, known := allowed[name]
		delete(allowed, name)
		if !known {
			t.Errorf("package %s is not in the policy", name)
			continue
		}
		for _, imported := range p.Imports {
			imported = strings.TrimPrefix(imported, p.Module.Path+"/")
			switch first, _, _ := strings.Cut(imported, "/"); {
			case first == "wasm", first == "server", first == "web", first == "tools":
				if !slices.Contains(may, imported) {
					t.Errorf("%s imports %s", name, imported)
				}
			case strings.Contains(first, "."):
				if !slices.ContainsFunc(may, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
					t.Errorf("%s imports %s", name, imported)
				}
			case (name == "wasm" || path.Dir(name) == "wasm") && slices.Contains(barred, first):
				t.Errorf("%s imports %s, which is too large for the module", name, imported)
			}
		}
	}
	for name := range allowed {
		t.Errorf("the policy names package %s, which does not exist", name)
	}
}
