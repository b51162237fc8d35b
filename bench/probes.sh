#!/usr/bin/env bash
# bench/probes.sh [PROBES] [ROUNDS]: what it costs to probe so many HTTP endpoints every 15 s.
#
# Starts one vigia as the server (its /-/healthy) and one that probes it, both on loopback in
# temporary folders, and prints the CPU time of the second per round and as a share of a core.
# VIGIA names the program.
set -Eeuo pipefail
probes=${1:-1000} rounds=${2:-4}
vigia=${VIGIA:-$(cd "$(dirname "$0")/.." && pwd)/build/release/exporter/vigia}
dir=$(mktemp -d -t vigia-probes.XXXXXX)
server='' prober=''
finish() {
  for pid in $server $prober; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
}
trap finish EXIT

port_of() {
  for _ in $(seq 100); do
    port=$(sed -n 's/.*msg=listening address=127.0.0.1:\([0-9]*\).*/\1/p' "$1" | head -1)
    [ -n "$port" ] && { echo "$port"; return; }
    sleep 0.1
  done
  cat "$1" >&2; return 1
}
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }

printf 'collectors: {}\n' >"$dir/server.yml"
"$vigia" serve --config "$dir/server.yml" --listen 127.0.0.1:0 --data-dir "$dir/a" 2>"$dir/server.log" &
server=$!
target=$(port_of "$dir/server.log")
{
  printf 'collectors:\n  probe:\n    interval: 15s\n    targets:\n'
  for i in $(seq "$probes"); do
    printf '      - { name: n%d, http: "http://127.0.0.1:%s/-/healthy" }\n' "$i" "$target"
  done
} >"$dir/prober.yml"
"$vigia" serve --config "$dir/prober.yml" --listen 127.0.0.1:0 --data-dir "$dir/b" 2>"$dir/prober.log" &
prober=$!
port=$(port_of "$dir/prober.log")
sleep 16
before=$(ticks "$prober")
sleep $((15 * rounds))
after=$(ticks "$prober")
page=$(curl -s "http://127.0.0.1:$port/metrics")
good=$(grep -c '^probe_success{.*} 1$' <<<"$page" || true)
took=$(sed -n 's/^vigia_collector_duration_seconds{collector="probe".*} //p' <<<"$page")
rss=$(awk '/^VmRSS/ {print $2 / 1024}' "/proc/$prober/status")
awk -v t="$((after - before))" -v hz="$(getconf CLK_TCK)" -v n="$probes" -v r="$rounds" -v g="$good" \
  -v w="$took" -v m="$rss" 'BEGIN {
    cpu = t / hz / r
    printf "%d probes, %d good: %.0f ms CPU per round (%.0f us per probe), %.2f %% of a core at 15 s, a round takes %.2f s, RSS %.1f MB\n",
           n, g, cpu * 1000, cpu * 1e6 / n, cpu / 15 * 100, w, m }'
