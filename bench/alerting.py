#!/usr/bin/env python3
"""Deciding and telling: vigia beside a Prometheus with an Alertmanager, in one run.

    bench/alerting.py [--vigia build/release/exporter/vigia] [--rounds 60] [--alone] [PART...]

Parts (all unless named):
  pushed     from a pushed sample that breaches a rule to the webhook, and from one that ends it
  collected  the same from the moment in which vigia reads a page (vigia alone)
  storm      5,000 alerts begin at once; the webhook takes 50 ms for each message
  memory     resident memory with 10,000 active alerts

Rules are evaluated every second, `for` and group_wait are 0, every alert is a group of its own.
Starts everything on loopback in a temporary folder. With --alone, or where they are not installed,
without the peers.
"""

import argparse
import asyncio
import http.client
import json
import os
import pathlib
import random
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time

RULES = """groups:
- name: g
  interval: 1s
  rules:
  - { alert: High, expr: probe > 5 }
  - { alert: Storm, expr: storm > 5 }
"""
ROUTING = """route: { receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1s, repeat_interval: 1d }
receivers: [ { name: hook, webhook_configs: [ { url: "http://127.0.0.1:%d/", send_resolved: true } ] } ]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Sink:
    """A webhook that notes when it heard of which alert, and a page for collectors to read."""

    def __init__(self, name):
        self.name = name
        self.delay = 0.0
        self.heard = {}  # (status, labels["i"]) -> time
        self.messages = 0
        self.page = ""
        self.read = 0.0  # when the page was last asked for
        self.changed = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.port = free_port()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port, backlog=4096))
        self.loop.run_forever()

    async def serve(self, reader, writer):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = 0
                for line in head.split("\r\n"):
                    if line.lower().startswith("content-length:"):
                        length = int(line.split(":")[1])
                if "100-continue" in head.lower():
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(length)
                if head.startswith("GET"):
                    self.read = time.time()
                    page = self.page.encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
                else:
                    self.note(json.loads(body))
                    if self.delay:
                        await asyncio.sleep(self.delay)
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def note(self, message):
        now = time.time()
        with self.changed:
            self.messages += 1
            for alert in message["alerts"]:
                self.heard.setdefault((alert["status"], alert["labels"].get("i", "")), now)
            self.changed.notify_all()

    def wait(self, key, limit=30.0):
        with self.changed:
            if not self.changed.wait_for(lambda: key in self.heard, limit):
                raise SystemExit(f"the webhook of {self.name} did not hear of {key}")
            return self.heard[key]


# Remote write 1.0: snappy of literals, protobuf.
def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(tag, body):
    return varint(tag << 3 | 2) + varint(len(body)) + body


def write_request(samples):
    now = int(time.time() * 1000)
    body = b""
    for name, i, value in samples:
        labels = b"".join(field(1, field(1, key.encode()) + field(2, text.encode()))
                          for key, text in (("__name__", name), ("i", i)))
        body += field(1, labels + field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(now)))
    out = varint(len(body))
    for begin in range(0, len(body), 65536):
        part = body[begin:begin + 65536]
        out += bytes([61 << 2]) + struct.pack("<H", len(part) - 1) + part
    return out


class Peer:
    """A server under test: where samples go, and the processes that it is."""

    def __init__(self, name, port, sink, processes):
        self.name, self.port, self.sink, self.processes = name, port, sink, processes

    def push(self, samples):
        for begin in range(0, len(samples), 2000):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            connection.request("POST", "/api/v1/write", write_request(samples[begin:begin + 2000]),
                               {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
                                "X-Prometheus-Remote-Write-Version": "0.1.0"})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status // 100 != 2:
                raise SystemExit(f"{self.name} refuses samples: {answer.status} {text[:200]}")
            connection.close()

    def firing(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/api/v1/alerts")
        return sum(alert["state"] == "firing" for alert in json.load(connection.getresponse())["data"]["alerts"])

    def memory(self):
        total = 0
        for process in self.processes:
            for line in open(f"/proc/{process.pid}/status"):
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        return total / 1024

    def cpu(self):
        total = 0
        for process in self.processes:
            fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            process.wait(30)


def await_ready(port):
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/-/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"nothing answers at port {port}")


def start(command, log):
    return subprocess.Popen(command, stdout=log, stderr=log)


def start_vigia(program, folder, collectors="{}"):
    folder.mkdir()
    sink, port = Sink("vigia"), free_port()
    (folder / "rules.yml").write_text(RULES)
    (folder / "alertmanager.yml").write_text(ROUTING % sink.port)
    if collectors != "{}":
        collectors = collectors % sink.port
    (folder / "vigia.yml").write_text(
        f"collectors: {collectors}\nrules: [ rules.yml ]\nremote_write_receiver: true\n"
        "alerting: { config_file: alertmanager.yml }\nhttp: { rate_limit: { rate: 0 } }\n")
    log = open(folder / "log", "wb")
    process = start([program, "serve", "--config", folder / "vigia.yml", "--data-dir", folder / "data",
                     "--listen", f"127.0.0.1:{port}"], log)
    await_ready(port)
    return Peer("vigia", port, sink, [process])


def start_prometheus(folder):
    folder.mkdir()
    sink, port, am_port = Sink("Alertmanager"), free_port(), free_port()
    (folder / "rules.yml").write_text(RULES)
    (folder / "alertmanager.yml").write_text(ROUTING % sink.port)
    (folder / "prometheus.yml").write_text(
        "global: { evaluation_interval: 1s }\nrule_files: [ rules.yml ]\n"
        f"alerting: {{ alertmanagers: [ {{ static_configs: [ {{ targets: ['127.0.0.1:{am_port}'] }} ] }} ] }}\n")
    log = open(folder / "log", "wb")
    alertmanager = start(["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
                          f"--storage.path={folder}/am", f"--web.listen-address=127.0.0.1:{am_port}",
                          "--cluster.listen-address="], log)
    prometheus = start(["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver",
                        "--alertmanager.notification-queue-capacity=20000"], log)
    await_ready(am_port)
    await_ready(port)
    return Peer("Prometheus + Alertmanager", port, sink, [alertmanager, prometheus])


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def row(name, what, values):
    print(f"| {name} | {what} | {share(values, 0.5) * 1000:.0f} ms | {share(values, 0.99) * 1000:.0f} ms "
          f"| {max(values) * 1000:.0f} ms |", flush=True)


def pushed(peers, rounds, choice):
    times = {(peer.name, status): [] for peer in peers for status in ("firing", "resolved")}
    for number in range(rounds):
        for status, value in (("firing", 10.0), ("resolved", 0.0)):
            time.sleep(1 + choice.random())
            begun = {}
            for peer in choice.sample(peers, len(peers)):
                begun[peer.name] = time.time()
                peer.push([("probe", f"p{number}", value)])
            for peer in peers:
                heard = peer.sink.wait((status, f"p{number}"))
                times[peer.name, status].append(heard - begun[peer.name])
    print("| | from a pushed sample to the webhook | p50 | p99 | longest |\n| --- | --- | --- | --- | --- |")
    for (name, status), values in times.items():
        row(name, f"{status}, {len(values)} times", values)


def collected(peer, rounds, choice):
    times = {"firing": [], "resolved": []}
    sink = peer.sink
    for number in range(rounds):
        for status, value in (("firing", 10), ("resolved", 0)):
            time.sleep(choice.random())
            sink.page = f'probe{{i="c{number}"}} {value}\n'
            # The last reading before it was heard: the page is asked for once a second.
            heard = sink.wait((status, f"c{number}"))
            times[status].append(heard - sink.read)
    print("| | from the reading of a page to the webhook | p50 | p99 | longest |\n| --- | --- | --- | --- | --- |")
    for status, values in times.items():
        row(peer.name, f"{status}, {len(values)} times", values)


def storm(peer, count):
    peer.sink.delay = 0.05
    begun, cpu = time.time(), peer.cpu()
    peer.push([("storm", f"s{i}", 10.0) for i in range(count)])
    last = max(peer.sink.wait(("firing", f"s{i}"), 120) for i in range(count))
    print(f"| {peer.name} | {count} alerts at once to a webhook that takes 50 ms | {last - begun:.1f} s "
          f"| {peer.cpu() - cpu:.1f} s of CPU | {peer.sink.messages} messages |", flush=True)
    peer.sink.delay = 0


def memory(peer, count):
    before = peer.memory()
    peer.push([("storm", f"m{i}", 10.0) for i in range(count)])
    for i in range(count):
        peer.sink.wait(("firing", f"m{i}"), 180)
    time.sleep(5)
    print(f"| {peer.name} | {peer.firing()} active alerts | {peer.memory():.0f} MB, {peer.memory() - before:.0f} MB more than "
          "without | | |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--vigia", default="build/release/exporter/vigia")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    known = ["pushed", "collected", "storm", "memory"]
    parts = options.parts or known
    for part in parts:
        if part not in known:
            parser.error(f"there is no part {part}")
    choice = random.Random(options.seed)
    alone = options.alone or not (shutil.which("prometheus") and shutil.which("prometheus-alertmanager"))
    print("load average:", " ".join(f"{one:.1f}" for one in os.getloadavg()), flush=True)
    with tempfile.TemporaryDirectory(prefix="vigia-alerting.") as work:
        work = pathlib.Path(work)
        if "pushed" in parts:
            peers = [start_vigia(options.vigia, work / "pushed")]
            if not alone:
                peers.append(start_prometheus(work / "peers"))
            time.sleep(15)  # until Prometheus has found its Alertmanager
            pushed(peers, options.rounds, choice)
            for peer in peers:
                peer.stop()
        if "collected" in parts:
            peer = start_vigia(options.vigia, work / "collected",
                               '{ scrape: [ { name: app, url: "http://127.0.0.1:%d/metrics", interval: 1s } ] }')
            time.sleep(5)
            collected(peer, options.rounds, choice)
            peer.stop()
        for part, run, count in (("storm", storm, 5000), ("memory", memory, 10000)):
            if part not in parts:
                continue
            starts = [lambda: start_vigia(options.vigia, work / part)]
            if not alone:
                starts.append(lambda: start_prometheus(work / (part + "-peers")))
            for begin in starts:
                peer = begin()
                time.sleep(15)
                run(peer, count)
                peer.stop()


if __name__ == "__main__":
    main()
