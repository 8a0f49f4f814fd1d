#!/usr/bin/env bash
# Known vulnerabilities in what the packages here call: what `make vuln` runs. It asks Go's vulnerability database, or the
# copy whose URL is in GOVULNDB. Exit status: 0 for none, 3 where there are some, 1 where nothing could be checked.
set -uo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0
database=(${GOVULNDB:+-db "$GOVULNDB"})

# It is built and run by two commands, since `go run` hides the status of what it runs.
bin=$(mktemp -d) || exit 1
trap 'rm -rf "$bin"' EXIT
if ! GOBIN=$bin "$go" install "$govulncheck"; then
  echo "vuln: $govulncheck cannot be had here, so nothing was checked" >&2
  exit 1
fi
"$bin/govulncheck" "${database[@]}" ./...
status=$?
case $status in
  0 | 3) ;;
  *)
    echo "vuln: nothing was checked: is the database within reach? GOVULNDB names a copy" >&2
    status=1
    ;;
esac
exit $status
