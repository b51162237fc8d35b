#!/usr/bin/env bash
# bench/history.sh [PATH_TO_VIGIA] [PART...]: Prometheus, VictoriaMetrics and vigia on the same
# samples in one run, one after another: ingest, memory, disk, query latency, restart; a table each.
#
# Parts: `small` 20,000 series x 2 h at 15 s, `large` 100,000 series x 1 h (all three), `restart`
# 20,000 series x 24 h (vigia), `rules` 2,000 rules on 20,000 series and 400 on 100,000 (Prometheus
# and vigia), `many-rules` 10,000 rules on 20,000 series (vigia). All without arguments. A peer that
# is not installed is left out (Debian: prometheus, victoria-metrics). Needs python3 and the
# benchmarks (cmake --preset bench).
set -euo pipefail
cd "$(dirname "$0")/.."
vigia=$(realpath "${1:-build/release/exporter/vigia}")
parts=("${@:2}")
[ ${#parts[@]} -gt 0 ] || parts=(small large restart rules many-rules)
push=${FLEET_PUSH:-build/bench/bench/fleet_push}
rules=${FLEET_RULES:-build/bench/bench/fleet_rules}
[ -x "$push" ] && [ -x "$rules" ] || { echo "history.sh: build $push and $rules: cmake --preset bench && cmake --build --preset bench --target fleet_push fleet_rules" >&2; exit 1; }

work=$(mktemp -d -t vigia-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
printf '%s\n' 'global: {}' "rule_files: [ $work/rules.yml ]" >"$work/prometheus.yml"
# Nothing but the history: no sources, no rules at first; a day that is pushed whole is kept.
printf '%s\n' 'collectors: {}' "rules: [ $work/rules.yml ]" 'remote_write_receiver: true' 'history: { retention: 25h }' >"$work/vigia.yml"

peers=()
prometheus=
if command -v prometheus >/dev/null; then
  prometheus="prometheus=prometheus --config.file=$work/prometheus.yml --storage.tsdb.path={data} --web.listen-address=127.0.0.1:{port} --web.enable-remote-write-receiver --web.enable-admin-api --web.enable-lifecycle --log.level=warn"
  peers+=("$prometheus")
else
  echo "history.sh: prometheus is not installed and left out" >&2
fi
if command -v victoria-metrics >/dev/null; then
  peers+=("victoria-metrics=victoria-metrics -storageDataPath={data} -httpListenAddr=127.0.0.1:{port} -retentionPeriod=100y -search.latencyOffset=0s -loggerLevel=WARN")
else
  echo "history.sh: victoria-metrics is not installed and left out" >&2
fi
ours="vigia=$vigia serve --config $work/vigia.yml --listen 127.0.0.1:{port} --data-dir {data}"
run() { python3 bench/history.py --push "$push" --rules-file "$work/rules.yml" "$@"; }
with_rules() { # COUNT ARGUMENTS...
  "$rules" "$1" >"$work/wanted.yml"
  run --rules "$work/wanted.yml" "${@:2}"
}

for part in "${parts[@]}"; do
  case $part in
    small)
      run --series 20000 --hours 2 "${peers[@]}" "$ours" --goals '{"ingest": ">= 3", "cpu": "<= 0.2", "rss": "<= 40", "disk": "<= 1.4",
        "instant50": "<= 0.5", "instant99": "<= 15", "range50": "<= 3", "range99": "<= 40"}' ;;
    large)
      run --series 100000 --hours 1 --instant-passes 4 --range-passes 2 "${peers[@]}" "$ours" --goals '{"ingest": ">= 3", "cpu": "<= 0.2",
        "rss": "<= 150", "disk": "<= 1.4", "range50": "<= 10", "range99": "<= 150"}' ;;
    restart)
      run --series 20000 --hours 24 --only-restart "$ours" --goals '{"disk": "<= 1.4", "restart": "<= 2"}' ;;
    rules)
      with_rules 2000 --series 20000 --hours 1 ${prometheus:+"$prometheus"} "$ours" --goals '{"rule": "<= 350", "missed": "0"}'
      with_rules 400 --series 100000 --hours 1 ${prometheus:+"$prometheus"} "$ours" --goals '{"rule": "<= 1800", "missed": "0"}' ;;
    many-rules)
      with_rules 10000 --series 20000 --hours 1 "$ours" --goals '{"missed": "0"}' ;;
    *) echo "history.sh: unknown part $part: small, large, restart, rules or many-rules" >&2; exit 1 ;;
  esac
done
