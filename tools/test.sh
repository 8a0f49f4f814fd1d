#!/usr/bin/env bash
# All tests: what `make test` runs, on what `make build` built. Go alone carries the first part, for which it builds a NATS
# server. The rest needs node, Chromium, Firefox, JavaScriptCore's shell, qemu, tmux, curl, nginx, Caddy and systemd, and is
# left out, loudly, where they are missing; with REQUIRE_BROWSERS=1 that is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

left_out=()
leave_out() {
  left_out+=("$1")
  if [ "${REQUIRE_BROWSERS:-}" = 1 ]; then
    echo "FAILED: $1, and REQUIRE_BROWSERS=1 leaves nothing out" >&2
    exit 1
  fi
}
step() { printf '\n== %s\n' "$*"; }
have() { command -v "$1" >/dev/null; }
# The page's tests run in node as it is from version 20 on.
have_node() { have node && node -e 'process.exit(Number.parseInt(process.versions.node) < 20 ? 1 : 0)'; }

step gofmt
unformatted=$(git ls-files -z '*.go' | xargs -0 gofmt -l)
if [ -n "$unformatted" ]; then
  echo "not formatted: $unformatted" >&2
  exit 1
fi

step go vet
"$go" vet ./...
"$go" vet -tags trial ./server

step staticcheck
if "$go" run "$staticcheck" -version >/dev/null 2>&1; then
  "$go" run "$staticcheck" ./...
  "$go" run "$staticcheck" -tags trial ./server
else
  leave_out "staticcheck cannot be had here"
fi

if ! have tmux || ! have curl; then
  leave_out "the stream in a terminal: there is no tmux, or no curl"
fi
if ! [ -x /usr/sbin/nginx ] && ! have nginx; then
  leave_out "the server behind nginx: there is no nginx"
fi
if ! started=$("$go" test -v -run TestStart ./server/cluster/natstest) || [[ $started != *'--- PASS'* ]]; then
  echo "$started"
  leave_out "several servers: nats-server cannot be had here"
fi
have caddy || leave_out "the file for Caddy: there is no caddy"
have systemd-analyze || leave_out "the unit for systemd: there is no systemd-analyze"
step "go test -race"
"$go" test -race -timeout 15m ./...

step "the picture with fused multiply-add at the compiler's command"
if grep -qw fma /proc/cpuinfo 2>/dev/null && [ "$("$go" env GOARCH)" = amd64 ]; then
  GOAMD64=v3 "$go" test ./wasm/donut
else
  echo "not an amd64 machine that fuses: skipped"
fi

step "the server for every platform"
GO=$go tools/release_test.sh

step "the same frames in every engine"
while IFS= read -r engine; do
  leave_out "$engine"
done < <(tools/engines.sh missing)
ledger=$(mktemp)
trap 'rm -f "$ledger"' EXIT
LEDGER=$ledger tools/engines.sh 300
LEDGER=$ledger tools/engines.sh 4 8

if have_node && have npm; then
  step "types and units of the page"
  (cd tools/e2e && { [ -d node_modules ] || npm ci --no-audit --no-fund; } && npm run --silent check)
  node --test web/test/*.test.js
  if have chromium || [ -n "${CHROME:-}" ]; then
    have firefox-esr || [ -n "${FIREFOX:-}" ] || leave_out "the browser tests in Firefox: there is no firefox-esr"
    step browsers
    (cd tools/e2e && npm test --silent)
  else
    leave_out "the browser tests: there is no chromium"
  fi
else
  leave_out "the tests of the page: there is no node of version 20 or later, or no npm"
fi

if [ ${#left_out[@]} -gt 0 ]; then
  printf '\nLEFT OUT:\n'
  printf '  %s\n' "${left_out[@]}"
fi
