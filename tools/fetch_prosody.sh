#!/bin/sh
# Puts Debian's Prosody into build/prosody without installing it: packages are downloaded and unpacked, nothing is configured,
# started or enabled. build/prosody/bin/prosody runs it from there. Needs no root. Does nothing when it is already there.
set -eu
cd "$(dirname "$0")/.."
root=$PWD/build/prosody

[ -x "$root/bin/prosody" ] && exit 0
command -v apt-get >/dev/null 2>&1 || { echo "fetch_prosody: no apt-get on this machine" >&2; exit 1; }
command -v dpkg-deb >/dev/null 2>&1 || { echo "fetch_prosody: no dpkg-deb on this machine" >&2; exit 1; }

rm -rf "$root.new"
mkdir -p "$root.new/packages" "$root.new/apt/lists/partial" "$root.new/apt/cache/archives/partial"
cd "$root.new/packages"
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

private="-o Dir::State::Lists=$root.new/apt/lists -o Dir::Cache=$root.new/apt/cache -o Debug::NoLocking=1"
if ! download "-o Debug::NoLocking=1" 2>/dev/null; then
  # The machine's own package lists are absent or old, and an ordinary user may not renew them: use private ones.
  # shellcheck disable=SC2086
  apt-get $private $sandbox -qq update </dev/null && download "$private" || {
    echo "fetch_prosody: apt-get cannot download it (offline?)" >&2
    cd / && rm -rf "$root.new"
    exit 1
  }
fi

for package in *.deb; do
  dpkg-deb -x "$package" "$root.new/files"
done

# Its folders come from the environment instead of being compiled in, so that the whole can be moved.
prosody=$root.new/files/usr/bin/prosody
sed -i -e "s|^CFG_SOURCEDIR=.*|local files = os.getenv('PROSODY_FILES'); CFG_SOURCEDIR=files..'/usr/lib/prosody';|" \
  -e "s|^CFG_CONFIGDIR=.*|CFG_CONFIGDIR=files..'/etc/prosody';|" \
  -e "s|^CFG_PLUGINDIR=.*|CFG_PLUGINDIR=files..'/usr/lib/prosody/modules/';|" \
  -e "s|^CFG_DATADIR=.*|CFG_DATADIR=files..'/var/lib/prosody';|" "$prosody"
lua=$(sed -n '1s|.*env \(lua[0-9.]*\).*|\1|p' "$prosody")
version=${lua#lua}

mkdir "$root.new/bin"
cat >"$root.new/bin/prosody" <<WRAPPER
#!/bin/sh
# Runs the unpacked Prosody beside this file; arguments are Prosody's own.
root=\$(cd "\$(dirname "\$0")/.." && pwd)
export PROSODY_FILES="\$root/files"
for lib in "\$PROSODY_FILES"/usr/lib/*-linux-gnu*; do :; done
export LD_LIBRARY_PATH="\$lib"
export LUA_PATH="\$PROSODY_FILES/usr/share/lua/$version/?.lua;\$PROSODY_FILES/usr/share/lua/$version/?/init.lua;;"
export LUA_CPATH="\$lib/lua/$version/?.so;;"
PATH="\$PROSODY_FILES/usr/bin:\$PATH"
exec $lua "\$PROSODY_FILES/usr/bin/prosody" "\$@"
WRAPPER
chmod +x "$root.new/bin/prosody"
rm -rf "$root.new/apt" "$root"
mv "$root.new" "$root"
echo "fetch_prosody: $(ls "$root/packages" | sed -n 's/^prosody_\([^_]*\)_.*/Prosody \1/p') is in build/prosody"
