set -eu
for bin in /usr/lib/postgresql/*/bin; do PATH="$PATH:$bin"; done
dir=$(mktemp -d /tmp/pressroom-postgres.XXXXXX)
trap 'rm -rf "$dir"' EXIT
initdb --pgdata="$dir/data" --username=postgres --auth=trust --encoding=UTF8 \
    --locale=C.UTF-8 --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
postgres -D "$dir/data" -k "$dir" -c listen_addresses= -c fsync=off -c full_page_writes=off \
    -c max_connections=500 </dev/null >>"$dir/log" 2>&1 &
server=$!
until pg_isready --quiet --host="$dir" --username=postgres; do
    kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
    sleep 0.05
done
echo "$dir"
cat >/dev/null
kill -INT "$server"
wait "$server" || true
