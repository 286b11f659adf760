#!/bin/sh
# Puts Debian's Prosody into build/prosody without installing it: packages are downloaded and unpacked, nothing is configured,
# started or enabled. build/prosody/bin/prosody runs it from there. Needs no root. Does nothing when it is already there.
# tools/fetch_prosody.sh [FOLDER]: another folder. The program looks for a folder named prosody beside itself and upwards, so a
# build tree elsewhere takes TREE/prosody.
set -eu
give_up() {
  echo "fetch_prosody: $1" >&2
  exit 1
}
case ${1:-} in
  "") root=$(cd "$(dirname "$0")/.." && pwd)/build/prosody ;;
  -*) give_up "expected no argument, or the folder to put Prosody into, not $1" ;;
  /*) root=${1%/} ;;
  *) root=$PWD/${1%/} ;;
esac

[ -x "$root/bin/prosody" ] && exit 0
for tool in apt-get dpkg-deb; do
  command -v $tool >/dev/null 2>&1 || give_up "no $tool on this machine; have Debian's package prosody installed, or do without"
done
[ ! -e "$root" ] || [ -d "$root" ] || give_up "$root is no folder"
mkdir -p "$(dirname "$root")" 2>/dev/null || give_up "cannot make the folder $(dirname "$root")"
# Unpacked beside its place and moved there when complete: an interrupted run leaves nothing that looks ready.
new=$(mktemp -d "$root.XXXXXX" 2>/dev/null) || give_up "cannot write to $(dirname "$root")"
chmod 755 "$new"
trap 'cd / && rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM

mkdir -p "$new/packages" "$new/apt/lists/partial" "$new/apt/cache/archives/partial"
cd "$new/packages"
[ "$(id -u)" = 0 ] && sandbox="-o APT::Sandbox::User=root" || sandbox=

# The names of what is missing for prosody and its interpreter, and the two that we want unpacked even where the machine has them installed.
names() {
  # A simulation, not --print-uris: that leaves out what is in apt's cache already.
  # shellcheck disable=SC2086 # options, meant to be split
  apt-get $1 install --simulate --no-install-recommends -qq prosody lua-unbound lua5.4 | sed -n 's/^Inst \([^ ]*\) .*/\1/p'
  echo prosody
  echo lua-unbound
}

# download OPTIONS: every package that is missing, checked by apt against the signed lists.
download() {
  list=$(names "$1") || return 1
  # shellcheck disable=SC2086,SC2046 # lists, meant to be split
  apt-get $1 $sandbox -qq download $(echo "$list" | sort -u) </dev/null
}

private="-o Dir::State::Lists=$new/apt/lists -o Dir::Cache=$new/apt/cache -o Debug::NoLocking=1"
if ! download "-o Debug::NoLocking=1" 2>/dev/null; then
  # The machine's own package lists are absent or old, and an ordinary user may not renew them: use private ones.
  # shellcheck disable=SC2086
  { apt-get $private $sandbox -qq update </dev/null && download "$private"; } ||
    give_up "apt-get cannot download Debian's packages prosody and lua-unbound (messages above; is this machine offline?)"
fi

for package in *.deb; do
  dpkg-deb -x "$package" "$new/files"
done

# Its folders come from the environment instead of being compiled in, so that the whole can be moved.
prosody=$new/files/usr/bin/prosody
sed -i -e "s|^CFG_SOURCEDIR=.*|local files = os.getenv('PROSODY_FILES'); CFG_SOURCEDIR=files..'/usr/lib/prosody';|" \
  -e "s|^CFG_CONFIGDIR=.*|CFG_CONFIGDIR=files..'/etc/prosody';|" \
  -e "s|^CFG_PLUGINDIR=.*|CFG_PLUGINDIR=files..'/usr/lib/prosody/modules/';|" \
  -e "s|^CFG_DATADIR=.*|CFG_DATADIR=files..'/var/lib/prosody';|" "$prosody"
lua=$(sed -n '1s|.*env \(lua[0-9.]*\).*|\1|p' "$prosody")
version=${lua#lua}

mkdir "$new/bin"
cat >"$new/bin/environment" <<ENVIRONMENT
# Where Lua finds what is unpacked below \$PROSODY_ROOT.
export PROSODY_FILES="\$PROSODY_ROOT/files"
for lib in "\$PROSODY_FILES"/usr/lib/*-linux-gnu*; do :; done
# Some packages still name /lib, which an installed system merges with /usr/lib.
export LD_LIBRARY_PATH="\$lib:\$PROSODY_FILES/lib/\$(basename "\$lib")"
export LUA_PATH="\$PROSODY_FILES/usr/share/lua/$version/?.lua;\$PROSODY_FILES/usr/share/lua/$version/?/init.lua;;"
export LUA_CPATH="\$lib/lua/$version/?.so;;"
PATH="\$PROSODY_FILES/usr/bin:\$PATH"
ENVIRONMENT
cat >"$new/bin/prosody" <<WRAPPER
#!/bin/sh
# Runs the unpacked Prosody beside this file; arguments are Prosody's own.
PROSODY_ROOT=\$(cd "\$(dirname "\$0")/.." && pwd)
. "\$PROSODY_ROOT/bin/environment"
exec $lua "\$PROSODY_FILES/usr/bin/prosody" "\$@"
WRAPPER
chmod +x "$new/bin/prosody"
# shellcheck disable=SC1091,SC2034 # the file above; it reads the variable
message=$(PROSODY_ROOT=$new && . "$new/bin/environment" && $lua -e 'for name in ("lxp socket ssl lfs lunbound"):gmatch("%a+") do require(name) end' 2>&1) ||
  give_up "what was unpacked does not run: $(echo "$message" | head -n 1)"
rm -rf "$new/apt" "$root"
mv "$new" "$root"
version=$(echo "$root"/packages/prosody_*.deb | sed 's/.*prosody_\([^_]*\)_.*/\1/')
echo "fetch_prosody: Prosody $version is in $root"
