#!/bin/sh
# Proves that the package list is complete: in a fresh Debian 12 chroot, from a clean clone, ./test and ./run as root, then as an ordinary user.
# tools/prove_clean_setup.sh FOLDER [COMMAND], as root, with debootstrap; FOLDER keeps the bare system for the next time. With
# COMMAND that is tried instead of ./test and ./run. CUTOVER_PROVE_AGAIN=1 keeps the chroot of the last time, packages and compiler cache
# included, and clones anew.
set -eu
repository=$(cd "$(dirname "$0")/.." && pwd)
[ $# -ge 1 ] || { echo "usage: tools/prove_clean_setup.sh FOLDER [COMMAND]" >&2; exit 4; }
[ "$(id -u)" = 0 ] || { echo "prove: only root can make a chroot" >&2; exit 4; }
command -v debootstrap >/dev/null || { echo "prove: the package debootstrap is missing" >&2; exit 4; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
root=$folder/root
command=${2:-}

if [ -z "${CUTOVER_PROVE_INSIDE:-}" ]; then
  # The mirror and the suites are those that this machine itself uses.
  apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Identifier: Packages' 'Origin: Debian' | sort -u >"$folder/sources.list"
  mirror=$(awk '$3 == "bookworm" && $4 == "main" { print $2; exit }' "$folder/sources.list")
  [ -n "$mirror" ] || { echo "prove: this machine's apt knows no Debian 12" >&2; exit 1; }
  if [ ! -x "$folder/base/bin/sh" ]; then
    debootstrap --variant=minbase bookworm "$folder/base.new" "$mirror" >"$folder/debootstrap.log" 2>&1 || { tail "$folder/debootstrap.log"; exit 1; }
    mv "$folder/base.new" "$folder/base"
  fi
  # Its own mount and process namespaces: whatever is mounted or started in there ends with it.
  export CUTOVER_PROVE_INSIDE=1
  exec unshare --mount --pid --fork --kill-child --propagation private "$0" "$folder" "$command"
fi

again=${CUTOVER_PROVE_AGAIN:-}
if [ -z "$again" ]; then
  rm -rf "$root"
  cp -a "$folder/base" "$root"
fi
mkdir -p "$root/srv/ccache"
chmod 777 "$root/srv/ccache"
cp "$folder/sources.list" "$root/etc/apt/sources.list"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
# A system that is thrown away need not survive a power cut: unpacking takes half the time.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/unsafe-io"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
# fresh_clone OWNER: nothing of an earlier build, and whatever is not committed is not there.
fresh_clone() {
  rm -rf "$root/srv/cutover"
  git clone -q --no-local "$repository" "$root/srv/cutover"
  chroot "$root" chown -R "$1:" /srv/cutover
}
fresh_clone root

# inside TITLE USER COMMAND: as a pipeline would, without a terminal or input.
failed=0
inside() {
  title=$1 user=$2 log=$folder/$(echo "$1" | tr -c 'a-z0-9\n' '-').log
  start=$(date +%s)
  status=0
  chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 CI=true CCACHE_DIR=/srv/ccache CCACHE_UMASK=000 \
    setpriv --reuid "$user" --regid "$user" --clear-groups env HOME="$4" sh -c "$3" >"$log" 2>&1 </dev/null || status=$?
  echo "prove: $title: exit $status after $(($(date +%s) - start)) s"
  tail -n 15 "$log" | sed 's/^/    /'
  [ $status -eq 0 ] || failed=1
}
if [ -z "$again" ]; then
  chroot "$root" useradd --create-home --shell /bin/sh tester
  inside "ordinary user, packages missing (must end with 4)" tester "cp -a /srv/cutover /tmp/early && cd /tmp/early && { ./run; [ \$? -eq 4 ]; }" /home/tester
fi
if [ -n "$command" ]; then
  inside "command as root" root "cd /srv/cutover && $command" /root
else
  inside "test as root" root "cd /srv/cutover && ./test" /root
  inside "run as root" root "cd /srv/cutover && ./run" /root
fi
# A clean clone again, at the same place, so that the compiler cache serves the second build.
fresh_clone tester
if [ -n "$command" ]; then
  inside "command as an ordinary user" tester "cd /srv/cutover && $command" /home/tester
else
  inside "test as an ordinary user" tester "cd /srv/cutover && ./test" /home/tester
  inside "run as an ordinary user" tester "cd /srv/cutover && ./run" /home/tester
fi
services() { (cd "$1/etc" && find systemd/system rc?.d -name '*.service' -o -name '*.socket' -o -name 'S*' | sort); }
services "$folder/base" >"$folder/services.before"
# What the browser's dependencies bring to a system as bare as this one is told in the README.
services "$root" | comm -13 "$folder/services.before" - |
  grep -vE '(dbus|x11-common|procps)$|/(getty@tty1|systemd-pstore|dbus)\.(service|socket)$' >"$folder/services.new" || true
if [ -s "$folder/services.new" ]; then
  echo "prove: FAILED: the packages enabled services:"
  sed 's/^/    /' "$folder/services.new"
  failed=1
fi
exit $failed
