#!/bin/sh
# Judges every real server that is at hand in each of its modes, with a server for each case and with one for all of them, and compares
# the verdicts check by check. Prints the table of README.md and what differs; 1 where a run is not conforming or verdicts differ.
# tools/server_matrix.sh [--shuffle=SEED,SEED...] [--seed=N] [--jobs=N] [--into=FOLDER] [TARGET...]: for each seed one more run against
# one server, its cases in an order of that seed; TARGET is the name of a file in fixtures/targets, without .yaml. Needs a built program.
set -u
cd "$(dirname "$0")/.." || exit 1
seeds= seed=1 jobs=4 into=build/server_matrix targets=
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
  # The sums of the table at the end of the summary: a suite a line, behind the line of titles.
  awk -v target="$target" -v name="$name" -v code=$code -v seconds=$(($(date +%s) - begun)) '
    /^suite  / { table = 1; next }
    table && NF == 9 { cases += $2 - $9; checks += $3; met += $4; red += $5 + $8; told += $6; accepted += $7 }
    END { printf "| %s, %s | %d | %d | %d | %d | %d | %d | %d |%s\n", target, name, cases, checks, met, accepted, told, red, seconds,
          code == 0 ? "" : " exit code " code }' "$into/$target-$name.log"
  [ $code = 0 ] || echo "$target, $name: exit code $code, see $into/$target-$name.log" >>"$into/failed"
}

# differ TARGET NAME: the verdicts of that run and of the one with a server for each case.
differ() {
  "$cutover" compare "$into/$1/fresh/run.json" "$into/$1/$2/run.json" >"$into/$1-$2.differs" 2>&1 && return
  echo "$1: fresh servers and $2 differ" >>"$into/failed"
  sed "s|$into/||" "$into/$1-$2.differs" >>"$into/failed"
}

echo "| target | cases | checks | met | accepted | told | red | seconds |"
echo "|---|---:|---:|---:|---:|---:|---:|---:|"
for target in $targets; do
  mkdir -p "$into/$target"
  judge "$target" fresh --seed="$seed" --jobs="$jobs"
  judge "$target" one-server --seed="$seed" --one-server
  differ "$target" one-server
  for shuffled in $seeds; do
    judge "$target" "shuffled-$shuffled" --seed="$shuffled" --one-server --shuffle
    differ "$target" "shuffled-$shuffled"
  done
done
[ -s "$into/failed" ] || { echo "the same verdicts in every run" && exit 0; }
cat "$into/failed"
exit 1
