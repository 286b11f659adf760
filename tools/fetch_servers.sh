#!/bin/sh
# Puts Debian's XMPP servers into build/ without installing them: packages are downloaded and unpacked, nothing is configured,
# started or enabled. build/NAME/bin/NAME runs one from there. Needs no root. Does nothing for what is already there.
# tools/fetch_servers.sh [SERVER...] [--into=FOLDER]: some of prosody, ejabberd and jabberd2; another folder than build. The program
# looks for folders of these names beside itself and upwards, so a build tree elsewhere takes --into=TREE.
set -eu
give_up() {
  echo "fetch_servers: $1" >&2
  exit 1
}
into=$(cd "$(dirname "$0")/.." && pwd)/build
servers=
for argument in "$@"; do
  case $argument in
    --into=/*) into=${argument#--into=} ;;
    --into=?*) into=$PWD/${argument#--into=} ;;
    prosody | ejabberd | jabberd2) servers="$servers $argument" ;;
    *) give_up "expected some of prosody, ejabberd, jabberd2 and --into=FOLDER, not $argument" ;;
  esac
done
missing=
for server in ${servers:-prosody ejabberd jabberd2}; do
  [ -x "$into/$server/bin/$server" ] || missing="$missing $server"
done
[ -n "$missing" ] || exit 0

for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null 2>&1 || give_up "no $tool on this machine; do without$missing"
done
mkdir -p "$into" 2>/dev/null || give_up "cannot make the folder $into"
# Unpacked beside its place and moved there when complete: an interrupted run leaves nothing that looks ready.
work=$(mktemp -d "$into/servers.XXXXXX" 2>/dev/null) || give_up "cannot write to $into"
chmod 755 "$work"
trap 'cd / && rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial"
[ "$(id -u)" = 0 ] && sandbox="-o APT::Sandbox::User=root" || sandbox=

# needed OPTIONS SERVER: the names of what is to be unpacked: what the machine lacks for it, and what is its own in any case.
needed() {
  case $2 in
    prosody) packages="prosody lua-unbound lua5.4" own="prosody|lua-unbound" ;;
    ejabberd) packages=ejabberd own="ejabberd|erlang-.*" ;;
    jabberd2) packages=jabberd2 own=jabberd2 ;;
  esac
  # Simulations, not --print-uris: that leaves out what is in apt's cache already. The second is of a machine that has nothing.
  simulated "$1" "$packages" &&
    simulated "$1 -o Dir::State::status=/dev/null" "$packages" | grep -xE "$own"
}
simulated() {
  # shellcheck disable=SC2086 # lists, meant to be split
  apt-get $1 install --simulate --no-install-recommends -qq $2 | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
}

# download OPTIONS SERVER: into the folder that we are in, checked by apt against the signed lists.
download() {
  list=$(needed "$1" "$2") || return 1
  # shellcheck disable=SC2086,SC2046 # lists, meant to be split
  apt-get $1 $sandbox -qq download $(echo "$list" | sort -u) </dev/null
}

private="-o Dir::State::Lists=$work/apt/lists -o Dir::Cache=$work/apt/cache -o Debug::NoLocking=1"
offline() { give_up "apt-get cannot download Debian's package $1 (messages above; is this machine offline?)"; }

# unpack SERVER: downloads and unpacks it into $new.
unpack() {
  mkdir -p "$new/packages"
  cd "$new/packages"
  if [ -e "$work/updated" ] || ! download "-o Debug::NoLocking=1" "$1" 2>/dev/null; then
    # The machine's own package lists are absent or old, and an ordinary user may not renew them: use private ones.
    # shellcheck disable=SC2086 # options, meant to be split
    [ -e "$work/updated" ] || { apt-get $private $sandbox -qq update </dev/null && touch "$work/updated"; } || offline "$1"
    download "$private" "$1" || offline "$1"
  fi
  for package in *.deb; do
    dpkg-deb -x "$package" "$new/files"
  done
  mkdir "$new/bin"
}

# environment_of SERVER: the lines that find what is unpacked, from $ROOT, wherever that is.
environment_of() {
  cat <<'ENVIRONMENT'
FILES=$ROOT/files
for LIB in "$FILES"/usr/lib/*-linux-gnu*; do :; done
ENVIRONMENT
  # Some packages still name /lib, which an installed system merges with /usr/lib.
  case $1 in
    prosody)
      cat <<ENVIRONMENT
export PROSODY_FILES="\$FILES"
export LD_LIBRARY_PATH="\$LIB:\$FILES/lib/\$(basename "\$LIB")"
export LUA_PATH="\$FILES/usr/share/lua/${lua#lua}/?.lua;\$FILES/usr/share/lua/${lua#lua}/?/init.lua;;"
export LUA_CPATH="\$LIB/lua/${lua#lua}/?.so;;"
PATH="\$FILES/usr/bin:\$PATH"
ENVIRONMENT
      ;;
    ejabberd)
      cat <<'ENVIRONMENT'
export LD_LIBRARY_PATH="$LIB:$FILES/lib/$(basename "$LIB")"
export ROOTDIR="$FILES/usr/lib/erlang" ERL_LIBS="$LIB" EMU=beam PROGNAME=erl
for BINDIR in "$ROOTDIR"/erts-*/bin; do :; done
for BOOT in "$ROOTDIR"/releases/*/start_clean.boot; do :; done
export BINDIR
ENVIRONMENT
      ;;
    jabberd2)
      cat <<'ENVIRONMENT'
export LD_LIBRARY_PATH="$LIB:$FILES/lib/$(basename "$LIB"):$LIB/jabberd2"
ENVIRONMENT
      ;;
  esac
}

# command_of SERVER: the lines that become the server, with its own arguments.
# shellcheck disable=SC2016 # expanded when the server is started
command_of() {
  case $1 in
    prosody) echo "exec $lua \"\$FILES/usr/bin/prosody\" \"\$@\"" ;;
    # Without distribution: no epmd, no cookie, no other node that it could meet.
    ejabberd) echo 'exec "$BINDIR/erlexec" -boot "${BOOT%.boot}" "$@"' ;;
    jabberd2) echo 'part=$1' && echo 'shift' && echo 'exec "$FILES/usr/sbin/jabberd2-$part" "$@"' ;;
  esac
}

# adapt SERVER: what has to be changed in the files, so that the whole can be moved.
adapt() {
  case $1 in
    prosody)
      # Its folders come from the environment instead of being compiled in.
      sed -i -e "s|^CFG_SOURCEDIR=.*|local files = os.getenv('PROSODY_FILES'); CFG_SOURCEDIR=files..'/usr/lib/prosody';|" \
        -e "s|^CFG_CONFIGDIR=.*|CFG_CONFIGDIR=files..'/etc/prosody';|" \
        -e "s|^CFG_PLUGINDIR=.*|CFG_PLUGINDIR=files..'/usr/lib/prosody/modules/';|" \
        -e "s|^CFG_DATADIR=.*|CFG_DATADIR=files..'/var/lib/prosody';|" "$new/files/usr/bin/prosody"
      lua=$(sed -n '1s|.*env \(lua[0-9.]*\).*|\1|p' "$new/files/usr/bin/prosody")
      ;;
    jabberd2) gunzip "$new/files/usr/share/doc/jabberd2/db-setup.sqlite.gz" ;;
  esac
}

# try SERVER: whether everything that it loads is there; its message otherwise.
# shellcheck disable=SC2153 # the environment says where
try() {
  case $1 in
    prosody) $lua -e 'for name in ("lxp socket ssl lfs lunbound"):gmatch("%a+") do require(name) end' ;;
    ejabberd)
      "$BINDIR/erlexec" -boot "${BOOT%.boot}" -noinput -eval \
        '[{module, _} = code:load_file(M) || M <- [ejabberd, crypto, fxml_stream, fast_tls, fast_yaml, stringprep]], halt(0).'
      ;;
    jabberd2) ! ldd "$FILES"/usr/sbin/jabberd2-* "$LIB"/jabberd2/*_sqlite.so | grep 'not found' ;;
  esac
}

fetch() {
  unpack "$1"
  adapt "$1"
  environment=$(environment_of "$1")
  cat >"$new/bin/$1" <<WRAPPER
#!/bin/sh
# Runs the unpacked $1 beside this file; arguments are its own.
ROOT=\$(cd "\$(dirname "\$0")/.." && pwd)
$environment
$(command_of "$1")
WRAPPER
  chmod +x "$new/bin/$1"
  # shellcheck disable=SC2034 # the environment reads it
  message=$(ROOT=$new && eval "$environment" && try "$1" 2>&1 </dev/null) || give_up "the $1 that was unpacked does not run: $(echo "$message" | head -n 1)"
  rm -rf "${into:?}/$1"
  mv "$new" "$into/$1"
  version=$(echo "$into/$1/packages/$1"_*.deb | sed "s/.*$1_\([^_]*\)_.*/\1/")
  echo "fetch_servers: $1 $version is in $into/$1"
}

# One that cannot be had does not keep the others away.
failed=
for server in $missing; do
  new=$work/$server
  (trap - EXIT && fetch "$server") || failed="$failed $server"
done
[ -z "$failed" ] || give_up "not there:$failed"
