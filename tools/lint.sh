#!/bin/sh
# clang-tidy over the tree: tools/lint.sh [all | changed | FILE...]. "changed": what differs from the main branch. Ends red on any warning.
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh build develop

# A compile database of its own: clang-tidy can use neither g++'s flags nor its precompiled headers.
mkdir -p build
cmake --preset lint >build/lint.log 2>&1 || { cat build/lint.log; exit 1; }

case ${1:-all} in
  all) files=$(git ls-files '*.cpp') ;;
  changed) files=$(git diff --name-only --diff-filter=d main -- '*.cpp'; git ls-files -o --exclude-standard '*.cpp') ;;
  *) files=$* ;;
esac
case ${1:-all} in all | changed) files=$(echo "$files" | grep -v '^fuzz/' || true) ;; esac
[ -n "$files" ] || { echo "lint: nothing to look at"; exit 0; }
if echo "$files" | xargs -P "$(nproc)" -n 1 clang-tidy -p build/lint --quiet 2>/dev/null; then
  echo "lint: no warning in $(echo "$files" | wc -w) files"
else
  echo "lint: FAILED"
  exit 1
fi
