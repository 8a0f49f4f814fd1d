#!/usr/bin/env bash
# The server for every platform, as one static file each, and their checksums: what `make release` runs.
#
# usage: tools/release.sh FOLDER [OS/ARCH ...]
#
# FOLDER is emptied first. The module must be built. A binary names its commit and is the same wherever the commit is
# checked out, if Go's version and the module are; git is needed for that.
set -euo pipefail
go=${GO:-go}
folder=$(mkdir -p "$1" && cd "$1" && pwd)
shift
cd "$(dirname "$0")/.."
platforms=("$@")
if [ ${#platforms[@]} -eq 0 ]; then
  platforms=({linux,darwin,windows}/{amd64,arm64})
fi
if [ ! -e web/dist/donut.wasm ]; then
  echo "web/dist/donut.wasm is missing: run make build" >&2
  exit 1
fi

rm -f "$folder"/donut-server-* "$folder"/SHA256SUMS
# Nothing that the caller's shell asks for goes into a binary.
export CGO_ENABLED=0 GOFLAGS= GOEXPERIMENT= GOAMD64=v1 GOARM64=v8.0
for platform in "${platforms[@]}"; do
  name=donut-server-${platform/\//-}
  if [ "${platform%/*}" = windows ]; then name+=.exe; fi
  GOOS=${platform%/*} GOARCH=${platform#*/} "$go" build -trimpath -buildvcs=true -ldflags='-s -w' \
    -o "$folder/$name" ./server
done

cd "$folder"
if command -v sha256sum >/dev/null; then sum=(sha256sum); else sum=(shasum -a 256); fi
"${sum[@]}" donut-server-* >SHA256SUMS
