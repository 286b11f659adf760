#!/bin/sh
# clang-format over the tree: tools/format.sh says which files differ and ends red; tools/format.sh --fix mends them.
set -eu
cd "$(dirname "$0")/.."
tools/setup.sh build develop
if [ "${1:-}" = --fix ]; then
  git ls-files -co --exclude-standard '*.cpp' '*.h' | xargs clang-format -i
else
  git ls-files -co --exclude-standard '*.cpp' '*.h' | xargs clang-format --dry-run -Werror
fi
