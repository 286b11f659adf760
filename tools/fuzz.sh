#!/bin/sh
# Runs every fuzz target with its corpus: tools/fuzz.sh SECONDS [TARGET...], seconds for each. Ends red on a finding, and says how to repeat it.
set -eu
cd "$(dirname "$0")/.."
case ${1:-} in
'' | *[!0-9]*)
  echo "usage: tools/fuzz.sh SECONDS [TARGET...], of: $(ls fuzz/*.cpp | sed 's|fuzz/\(.*\)\.cpp|\1|' | tr '\n' ' ')" >&2
  exit 4
  ;;
esac
seconds=$1
shift
for target in "$@"; do
  [ -f "fuzz/$target.cpp" ] || { echo "fuzz: no target '$target'; expected one of: $(ls fuzz/*.cpp | sed 's|fuzz/\(.*\)\.cpp|\1|' | tr '\n' ' ')" >&2; exit 4; }
done
tools/setup.sh build develop
. tools/build.sh
build fuzz fuzz_targets

[ $# -gt 0 ] || set -- $(ls fuzz/*.cpp | sed 's|fuzz/\(.*\)\.cpp|\1|')
findings=build/fuzz/findings
mkdir -p "$findings"
status=0
for target in "$@"; do
  seeds=fuzz/corpus/$target
  grown=build/fuzz/corpus/$target # what libFuzzer finds goes here, never into the tree
  mkdir -p "$grown"
  log=build/fuzz/$target.log
  [ -d "$seeds" ] || seeds=
  # shellcheck disable=SC2086 # no seeds: no argument
  if build/fuzz/fuzz/fuzz_"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 \
    -artifact_prefix="$findings/$target-" "$grown" $seeds >"$log" 2>&1 </dev/null; then
    echo "fuzz: $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs in $seconds s, no finding"
  else
    status=1
    tail -n 40 "$log"
    echo "fuzz: $target: FINDING; repeat with build/fuzz/fuzz/fuzz_$target $(ls -t "$findings/$target-"* 2>/dev/null | head -n 1)"
  fi
done
exit $status
