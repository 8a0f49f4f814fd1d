#!/usr/bin/env bash
# Checks what tools/release.sh makes: that the server compiles for every platform, that its checksums are right, and that
# the commit gives the same bytes from two folders, and says which it is. It takes some minutes the
# first time, as the standard library is compiled for each.
set -euo pipefail
go=${GO:-go}
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
fail() {
  echo "FAILED: $*" >&2
  exit 1
}

tools/release.sh "$scratch/all"
(cd "$scratch/all" && sha256sum --quiet --check SHA256SUMS) || fail "the checksums"
count=$(wc -l <"$scratch/all/SHA256SUMS")
[ "$count" = 6 ] || fail "$count binaries, want 6"

own=$("$go" env GOHOSTOS)/$("$go" env GOHOSTARCH)
for folder in "$scratch/one" "$scratch/an/other"; do
  git clone --quiet --no-hardlinks . "$folder"
  cp web/dist/donut.wasm web/dist/donut.wasm.gz "$folder/web/dist/"
  "$folder/tools/release.sh" "$folder/bin/release" "$own"
done
cmp "$scratch/one/bin/release/SHA256SUMS" "$scratch/an/other/bin/release/SHA256SUMS" ||
  fail "the binary depends on the folder that it is built in"
version=$("$scratch"/one/bin/release/donut-server-* -version)
[[ $version == "donut-server $(git rev-parse HEAD)"$'\n'* ]] || fail "it calls itself $version"
[[ $version == *"$(sha256sum web/dist/donut.wasm | cut -d' ' -f1)" ]] || fail "its module is another: $version"
