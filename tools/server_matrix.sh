#!/bin/sh
# Judges every real server that is at hand in each of its modes, with a server for each case and with one for all of them, and compares
# the verdicts check by check. Prints the table of README.md and what differs; 1 where a run is not conforming or verdicts differ.
# tools/server_matrix.sh [--shuffle=SEED,SEED...] [--seed=N] [--jobs=N] [--into=FOLDER] [TARGET...]: for each seed one more run against
# one server, its cases in an order of that seed; TARGET is the name of a file in fixtures/targets, without .yaml. Needs a built program.
set -u
cd "$(dirname "$0")/.." || exit 1
seeds="" seed=1 jobs=4 into=build/server_matrix targets=""
for argument in "$@"; do
  case $argument in
    --shuffle=*) seeds=$(echo "${argument#--shuffle=}" | tr , ' ') ;;
    --seed=*) seed=${argument#--seed=} ;;
    --jobs=*) jobs=${argument#--jobs=} ;;
    --into=*) into=${argument#--into=} ;;
    -*) echo "server_matrix: expected --shuffle, --seed, --jobs, --into or targets, not $argument" >&2 && exit 1 ;;
    *) targets="$targets $argument" ;;
  esac
done
cutover=${CUTOVER:-build/dev/cutover}
[ -x "$cutover" ] || { echo "server_matrix: no $cutover: build it first (tools/build.sh)" >&2 && exit 1; }
if [ -z "$targets" ]; then
  for file in fixtures/targets/*.yaml; do
    grep -q '^driver: remote' "$file" || targets="$targets $(basename "$file" .yaml)"
  done
fi
mkdir -p "$into"
into=$(cd "$into" && pwd)
: >"$into/failed"

# judge TARGET NAME OPTION...: one run; its report in $into/TARGET/NAME.
judge() {
  target=$1 name=$2
  shift 2
  begun=$(date +%s)
  "$cutover" run --target="fixtures/targets/$target.yaml" --baseline="fixtures/baselines/${target%%-*}.yaml" \
    --output="$into/$target/$name" "$@" >"$into/$target-$name.log" 2>&1
  code=$?
  seconds=$(($(date +%s) - begun))
  [ $code = 0 ] || echo "$target, $name: exit code $code, see $into/$target-$name.log" >>"$into/failed"
  # What it has to say of each of the two: "RUN: 56 cases, 225 checks: 205 met, 7 told, 13 accepted, 0 red".
  "$cutover" compare "$into/$target/fresh/run.json" "$into/$target/$name/run.json" --baseline="fixtures/baselines/${target%%-*}.yaml" >"$into/$target-$name.compared" 2>&1
  same=$?
  awk -v name="$target, $name" -v run="$into/$target/$name/run.json: " -v seconds=$seconds '
    index($0, run) == 1 && !done++ {
      split(substr($0, length(run) + 1), word, " ")
      printf "| %s | %d | %d | %d | %d | %d | %d | %d |\n", name, word[1], word[3], word[5], word[9], word[7], word[11], seconds
    }' "$into/$target-$name.compared"
  [ $same = 0 ] && return
  echo "$target: $name differs from a server for each case" >>"$into/failed"
  sed "s|$into/||g" "$into/$target-$name.compared" >>"$into/failed"
}

judge_product() {
  for target in $targets; do
    [ "${target%%-*}" = "$1" ] || continue
    mkdir -p "$into/$target"
    judge "$target" fresh --seed="$seed" --jobs="$jobs"
    judge "$target" one-server --seed="$seed" --one-server
    for shuffled in $seeds; do
      judge "$target" "shuffled-$shuffled" --seed="$shuffled" --one-server --shuffle
    done
  done
}

# A product beside the others: a run against one server mostly waits.
products=$(for target in $targets; do echo "${target%%-*}"; done | sort -u)
for product in $products; do
  judge_product "$product" >"$into/$product.rows" &
done
wait
echo "| target | cases | checks | met | accepted | told | red | seconds |"
echo "|---|---:|---:|---:|---:|---:|---:|---:|"
for product in $products; do
  cat "$into/$product.rows"
done
[ -s "$into/failed" ] || { echo "the same verdicts in every run" && exit 0; }
cat "$into/failed"
exit 1
