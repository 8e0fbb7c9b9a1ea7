# Serves a session over standard input and output with the agent that lies here.
# Words: the agent's SHA-256, what `uname -s -m` must print, the site's home.
# Each exit status below is known to `session.rs`.
umask 077
cd / || exit 1
[ "$(id -u)" -ne 0 ] || exit 211
[ "$(uname -s) $(uname -m)" = "$2" ] || exit 212
dir=$HOME/.pressroom
agent=$dir/agent-$(printf %.16s "$1")
[ -d "$dir" ] && [ -f "$agent" ] && [ ! -h "$agent" ] || exit 213
# Nobody else may have put it there.
[ ! -h "$dir" ] && [ -O "$dir" ] && [ -O "$agent" ] || exit 214
case $(ls -Lldn "$HOME/" "$dir/") in d???????w* | *'
'd???????w* | *'
d????w'* | *'
d???????w'*) exit 214 ;; esac
command -v sha256sum >/dev/null || exit 215
sum=$(sha256sum <"$agent") || exit 213
[ "${sum%% *}" = "$1" ] || exit 213
exec env -i HOME="$3" LANG=C.UTF-8 PATH="$PATH:/usr/local/bin:/usr/bin:/bin" "$agent" serve --home "$3"
