#!/usr/bin/env python3
"""Scrapes programs once a round and prints table rows: sources.py [--sum NAME] NAME=PID=URL...

All programs are asked one after another, as Prometheus does once an interval. CPU is that of all
threads (schedstat) from the first round to the last, work between scrapes included; the
PostgreSQL column is the same of the server with all its processes."""
import argparse
import http.client
import os
import statistics
import time
import urllib.parse


def tasks_seconds(pid):
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
    except FileNotFoundError:
        pass
    return total / 1e9


def tree_seconds(pid):
    """A server with its living children, and what ended ones have used (10 ms ticks)."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    ended = (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        children = file.read().split()
    return ended + tasks_seconds(pid) + sum(tasks_seconds(child) for child in children)


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith("VmRSS:"))


class Target:
    def __init__(self, text):
        self.name, pid, url = text.split("=", 2)
        self.pid = int(pid)
        self.url = urllib.parse.urlsplit(url)
        self.path = self.url.path + ("?" + self.url.query if self.url.query else "")
        self.connection = http.client.HTTPConnection(self.url.netloc, timeout=30)
        self.took = []
        self.series = 0

    def await_answer(self):
        deadline = time.monotonic() + 30
        while True:
            try:
                return self.ask()
            except OSError:
                self.connection.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def ask(self):
        begin = time.perf_counter()
        self.connection.request("GET", self.path,
                                headers={"X-Prometheus-Scrape-Timeout-Seconds": "10"})
        answer = self.connection.getresponse()
        body = answer.read()
        self.took.append((time.perf_counter() - begin) * 1000)
        assert answer.status == 200, f"{self.name} answered {answer.status}"
        self.series = sum(1 for line in body.splitlines() if line and not line.startswith(b"#"))


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("targets", nargs="+")
    arguments.add_argument("--rounds", type=int, default=30)
    arguments.add_argument("--pause", type=float, default=1.0, help="seconds from round to round")
    arguments.add_argument("--postgres", type=int, required=True, help="pid of the postmaster")
    arguments.add_argument("--sum", help="the name of a row that adds all up")
    options = arguments.parse_args()

    targets = [Target(text) for text in options.targets]
    for target in targets:
        target.await_answer()
    for warm in range(5):
        for target in targets:
            target.ask()
        time.sleep(options.pause)
    for target in targets:
        target.took.clear()
        target.cpu = tasks_seconds(target.pid)
    server = tree_seconds(options.postgres)
    begin = time.monotonic()
    for number in range(options.rounds):
        for target in targets:
            target.ask()
        time.sleep(max(0, begin + (number + 1) * options.pause - time.monotonic()))
    server = (tree_seconds(options.postgres) - server) * 1000 / options.rounds
    rows = []
    for target in targets:
        cpu = (tasks_seconds(target.pid) - target.cpu) * 1000 / options.rounds
        ordered = sorted(target.took)
        rows.append([target.name, target.series, cpu, statistics.median(ordered),
                     ordered[int(0.99 * len(ordered))], resident_mb(target.pid)])
    if options.sum:
        rows.append([options.sum] + [sum(row[i] for row in rows) for i in range(1, 6)])
    for row in rows:
        last = f"{server:.1f}" if row is rows[-1] else ""
        print("| {} | {} | {:.2f} | {:.1f} | {:.1f} | {:.1f} | {} |".format(*row, last))


main()
