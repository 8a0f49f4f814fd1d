#!/usr/bin/env bash
# Shows that every engine that is here prints the same frames: native Go, wazero, V8, SpiderMonkey and JavaScriptCore, and
# native Go for other processors, whose compilers may fuse products into sums.
#
#   tools/engines.sh [count [detail [emulated]]]    1000000 frames of detail 1, unless told otherwise
#   tools/engines.sh missing                        prints what would be left out
#
# It needs what `make build` builds. It can be ended at any time: what has been rendered is in the ledger, $LEDGER or else
# bin/engines.ledger, and is not rendered again. An emulated processor is slow; it renders the first so many frames if it
# is told how many, which are to be whole shards of framecheck's.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
ledger=${LEDGER:-bin/engines.ledger}

have() { command -v "$1" >/dev/null; }

engines=native,wazero
missing=()
if have node; then engines+=,v8; else missing+=("V8: there is no node"); fi
if have "${FIREFOX:-firefox-esr}" || { [ -z "${FIREFOX:-}" ] && have firefox; }; then
  engines+=,spidermonkey
else
  missing+=("SpiderMonkey: there is no ${FIREFOX:-firefox-esr}")
fi
if have "${JSC:-jsc}"; then engines+=,jsc; else missing+=("JavaScriptCore: there is no ${JSC:-jsc}"); fi

architecture=$("$go" env GOARCH)
emulator=
for command in qemu-aarch64-static qemu-aarch64; do
  if [ -z "$emulator" ] && have "$command"; then emulator=$command; fi
done
if [ "$architecture" != arm64 ] && [ -z "$emulator" ]; then
  missing+=("native Go for arm64: there is no qemu-aarch64-static")
fi

if [ "${1:-}" = missing ]; then
  printf '%s\n' ${missing[@]+"${missing[@]}"} | sed '/^$/d'
  exit
fi
count=${1:-1000000}
detail=${2:-1}
emulated=${3:-$count}

# check has a framecheck render what the ledger lacks, and compare.
check() {
  local frames=$1
  shift
  "$@" -ledger "$ledger" -count "$frames" -detail "$detail"
}
check "$count" bin/framecheck -engines "$engines" >/dev/null
if [ "$architecture" = amd64 ] && grep -qw avx2 /proc/cpuinfo 2>/dev/null && grep -qw fma /proc/cpuinfo; then
  GOAMD64=v3 "$go" build -trimpath -o bin/framecheck-v3 ./tools/framecheck
  check "$count" bin/framecheck-v3 -engines native >/dev/null
fi
if [ "$architecture" != arm64 ] && [ -n "$emulator" ]; then
  GOOS=linux GOARCH=arm64 CGO_ENABLED=0 "$go" build -trimpath -o bin/framecheck-arm64 ./tools/framecheck
  check "$emulated" "$emulator" bin/framecheck-arm64 -engines native >/dev/null
fi
check "$count" bin/framecheck -engines native # what all of them say
if [ ${#missing[@]} -gt 0 ]; then
  printf 'LEFT OUT: %s\n' "${missing[@]}" >&2
  [ "${REQUIRE_BROWSERS:-}" != 1 ]
fi
