# Serves a session over standard input and output with the agent in PHP, which follows.
# Words: the `php` command, its settings in one word, what it evaluates, the length of the
# agent, the site's home. Each exit status below is known to `session.rs`.
[ "$(id -u)" -ne 0 ] || exit 211
PATH="$PATH:/usr/local/bin:/usr/bin:/bin"
php=$(command -v "$1") || exit 216
set -f
exec env -i HOME="$5" LANG=C.UTF-8 PATH="$PATH" "$php" $2 -r "$3" -- "$4" "$5"
