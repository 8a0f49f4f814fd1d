#!/usr/bin/env bash
# Looks for what the tests do not find: runs every fuzz target for a time, and then every test that plays from seeds
# with many more of them than usual. It stops at the first finding, and says how much was executed.
#
#   FUZZTIME=30s SEEDS=20 tools/fuzz.sh [package ...]    every package of the module, unless told otherwise
#
# What a fuzzer finds it leaves in testdata/fuzz beside the target, where the tests run it again each time: it is to be
# committed with what repairs it. SEEDS is how many times the usual number of seeds is played; see tools/seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
time=${FUZZTIME:-30s}
times=${SEEDS:-20}
[ $# -gt 0 ] || set -- ./...

module=$("$go" list -m)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# found prints what a command that failed had to say, and ends this.
found() {
  cat "$log"
  echo "FOUND: $*" >&2
  exit 1
}
row() { printf '%-32s %-22s %s\n' "$@"; }

# Go lists the names in a package, and then the package.
"$go" test -list '^Fuzz' "$@" >"$log" 2>&1 || found "the tests do not build"
targets=$(awk '
  /^Fuzz/ { names[++count] = $1 }
  /^ok/ { for (i = 1; i <= count; i++) print $2, names[i]; count = 0 }' "$log")
row package target executions
while read -r package target; do
  [ -n "$package" ] || continue
  "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package" >"$log" 2>&1 </dev/null ||
    found "$target of $package; see its testdata/fuzz"
  # First comes what earlier runs found worth keeping, of which no more may have been run in a short time.
  executions=$(sed -En 's/^fuzz: .*(execs: |coverage: )([0-9]+).*/\2/p' "$log" | tail -n 1)
  [ "${executions:-0}" -gt 0 ] || found "$target of $package executed nothing"
  row "${package#"$module"/}" "$target" "$executions"
done <<<"$targets"

random=$("$go" list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}' "$@" |
  awk -v seeds="$module/tools/seeds" '{ for (i = 2; i <= NF; i++) if ($i == seeds) { print $1; next } }')
echo
row package test seeds
for package in $random; do
  SEEDS=$times "$go" test -count=1 -timeout 2h -v "$package" >"$log" 2>&1 </dev/null ||
    found "a test of $package, with SEEDS=$times"
  # A log line follows the name of its test, or is within the list of results.
  awk '/^ *(=== (RUN|CONT|NAME)|---)/ { test = $3 } / [0-9]+ seeds$/ { print test, $(NF - 1) }' "$log" | sort -u |
    while read -r test count; do row "${package#"$module"/}" "$test" "$count"; done
done
