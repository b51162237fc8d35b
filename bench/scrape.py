#!/usr/bin/env python3
"""Scrapes programs alternately and prints a table: scrape.py [--rounds N] NAME=PID=URL...

Each program is asked once a round, over one kept connection, as Prometheus does. CPU is the
time on a CPU of all its threads (/proc/PID/task/*/schedstat) from the first round to the last,
work between scrapes included, divided by the number of rounds."""
import argparse
import http.client
import os
import time
import urllib.parse


def cpu_seconds(pid):
    """CPU time of all threads that live now, in seconds (schedstat: nanoseconds on a CPU)."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                total += int(f.read().split()[0])
        except FileNotFoundError:
            pass
    return total / 1e9


def resident(pid):
    with open(f"/proc/{pid}/status") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


def quantile(values, q):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


class Target:
    def __init__(self, text):
        self.name, pid, url = text.split("=", 2)
        self.pid = int(pid)
        self.url = urllib.parse.urlsplit(url)
        self.connection = None

    def connect(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                self.connection = http.client.HTTPConnection(self.url.netloc, timeout=20)
                return self.ask(False)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def ask(self, gzip):
        headers = {"X-Prometheus-Scrape-Timeout-Seconds": "10"}
        if gzip:
            headers["Accept-Encoding"] = "gzip"
        begin = time.perf_counter()
        self.connection.request("GET", self.url.path, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - begin
        assert answer.status == 200, f"{self.name} answered {answer.status}"
        return took, body


def series(body):
    return sum(1 for line in body.splitlines() if line and not line.startswith(b"#"))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("targets", nargs="+")
    arguments.add_argument("--rounds", type=int, default=100)
    arguments.add_argument("--pause", type=float, default=0.2, help="seconds between rounds")
    options = arguments.parse_args()

    targets = [Target(text) for text in options.targets]
    rows = []
    for target in targets:
        target.connect()
    for gzip in (False, True):
        walls = {t.name: [] for t in targets}
        cpu = {t.name: -cpu_seconds(t.pid) for t in targets}
        bodies = {}
        for _ in range(options.rounds):
            for target in targets:
                took, body = target.ask(gzip)
                walls[target.name].append(took)
                bodies[target.name] = body
            time.sleep(options.pause)
        for target in targets:
            cpu[target.name] += cpu_seconds(target.pid)
            plain = target.ask(False)[1]
            rows.append((target.name, "gzip" if gzip else "plain",
                         f"{1e3 * cpu[target.name] / options.rounds:.3f}",
                         f"{1e3 * quantile(walls[target.name], .5):.2f}",
                         f"{1e3 * quantile(walls[target.name], .99):.2f}",
                         f"{resident(target.pid):.1f}", str(len(bodies[target.name])),
                         str(series(plain))))
    head = ("program", "mode", "CPU ms/scrape", "p50 ms", "p99 ms", "RSS MB", "bytes", "series")
    widths = [max(len(row[i]) for row in rows + [head]) for i in range(len(head))]
    for row in [head] + rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


main()
