#!/bin/sh
# Keeps `cutover serve` busy and watches what it holds: messages both ways, presence, subscriptions, requests to the admin interface, and
# connections that are opened and dropped. Prints memory and descriptors each half minute; 1 where they grow
# behind the third minute: until then what is remembered of the past fills up (protocol/base/limits.h).
# tools/soak.sh [SECONDS (600)] [LINES A SECOND (300)]. Needs a built program and curl.
set -u
cd "$(dirname "$0")/.." || exit 1
seconds=${1:-600} rate=${2:-300} filled=180
cutover=${CUTOVER:-build/dev/cutover}
[ -x "$cutover" ] || { echo "soak: no $cutover: build it first (tools/build.sh)" >&2 && exit 1; }
[ "$seconds" -gt $filled ] || { echo "soak: more than $filled seconds: until then it fills up" >&2 && exit 1; }
folder=$(mktemp -d)
trap 'kill "$served" 2>/dev/null; wait; rm -rf "$folder"' EXIT
mkfifo "$folder/console"
"$cutover" serve --credentials="$folder/serve" --network=127.201.7 <"$folder/console" >"$folder/log" 2>&1 &
served=$!
exec 3>"$folder/console"
until grep -q "Ctrl-C ends it" "$folder/log"; do kill -0 $served || { cat "$folder/log" && exit 1; }; done
admin=$(sed -n 's|.*proxy *admin *\(http[^ ]*\).*|\1|p' "$folder/log" | head -n 1)
proxy=$(sed -n 's|.*proxy *xmpp *\([^ ]*\).*|\1|p' "$folder/log" | head -n 1)

# memory in KiB and descriptors of the server
held() { echo "$(awk '/^VmRSS/ {print $2}' "/proc/$served/status") $(ls "/proc/$served/fd" | wc -l)"; }

sent=0 second=0 first=0 peak_descriptors=0
echo "second  messages  memory KiB  descriptors"
while [ $second -lt "$seconds" ]; do
  i=0
  [ "${state:-away}" = away ] && state=available || state=away
  while [ $i -lt "$rate" ]; do
    case $((i % 4)) in
      0) echo "send alice romeo@fabrikam.example number $sent" ;;
      1) echo "send romeo@fabrikam.example alice@contoso.example answer $sent" ;;
      2) echo "presence bob $state" ;;
      3) echo "send carol romeo@litware.example number $sent" ;;
    esac >&3
    i=$((i + 1)) sent=$((sent + 1))
  done
  curl -s -o "$folder/answer" "$admin/streams" || echo "soak: the admin interface does not answer" >&2
  printf 'GET / HTTP/1.0\r\n\r\n' | timeout 1 curl -s -m 1 "telnet://$proxy" >/dev/null 2>&1
  kill -0 $served 2>/dev/null || { echo "soak: serve has ended:" && tail -n 20 "$folder/log" && exit 1; }
  if [ $((second % 30)) = 0 ]; then
    now=$(held)
    printf '%6d  %8d  %10d  %11d\n' $second $sent $now
    [ $second = $filled ] && first=${now% *} peak_descriptors=${now#* }
  fi
  second=$((second + 1))
  sleep 1
done
last=$(held)
printf '%6d  %8d  %10d  %11d\n' $second $sent $last
if [ "${last% *}" -gt $((first + first / 10)) ] || [ "${last#* }" -gt $((peak_descriptors + 5)) ]; then
  echo "soak: it grew: memory $first KiB at first, ${last% *} at last; descriptors $peak_descriptors, ${last#* }" && exit 1
fi
echo "soak: flat: memory $first KiB at first, ${last% *} at last; descriptors $peak_descriptors, ${last#* }; $(grep -c . "$folder/log") lines said"
