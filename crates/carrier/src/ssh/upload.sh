# Puts the agent, which comes over standard input, into the user's own directory.
# Words: the mark, the agent's SHA-256, its size in bytes, what `uname -s -m` must print.
umask 077
mark=$1 hash=$2 needed=$3
printf 'PRESSROOM-ANSWER %s\n' "$mark"
answer() {
    printf '%s\nPRESSROOM-END %s\n' "$1" "$mark"
    exit 0
}
[ "$(id -u)" -ne 0 ] || answer root
machine="$(uname -s) $(uname -m)"
[ "$machine" = "$4" ] || answer "machine $machine"
command -v sha256sum >/dev/null || answer "missing sha256sum"
mkdir -p "$HOME/.pressroom" 2>/dev/null
# Everything from here on is said from this directory, as in `serve.sh`.
cd "$HOME/.pressroom" && [ -O . ] && chmod 0700 . || answer unsafe

# Versions that no server has used for long, and what was cut off on its way.
find . -name 'agent-*' -type f -mtime +30 -exec rm -f {} +
find . -name 'upload.*' -type f -mtime +1 -exec rm -f {} +

free=$(df -Pk . | tail -n 1 | (read -r _ _ _ free _ && echo "$((free * 1024))"))
[ "${free:-0}" -gt "$needed" ] || answer "space ${free:-0}"
fresh=$(mktemp ./upload.XXXXXX) || answer "space $free"
trap 'rm -f "$fresh"' EXIT
trap 'exit 1' HUP PIPE TERM
# Asked before so many bytes come for nothing.
printf '#!/bin/sh\nexit 0\n' >"$fresh" || answer "space $free"
chmod 0700 "$fresh"
"$fresh" 2>/dev/null || answer noexec
cat >"$fresh" || answer "space $free"
sum=$(sha256sum <"$fresh")
[ "${sum%% *}" = "$hash" ] || answer damaged
chmod 0700 "$fresh"
said=$("$fresh" --version 2>&1)
case $? in
0) ;;
126) answer noexec ;;
*) answer "unusable $said" ;;
esac
mv -f "$fresh" "./agent-$(printf %.16s "$hash")" || answer "unusable it cannot be renamed"
answer placed
