#!/usr/bin/env python3
"""Time series servers on the same samples, one after another: history.py [options] NAME=COMMAND...

Each server is started empty, gets SERIES series of HOURS hours by remote write (fleet_push), and
goes on getting one sample per series every 15 s while it answers the queries of dashboards and
alerts over one connection; then it is ended and started again on what it has written. With --rules
it gets rules instead of queries: the file at --rules-file, which its configuration names, is empty
until the samples are there. In COMMAND {port} and {data} are replaced. CPU is utime + stime of
/proc/PID/stat, memory VmRSS 12 s after the last pushed slice, a latency goes up to the last byte.
Prints a table, and with --json all."""
import argparse
import http.client
import json
import os
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

TICK = os.sysconf("SC_CLK_TCK")
INTERVAL = 15  # seconds, of samples and rules
MISSED = {"prometheus": "prometheus_rule_group_iterations_missed_total",
          "vigia": "vigia_rule_group_iterations_missed_total"}

QUERIES = """
up
count by (job) (up)
sum(up) / count(up)
node_load1
topk(10, node_load5)
node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes
100 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m])) * 100
sum by (mode) (rate(node_cpu_seconds_total[5m]))
sum by (instance) (irate(node_network_receive_bytes_total{device!="lo"}[2m])) * 8
rate(node_disk_io_time_seconds_total{device="sda"}[5m])
(node_filesystem_size_bytes - node_filesystem_avail_bytes) / node_filesystem_size_bytes > 0.5
predict_linear(node_filesystem_avail_bytes{mountpoint="/"}[1h], 86400)
histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))
histogram_quantile(0.95, sum by (le, handler) (rate(http_request_duration_seconds_bucket{env="prod"}[5m])))
sum by (code) (rate(http_requests_total[1m]))
sum(rate(http_requests_total{code=~"5.."}[5m])) / sum(rate(http_requests_total[5m]))
sum by (datname) (rate(pg_stat_database_xact_commit[5m]))
sum by (instance) (pg_stat_activity_count{state="active"})
pg_stat_database_numbackends{datname="app"}
sum(rate(pg_stat_database_blks_hit[5m])) / (sum(rate(pg_stat_database_blks_hit[5m])) + sum(rate(pg_stat_database_blks_read[5m])))
topk(5, sum by (cmd) (rate(redis_commands_total[5m])))
redis_memory_used_bytes / redis_memory_max_bytes
rate(redis_keyspace_hits_total[5m]) / (rate(redis_keyspace_hits_total[5m]) + rate(redis_keyspace_misses_total[5m]))
node_cpu_seconds_total{instance="10.0.0.1:9100"}
rate(node_cpu_seconds_total{instance="10.0.0.1:9100"}[5m])
max_over_time(node_load1[30m])
avg_over_time(sum(rate(http_requests_total[1m]))[10m:1m])
node_uname_info * on (instance) group_left () node_load1
changes(node_boot_time_seconds[1h]) > 0
absent(up{job="nothing"})
label_replace(node_load1, "host", "$1", "instance", "(.*):.*")
""".strip().splitlines()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident_mb(pid, what="VmRSS"):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) * 1024 / 1e6 for line in file if line.startswith(what))


def disk_bytes(folder):
    files = (os.path.join(path, name) for path, _, names in os.walk(folder) for name in names)
    return sum(os.stat(file).st_blocks * 512 for file in files)


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


class Server:
    """One server process on a folder."""

    def __init__(self, name, command, folder):
        self.name = name
        self.data = os.path.join(folder, name)
        self.port = free_port()
        self.command = [part.format(port=self.port, data=self.data)
                        for part in shlex.split(command)]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(os.path.join(folder, name + ".log"), "a")
        self.process = None

    def start(self):
        os.makedirs(self.data, exist_ok=True)
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log)

    def end(self):
        self.process.terminate()
        self.process.wait(120)

    def get(self, path, data=None):
        with urllib.request.urlopen(self.url + path, data, timeout=60) as answer:
            return answer.read()

    def await_answer(self, path, good):
        """Seconds from now until the answer is good(body)."""
        begin = time.monotonic()
        while time.monotonic() < begin + 300:
            if self.process.poll() is not None:
                sys.exit(f"{self.name} ended; see {self.log.name}")
            try:
                if good(self.get(path)):
                    return time.monotonic() - begin
            except OSError:
                pass
            time.sleep(0.01)
        sys.exit(f"{self.name} does not answer {path}")

    def await_ready(self):
        return self.await_answer("/api/v1/query?query=1", lambda body: b"success" in body)

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stored_bytes(self):
        """What its samples take on disk once they are in files of their own."""
        if self.name == "prometheus":
            self.get("/api/v1/admin/tsdb/snapshot", b"")
            snapshots = os.path.join(self.data, "snapshots")
            size = disk_bytes(snapshots)
            shutil.rmtree(snapshots)
            return size
        if self.name == "victoria-metrics":
            self.get("/internal/force_flush")
            time.sleep(1)
            return disk_bytes(self.data)
        return disk_bytes(os.path.join(self.data, "history"))


def latencies(server, path, parameters, passes, queries=QUERIES):
    """Of all queries, ms, after one pass that is not counted; and the server's CPU for one, ms."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    took = []
    for turn in range(passes + 1):
        if turn == 1:
            cpu = server.cpu_seconds()
        for query in queries:
            body = urllib.parse.urlencode({"query": query, "nocache": "1", **parameters})
            begin = time.perf_counter()
            connection.request("POST", path, body,
                               {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            text = answer.read()
            if turn > 0:
                took.append((time.perf_counter() - begin) * 1000)
            if answer.status != 200:
                sys.exit(f"{server.name}: {query}: {text[:200]}")
    return {"p50": quantile(took, .5), "p99": quantile(took, .99), "mean": statistics.mean(took),
            "cpu": (server.cpu_seconds() - cpu) * 1000 / len(took)}


def metric(server, name):
    """The sum of a metric's series on the server's own page."""
    lines = server.get("/metrics").decode().splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines
               if line.startswith((name + "{", name + " ")))


def cpu_per_round(server, rounds):
    """CPU seconds of INTERVAL seconds, of so many one after another."""
    cpu = server.cpu_seconds()
    time.sleep(rounds * INTERVAL)
    return (server.cpu_seconds() - cpu) / rounds


def measure_rules(server, options):
    idle = cpu_per_round(server, 2)
    shutil.copy(options.rules, options.rules_file)
    server.get("/-/reload", b"")
    time.sleep(2 * INTERVAL)  # every group has begun by then
    used = cpu_per_round(server, 4)
    answer = json.loads(server.get("/api/v1/rules"))["data"]["groups"]
    rules = [rule for group in answer for rule in group["rules"]]
    bad = [rule["lastError"] for rule in rules if rule["health"] != "ok"]
    if bad:
        sys.exit(f"{server.name}: {bad[0]}")
    return {"rules": len(rules), "cpu_us_per_rule": (used - idle) / len(rules) * 1e6,
            "alerts": sum(len(rule.get("alerts", [])) for rule in rules),
            "missed": metric(server, MISSED[server.name]),
            "rss": resident_mb(server.process.pid)}


def measure(server, options):
    end = int(time.time()) // INTERVAL * INTERVAL
    with open(options.rules_file, "w") as file:
        file.write("groups: []\n")
    server.start()
    server.await_ready()
    time.sleep(1)
    pid = server.process.pid
    result = {"rss_empty": resident_mb(pid)}
    cpu = server.cpu_seconds()
    pusher = subprocess.Popen(
        [options.push, server.url + "/api/v1/write", str(options.series), str(options.hours), str(end)]
        + ([] if options.only_restart else ["live"]), stdout=subprocess.PIPE)
    try:
        line = pusher.stdout.readline()
        if not line:
            sys.exit(f"{server.name} took no samples; see {server.log.name}")
        pushed = json.loads(line)
        result.update(pushed)
        samples = pushed["samples"]
        result["ingest_per_s"] = samples / pushed["wait_s"]
        result["ingest_cpu_per_M"] = (server.cpu_seconds() - cpu) / samples * 1e6
        time.sleep(12)
        result["rss"] = resident_mb(pid)
        result["rss_peak"] = resident_mb(pid, "VmHWM")
        result["rss_per_series"] = (result["rss"] - result["rss_empty"]) * 1e6 / options.series
        result["disk_per_sample"] = server.stored_bytes() / samples
        if options.rules:
            result["with_rules"] = measure_rules(server, options)
        elif not options.only_restart:
            # What this machine takes for a request and its answer, whatever is asked.
            result["nothing"] = latencies(server, "/api/v1/query", {"time": end}, 20, ["1"] * 30)
            result["instant"] = latencies(server, "/api/v1/query", {"time": end},
                                          options.instant_passes)
            result["range"] = latencies(server, "/api/v1/query_range",
                                        {"start": end - 3600, "end": end, "step": INTERVAL},
                                        options.range_passes)
            result["rss_queried"] = resident_mb(pid)
    finally:
        pusher.kill()
        pusher.wait()
        server.end()
    query = urllib.parse.urlencode({"query": "count(up)", "time": end})
    server.start()
    result["restart"] = server.await_answer("/api/v1/query?" + query,
                                            lambda body: b'"result":[{' in body)
    server.end()
    return result


ROWS = [  # what, how it is found, its format, the key of its goal
    ("samples, million", lambda r: r["samples"] / 1e6, "{:.2f}", None),
    ("ingest, million samples/s while it works", lambda r: r["ingest_per_s"] / 1e6, "{:.2f}", "ingest"),
    ("ingest, CPU s per million samples", lambda r: r["ingest_cpu_per_M"], "{:.3f}", "cpu"),
    ("RSS empty, MB", lambda r: r["rss_empty"], "{:.0f}", None),
    ("RSS 12 s after ingest, MB", lambda r: r["rss"], "{:.0f}", "rss"),
    ("peak RSS of ingest, MB", lambda r: r["rss_peak"], "{:.0f}", None),
    ("RSS per series, bytes, samples included", lambda r: r["rss_per_series"], "{:.0f}", None),
    ("RSS after the queries, MB", lambda r: r["rss_queried"], "{:.0f}", None),
    ("disk, bytes per sample", lambda r: r["disk_per_sample"], "{:.2f}", "disk"),
    ("the query `1` p50, ms", lambda r: r["nothing"]["p50"], "{:.2f}", None),
    ("instant query p50, ms", lambda r: r["instant"]["p50"], "{:.2f}", "instant50"),
    ("instant query p99, ms", lambda r: r["instant"]["p99"], "{:.1f}", "instant99"),
    ("instant query, CPU ms", lambda r: r["instant"]["cpu"], "{:.2f}", None),
    ("1 h range query p50, ms", lambda r: r["range"]["p50"], "{:.2f}", "range50"),
    ("1 h range query p99, ms", lambda r: r["range"]["p99"], "{:.1f}", "range99"),
    ("1 h range query, CPU ms", lambda r: r["range"]["cpu"], "{:.1f}", None),
    ("rules", lambda r: r["with_rules"]["rules"], "{:.0f}", None),
    ("CPU of a rule, us", lambda r: r["with_rules"]["cpu_us_per_rule"], "{:.0f}", "rule"),
    ("evaluations of groups missed", lambda r: r["with_rules"]["missed"], "{:.0f}", "missed"),
    ("alerts pending or firing", lambda r: r["with_rules"]["alerts"], "{:.0f}", None),
    ("RSS with rules, MB", lambda r: r["with_rules"]["rss"], "{:.0f}", None),
    ("restart until it answers, s", lambda r: r["restart"], "{:.2f}", "restart"),
]


def print_table(results, goals):
    print("| | " + " | ".join(results) + " | goal |")
    print("| --- |" + " --- |" * (len(results) + 1))
    for what, find, form, goal in ROWS:
        cells = []
        for result in results.values():
            try:
                cells.append(form.format(find(result)))
            except KeyError:
                cells.append("-")
        if any(cell != "-" for cell in cells):
            print(f"| {what} | " + " | ".join(cells) + f" | {goals.get(goal, '')} |")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("servers", nargs="+", metavar="NAME=COMMAND")
    arguments.add_argument("--push", required=True, help="the program fleet_push")
    arguments.add_argument("--series", type=int, default=20000)
    arguments.add_argument("--hours", type=float, default=2)
    arguments.add_argument("--instant-passes", type=int, default=20)
    arguments.add_argument("--range-passes", type=int, default=4)
    arguments.add_argument("--only-restart", action="store_true", help="no queries")
    arguments.add_argument("--rules", help="a rule file to evaluate instead of queries")
    arguments.add_argument("--rules-file", required=True, help="where the servers look for it")
    arguments.add_argument("--goals", type=json.loads, default={}, help="JSON, by name")
    arguments.add_argument("--json", help="a file for all figures")
    options = arguments.parse_args()
    results = {}
    with tempfile.TemporaryDirectory(prefix="vigia-history-") as folder:
        for text in options.servers:
            name, command = text.split("=", 1)
            server = Server(name, command, folder)
            results[name] = measure(server, options)
            shutil.rmtree(server.data)
    print(f"\n{options.series} series x {options.hours:g} h, load average {os.getloadavg()[0]:.1f}\n")
    print_table(results, options.goals)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
