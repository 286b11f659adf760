#!/bin/sh
# Makes sure that this machine has the packages of the named groups: tools/setup.sh build [test] [develop].
#
# Installs what is missing with apt-get, as root or through sudo. Where everything is there, apt is not called at all.
# Exit 4: something is missing and this user may not install it; the message says what to do.
set -eu

here=$(dirname "$0")
[ $# -gt 0 ] || set -- build

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "setup: this is no Debian: have the equivalents of $here/packages.txt at hand" >&2
  exit 0
fi

missing=
for group in "$@"; do
  for package in $(sed -n "s/^$group  *//p" "$here/packages.txt"); do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
  done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null 2>&1 && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
  as_root=sudo
else
  echo "setup: these packages are missing, and only root can install them:" >&2
  echo "   $missing" >&2
  echo "setup: ask for:  apt-get update && apt-get install --no-install-recommends$missing" >&2
  exit 4
fi

echo "setup: installing$missing"
$as_root apt-get update -qq </dev/null
# shellcheck disable=SC2086 # the list is meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
  -o Dpkg::Use-Pty=0 $missing </dev/null
