#!/usr/bin/env bash
# vigia and Debian's node_exporter side by side in one run: CPU per scrape, latency, memory, bytes.
#   bench/scrape.sh [PATH_TO_VIGIA] [ROUNDS]
# Both watch this host; both are scraped alternately, so that what else runs here hits both.
set -euo pipefail
cd "$(dirname "$0")/.."

vigia=${1:-build/release/exporter/vigia}
rounds=${2:-100}
command -v prometheus-node-exporter >/dev/null || { echo "scrape.sh: install prometheus-node-exporter" >&2; exit 1; }

work=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
vigia_port=$(port)
node_port=$(port)

# The interval is the pause between rounds, so that every scrape collects afresh, as
# node_exporter does, instead of being answered from the last reading.
printf 'collectors:\n  host: { interval: 200ms }\n' >"$work/vigia.yml"
"$vigia" serve --config "$work/vigia.yml" --listen "127.0.0.1:$vigia_port" --data-dir "$work/data" >"$work/vigia.log" 2>&1 &
pids+=($!)
prometheus-node-exporter --web.listen-address="127.0.0.1:$node_port" >"$work/node.log" 2>&1 &
pids+=($!)

python3 bench/scrape.py --rounds "$rounds" \
  "vigia=${pids[0]}=http://127.0.0.1:$vigia_port/metrics" \
  "node_exporter=${pids[1]}=http://127.0.0.1:$node_port/metrics"
