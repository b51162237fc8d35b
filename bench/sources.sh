#!/usr/bin/env bash
# bench/sources.sh [PATH_TO_VIGIA] [ROUNDS] [TABLES...]: the exporters that vigia stands in for, and
# vigia, on one PostgreSQL (TABLES tables: 200, then 2000) and one Redis, in one run.
#
# Starts everything on loopback in a temporary folder: node_exporter, postgres_exporter with the
# per-table queries of its package, redis_exporter, sql_exporter, blackbox_exporter; then, without
# them, vigia with all of it. Needs Debian's packages of these, postgresql and redis-server.
set -Eeuo pipefail
cd "$(dirname "$0")/.."
vigia=$(realpath "${1:-build/release/exporter/vigia}")
rounds=${2:-30}
sizes=("${@:3}")
[ ${#sizes[@]} -gt 0 ] || sizes=(200 2000)
queries=/usr/share/doc/prometheus-postgres-exporter/examples/queries.yaml
pgbin=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
for program in prometheus-{node,postgres,redis,sql,blackbox}-exporter redis-server python3; do
  command -v "$program" >/dev/null || { echo "sources.sh: install $program" >&2; exit 1; }
done

work=$(mktemp -d -t vigia-sources.XXXXXX)
chmod 755 "$work"
pids=()
postmaster=
stop_all() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
stop_postgres() { [ -n "$postmaster" ] && kill -INT "$postmaster" 2>/dev/null; postmaster=; sleep 1; }
trap 'stop_all; stop_postgres || true; rm -rf "$work"' EXIT
as_postgres() { if [ "$(id -u)" = 0 ]; then runuser -u postgres -- "$@"; else "$@"; fi; }
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
sql() { psql -X -q -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$pg_port" -U postgres "$@"; }

start_postgres() { # tables
  pg_port=$(port)
  local folder=$work/pg$1
  mkdir "$folder"
  [ "$(id -u)" = 0 ] && chown postgres "$folder"
  (cd "$folder" && as_postgres "$pgbin/initdb" -D "$folder/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >"$work/initdb.log")
  printf '%s\n' "port = $pg_port" "unix_socket_directories = '$folder'" 'fsync = off' 'autovacuum = off' \
    'max_locks_per_transaction = 512' 'shared_buffers = 256MB' >>"$folder/data/postgresql.conf"
  (cd "$folder" && as_postgres "$pgbin/pg_ctl" -D "$folder/data" -l "$folder/log" -w start >/dev/null)
  postmaster=$(head -1 "$folder/data/postmaster.pid")
  sql -d postgres -c 'CREATE DATABASE app' -c 'CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor'
  sql -d app -c 'CREATE TABLE account (id serial PRIMARY KEY, state text, joined timestamptz DEFAULT now())' \
    -c "INSERT INTO account (state) SELECT CASE WHEN i % 7 = 0 THEN 'idle' ELSE 'active' END FROM generate_series(1, 20000) i" \
    -c 'GRANT SELECT ON account TO monitor'
  for first in $(seq 1 100 "$1"); do
    sql -d app -c "DO \$\$ BEGIN FOR i IN $first..$((first + 99)) LOOP
      EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int)', i);
      EXECUTE format('INSERT INTO t%s SELECT j, j FROM generate_series(1, 20) j', i);
      EXECUTE format('SELECT count(*) FROM t%s', i); END LOOP; END \$\$"
  done
  sql -d app -c ANALYZE
  dsn="postgresql://monitor@127.0.0.1:$pg_port/app?sslmode=disable"
}

start_redis() {
  redis_port=$(port)
  redis-server --port "$redis_port" --bind 127.0.0.1 --dir "$work" --save '' >"$work/redis.log" 2>&1 &
  redis_pid=$!
  for _ in $(seq 50); do redis-cli -p "$redis_port" ping >/dev/null 2>&1 && break; sleep 0.1; done
  for i in $(seq 500); do echo "SET key:$i $i"; done | redis-cli -p "$redis_port" >/dev/null
}

declare -a targets
start() { # name path command..., @PORT@ is replaced
  local name=$1 path=$2 at; shift 2
  at=$(port)
  "${@//@PORT@/$at}" >"$work/$name.log" 2>&1 &
  pids+=($!)
  targets+=("$name=$!=http://127.0.0.1:$at$path")
}

head_of_table() {
  printf '\n%s tables:\n\n| program | series | CPU ms a round | scrape p50 ms | p99 ms | RSS MB | PostgreSQL CPU ms a round |\n' "$1"
  echo '| --- | --- | --- | --- | --- | --- | --- |'
}

peers() {
  awk '/^[a-z_]+:/{keep = ($1=="pg_stat_user_tables:" || $1=="pg_statio_user_tables:")} keep' "$queries" >"$work/tables.yaml"
  cat >"$work/sql.yml" <<Y
jobs:
- name: kpi
  interval: 30s
  connections: [ 'postgres://monitor@127.0.0.1:$pg_port/app?sslmode=disable' ]
  queries:
  - { name: kpi_users, help: Users by state, labels: [state], values: [users], query: 'SELECT state, count(*)::float AS users FROM account GROUP BY 1' }
Y
  printf 'modules: { http_2xx: { prober: http } }\n' >"$work/blackbox.yml"
  targets=()
  start node /metrics prometheus-node-exporter --web.listen-address=127.0.0.1:@PORT@
  start postgres /metrics env DATA_SOURCE_NAME="$dsn" prometheus-postgres-exporter --web.listen-address=127.0.0.1:@PORT@ --extend.query-path="$work/tables.yaml"
  start redis /metrics prometheus-redis-exporter -redis.addr "redis://127.0.0.1:$redis_port" -web.listen-address 127.0.0.1:@PORT@
  start sql /metrics env LOGLEVEL=WARN prometheus-sql-exporter -config.file "$work/sql.yml" -web.listen-address 127.0.0.1:@PORT@
  local endpoint=${targets[0]##*=}
  start blackbox "/probe?module=http_2xx&target=${endpoint%/metrics}/" prometheus-blackbox-exporter --config.file "$work/blackbox.yml" --web.listen-address=127.0.0.1:@PORT@
  python3 bench/sources.py --rounds "$rounds" --postgres "$postmaster" --sum 'all exporters' "${targets[@]}"
  stop_all
}

ours() {
  local endpoint
  endpoint=$(port)
  python3 -m http.server "$endpoint" --bind 127.0.0.1 --directory /var/empty >"$work/endpoint.log" 2>&1 &
  pids+=($!)
  cat >"$work/kpi.yml" <<Y
collector_name: kpi
metrics:
  - metric_name: sql_kpi_users
    type: gauge
    help: Users by state
    key_labels: [state]
    values: [users]
    query: SELECT state, count(*)::float AS users FROM account GROUP BY 1
Y
  # The interval is the pause between rounds: every scrape collects, as the exporters do.
  cat >"$work/vigia.yml" <<Y
collectors:
  host: { interval: 1s }
  postgres: { dsn: "$dsn", interval: 1s, tables: { max: 5000 } }
  redis: { url: "redis://127.0.0.1:$redis_port", interval: 1s }
  kpi: { dsn: "$dsn", file: kpi.yml, interval: 30s }
  probe: { interval: 1s, targets: [ { http: "http://127.0.0.1:$endpoint/", timeout: 500ms, expect: { status: [200, 404] } } ] }
history: { max_series: 1000 }  # as good as none: the exporters remember nothing
rules: []
Y
  targets=()
  start vigia /metrics "$vigia" serve --config "$work/vigia.yml" --listen 127.0.0.1:@PORT@ --data-dir "$work/data"
  python3 bench/sources.py --rounds "$rounds" --postgres "$postmaster" "${targets[@]}" || { cat "$work/vigia.log" >&2; return 1; }
  stop_all
  rm -rf "$work/data"
}

start_redis
trap 'stop_all; stop_postgres || true; kill "$redis_pid" 2>/dev/null || true; rm -rf "$work"' EXIT
for size in "${sizes[@]}"; do
  start_postgres "$size"
  head_of_table "$size"
  peers
  ours
  stop_postgres
done
