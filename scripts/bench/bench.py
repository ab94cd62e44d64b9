"""Measures Caplance in the lab, next to others in the same run; see scripts/bench.sh."""

import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import threading
import time

import lab
import report
from contenders import Caplance, Reference, Routing
from crowd import Crowd
from figures import Bench, fragments_created

ALL = ("saturation", "cpu", "lossfree", "latency", "memory", "tcp", "http", "change", "start",
       "idle")
BACKEND_CONFIG = """
name: b1
address: 10.77.0.11
vips: [10.77.0.50]
loadBalancers: [{address: 10.77.0.2}]
"""
IDLE_SECONDS = 3
CROWDS = {1_000: 65_537, 10_000: 655_373}  # backends, and slots of their table
CHANGE_RATE = 20_000  # packets per second that are forwarded meanwhile
A_MILLION = 1_050_000


class Samples:
    """Figure → contender → samples, printed as they come."""

    def __init__(self):
        self.figures = {}

    def add(self, figure, contender, value):
        self.figures.setdefault(figure, {}).setdefault(contender, []).append(value)
        print(f"  {figure}: {contender}: {report.text(value)}", file=sys.stderr, flush=True)


def packets(bench, samples, only, rounds):
    """Everything that looks at the load balancer alone."""
    caplance = Caplance()
    caplance.register()
    contenders = [Routing(), Reference(bench.programs), caplance]
    balancers = contenders[1:]
    for contender in contenders:
        bench.deliver(contender, 0)  # the first packets find cold caches and an interpreter
    if "idle" in only:
        idle(samples, caplance.daemon)
    loss_free = {}
    for number in range(rounds):
        print(f"round {number + 1}", file=sys.stderr)
        if "saturation" in only:
            for contender in contenders:
                for figure, value in bench.saturation(contender).items():
                    samples.add(f"saturated: {figure}", contender.name, value)
        if "cpu" in only:
            cpu(bench, samples, balancers)
        if "lossfree" in only:
            for contender in contenders:
                rate = bench.loss_free(contender)
                loss_free.setdefault(contender.name, []).append(rate)
                samples.add("loss-free packets per second", contender.name, rate)
        if "latency" in only:
            latency(bench, samples, contenders, loss_free)
    if "memory" in only:
        bench.offer(caplance.vip, 200_000, 8, flows=A_MILLION, source="10.99.0.1")
        flows = sum(worker["flows"] for worker in caplance.daemon.status()["workers"])
        samples.add("flows in the table", caplance.name, flows)
        samples.add("load balancer's memory, MB", caplance.name,
                    caplance.daemon.resident_bytes() / 1e6)
    caplance.deregister()
    return caplance


def cpu(bench, samples, balancers):
    ways = {
        "saturated": lambda contender: bench.own_cpu(contender, 0),
        "100,000/s": lambda contender: bench.own_cpu(contender, 100_000),
        "saturated, no UDP segmentation offload": bench.own_cpu_without_offload,
    }
    for label, way in ways.items():
        for contender in balancers:
            for figure, value in way(contender).items():
                samples.add(f"balancing alone, {label}: {figure}", contender.name, value)


def latency(bench, samples, contenders, loss_free):
    rates = {"1,000/s": 1000}
    if loss_free:
        rates["half of the least loss-free rate"] = min(
            report.median(rates) for rates in loss_free.values()) / 2
    for label, rate in rates.items():
        for contender in contenders:
            for quantile, micros in bench.latency(contender, rate).items():
                samples.add(f"latency at {label}, {quantile}, µs", contender.name, micros)


def idle(samples, daemon):
    before = daemon.cpu_seconds()
    time.sleep(IDLE_SECONDS)
    used = (daemon.cpu_seconds() - before) / IDLE_SECONDS
    samples.add("ms of CPU per idle second", "Caplance", used * 1000)


def connections(bench, samples, only, rounds, balancer):
    """Real connections through both daemons, next to the same without any; nobody is pinned."""
    release(balancer.daemon.process.pid)
    backend = lab.Daemon("b1", "backend", BACKEND_CONFIG, cpu=None)
    lab.wait_for(lambda: any(b["takesNewFlows"] for b in balancer.daemon.status()["backends"]),
                 "the backend did not become fit")
    server = lab.start("b1", "iperf3", "-s", cpu=None, stdout=subprocess.DEVNULL)
    lab.wait_for_listener("b1", 5201)
    ways = {"direct": Routing.vip, "Caplance": Caplance.vip}
    for vip in ways.values():
        bench.upload(vip)
    fragments = fragments_created()
    for number in range(rounds):
        print(f"round {number + 1}, connections", file=sys.stderr)
        for name, vip in ways.items():
            if "tcp" in only:
                for figure, value in bench.upload(vip).items():
                    samples.add(f"upload: {figure}", name, value)
            if "http" in only:
                samples.add("HTTP connections per second", name, bench.connections(vip))
    samples.add("upload: outer fragments", "Caplance", fragments_created() - fragments)
    samples.add("backend's memory, MB", "Caplance", backend.resident_bytes() / 1e6)
    lab.end(server)
    backend.stop()


def changes(bench, samples, rounds, count, slots):
    """What a change among many backends costs, and the packets that are forwarded meanwhile."""
    reference = Reference(bench.programs)
    balancer = Caplance(f"maglevSize: {slots}\n")
    crowd = Crowd(count, "10.77.0.2")
    balancer.sink = crowd.sink
    for _ in range(20):
        crowd.change(503)  # until what builds the tables is compiled
        crowd.change(200)
    bench.deliver(balancer, CHANGE_RATE)  # and what forwards
    for number in range(rounds):
        print(f"round {number + 1}, {count:,} backends", file=sys.stderr)
        for contender in (reference, balancer):
            most = bench.deliver(contender, CHANGE_RATE)["nanos"]["most"]
            samples.add(f"longest one-way time, {count:,} backends, ms", contender.name, most / 1e6)
        with Changing(crowd) as changing:
            most = bench.deliver(balancer, CHANGE_RATE)["nanos"]["most"]
        samples.add(f"the same while they change, {count:,} backends, ms", balancer.name, most / 1e6)
        samples.add(f"a change, {count:,} backends, ms", balancer.name,
                    report.median(changing.seconds) * 1e3)
    crowd.close()
    balancer.daemon.stop()
    reference.stop()


class Changing:
    """While it holds, one backend becomes unfit and fit again, ten times a second."""

    def __init__(self, crowd):
        self.crowd, self.seconds, self.over = crowd, [], threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        code = 503
        while not self.over.wait(0.1) or code == 200:
            begun = time.monotonic()
            self.crowd.change(code)
            self.seconds.append(time.monotonic() - begun)
            code = 200 if code == 503 else 503

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


def release(pid):
    """All threads of a process may run on any core."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), range(os.cpu_count()))
        except ProcessLookupError:
            pass  # a compiler's thread that has ended


def starts(samples, rounds):
    """From exec to READY=1, on a machine that does nothing else; and a Java that does nothing."""
    for _ in range(rounds):
        begun = time.monotonic()
        subprocess.run(["java", "-XX:+UseSerialGC", "-Xmx64m", "-version"], capture_output=True,
                       check=True)
        samples.add("ms for java -version", "Java", (time.monotonic() - begun) * 1000)
        for host, kind, config in (("lb1", "lb", "services: [{name: web, vip: 10.77.0.50}]\n"),
                                   ("b1", "backend", BACKEND_CONFIG)):
            daemon = lab.Daemon(host, kind, config, cpu=None)
            samples.add(f"ms from exec to READY, {kind}", "Caplance",
                        daemon.seconds_to_ready * 1000)
            daemon.stop()


def environment():
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=lab.ROOT, capture_output=True,
                            text=True, check=False).stdout.strip()
    return {"commit": commit, "kernel": platform.release(), "cores": os.cpu_count(),
            "load average before": os.getloadavg()[0],
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def measure(options, samples):
    only = options.only
    bench = Bench(options.programs, 1 if options.quick else 3)
    if "start" in only:
        starts(samples, options.rounds)
    if set(only) - {"start", "change"}:
        balancer = packets(bench, samples, only, options.rounds)
        if "tcp" in only or "http" in only:
            connections(bench, samples, only, options.rounds, balancer)
        balancer.daemon.stop()
    if "change" in only:
        for count, slots in list(CROWDS.items())[:1 if options.quick else None]:
            changes(bench, samples, options.rounds, count, slots)


def parse():
    parser = argparse.ArgumentParser(prog="bench.sh", description=__doc__)
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="one short round: a look, no measurement")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5, or 1 with --quick)")
    parser.add_argument("--only", type=lambda text: text.split(","), default=ALL,
                        help="some of " + ",".join(ALL))
    parser.add_argument("--json", help="write every sample to this file")
    options = parser.parse_args()
    unknown = set(options.only) - set(ALL)
    if unknown:
        parser.error(f"--only: no such figure: {', '.join(sorted(unknown))}")
    options.rounds = options.rounds or (1 if options.quick else 5)
    return options


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    told = environment()
    samples = Samples()
    try:
        lab.script("up")
        measure(options, samples)
    finally:
        lab.end_all()
        lab.script("down")
    print(", ".join(f"{name} {value}" for name, value in told.items()))
    print(report.write(samples.figures), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"environment": told, "figures": samples.figures}, indent=1))


if __name__ == "__main__":
    main()
