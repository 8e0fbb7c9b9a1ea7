# Serves a session over standard input and output with the agent that lies here.
# Words: the agent's SHA-256, what `uname -s -m` must print, the site's home.
# Each exit status below is known to `session.rs`.
[ "$(id -u)" -ne 0 ] || exit 211
[ "$(uname -s) $(uname -m)" = "$2" ] || exit 212
cd "$HOME/.pressroom" || exit 213
# What is looked at is what is run, whoever renames something above it meanwhile: from
# here on everything is said from this directory, where nobody else may write.
[ -O . ] || exit 214
case $(ls -ldn .) in d????-??-*) ;; *) exit 214 ;; esac
agent=./agent-$(printf %.16s "$1")
[ -f "$agent" ] && [ ! -h "$agent" ] && [ -O "$agent" ] || exit 213
command -v sha256sum >/dev/null || exit 215
sum=$(sha256sum <"$agent") || exit 213
[ "${sum%% *}" = "$1" ] || exit 213
exec env -i HOME="$3" LANG=C.UTF-8 PATH="$PATH:/usr/local/bin:/usr/bin:/bin" "$agent" serve --home "$3"
