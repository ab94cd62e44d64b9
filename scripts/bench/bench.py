"""Measures Caplance in the lab, side by side with others in one run; see scripts/bench.sh."""

import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time

import builds
import lab
import report
from contenders import Caplance, ManyServices, Reference, Routing
from crowd import Crowd
from figures import Bench, fragments_created

ALL = ("saturation", "cpu", "lossfree", "latency", "memory", "tcp", "http", "change", "start",
       "idle", "services")
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


def turns(contenders, number):
    """The contenders in the order of a round; every other round goes backwards."""
    return contenders[::-1] if number % 2 else contenders


def packets(bench, samples, only, rounds, balancers):
    """Everything that concerns the load balancer alone."""
    reference = Reference(bench.programs)
    everyone = [Routing(), reference, *balancers]
    for balancer in balancers:
        balancer.register()
    for contender in everyone:
        bench.deliver(contender, 0)  # warm-up: caches are cold and the code is interpreted
    loss_free = {}
    for number in range(rounds):
        print(f"round {number + 1}", file=sys.stderr)
        contenders = turns(everyone, number)
        if "idle" in only:
            idle(samples, balancers)
        if "saturation" in only:
            for contender in contenders:
                for figure, value in bench.saturation(contender).items():
                    samples.add(f"saturated: {figure}", contender.name, value)
        if "cpu" in only:
            cpu(bench, samples, turns([reference, *balancers], number))
        if "lossfree" in only:
            for contender in contenders:
                rate = bench.loss_free(contender)
                loss_free.setdefault(contender.name, []).append(rate)
                samples.add("loss-free packets per second", contender.name, rate)
        if "latency" in only:
            latency(bench, samples, contenders, loss_free)
    for balancer in balancers:
        if "memory" in only:
            memory(bench, samples, balancer)
        balancer.deregister()


def cpu(bench, samples, balancers):
    measurements = {
        "saturated": lambda contender: bench.own_cpu(contender, 0),
        "100,000/s": lambda contender: bench.own_cpu(contender, 100_000),
        "saturated, no UDP segmentation offload": bench.own_cpu_without_offload,
    }
    for label, measurement in measurements.items():
        for contender in balancers:
            for figure, value in measurement(contender).items():
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


def memory(bench, samples, balancer):
    bench.offer(balancer, 200_000, 8, flows=A_MILLION, source="10.99.0.1")
    flows = sum(worker["flows"] for worker in balancer.daemon.status()["workers"])
    samples.add("flows in the table", balancer.name, flows)
    samples.add("load balancer's memory, MB", balancer.name,
                balancer.daemon.resident_bytes() / 1e6)


def idle(samples, balancers):
    before = [balancer.cpu_seconds() for balancer in balancers]
    time.sleep(IDLE_SECONDS)
    for balancer, was in zip(balancers, before):
        samples.add("ms of CPU per idle second", balancer.name,
                    (balancer.cpu_seconds() - was) / IDLE_SECONDS * 1000)


def connections(bench, samples, only, rounds, balancers):
    """Real connections, through both daemons and without them; no process is pinned."""
    servers, backends = [], {}
    vips = {"direct": Routing.vip}
    for balancer in balancers:
        release(balancer.daemon.process.pid)
        site = balancer.build.site
        backends[balancer] = balancer.build.backend(cpu=None)
        lab.wait_for(lambda: any(b["takesNewFlows"] for b in balancer.daemon.status()["backends"]),
                     "the backend did not become healthy")
        servers.append(lab.start(site.backend, "iperf3", "-s", cpu=None, stdout=subprocess.DEVNULL))
        lab.wait_for_listener(site.backend, 5201)
        vips[balancer.name] = balancer.vip
    for vip in vips.values():
        bench.upload(vip)
    fragments = {balancer: fragments_created(balancer.host) for balancer in balancers}
    for number in range(rounds):
        print(f"round {number + 1}, connections", file=sys.stderr)
        for name, vip in turns(list(vips.items()), number):
            if "tcp" in only:
                for figure, value in bench.upload(vip).items():
                    samples.add(f"upload: {figure}", name, value)
            if "http" in only:
                samples.add("HTTP connections per second", name, bench.connections(vip))
    for balancer, backend in backends.items():
        samples.add("upload: outer fragments", balancer.name,
                    fragments_created(balancer.host) - fragments[balancer])
        samples.add("backend's memory, MB", balancer.name, backend.resident_bytes() / 1e6)
        backend.stop()
    for server in servers:
        lab.end(server)


def services(bench, samples, rounds, build):
    """One service and 1,000 of them, each on a host of its own."""
    one, many = Caplance(build.at(builds.SITES[0])), ManyServices(build.at(builds.SITES[1]))
    for balancer in (one, many):
        balancer.register()
        bench.deliver(balancer, 0)
    for number in range(rounds):
        print(f"round {number + 1}, services", file=sys.stderr)
        for balancer in turns([one, many], number):
            for figure, value in bench.saturation(balancer).items():
                samples.add(f"by services, saturated: {figure}", balancer.name, value)
        for label, rate in (("saturated", 0), ("100,000/s", 100_000)):
            for balancer in turns([one, many], number):
                for figure, value in bench.own_cpu(balancer, rate).items():
                    samples.add(f"by services, balancing alone, {label}: {figure}", balancer.name,
                                value)
    for balancer in (one, many):
        balancer.deregister()
        balancer.daemon.stop()


def changes(bench, samples, rounds, installed, count, slots):
    """How long a change among many backends takes, and how long packets wait meanwhile."""
    reference = Reference(bench.programs)
    crowds = {}
    for build in installed:
        limit = f"session: {{maxBackends: {count}}}\n" if build.limits_backends else ""
        balancer = Caplance(build, f"maglevSize: {slots}\n{limit}")
        crowds[balancer] = crowd = Crowd(count, build.site)
        balancer.sink = crowd.sink
        for _ in range(20):
            crowd.change(503)  # until the code that builds tables is compiled
            crowd.change(200)
        bench.deliver(balancer, CHANGE_RATE)  # and the code that forwards
    for number in range(rounds):
        print(f"round {number + 1}, {count:,} backends", file=sys.stderr)
        for contender in turns([reference, *crowds], number):
            most = bench.deliver(contender, CHANGE_RATE)["nanos"]["most"]
            samples.add(f"longest one-way time, {count:,} backends, ms", contender.name, most / 1e6)
        for balancer, crowd in turns(list(crowds.items()), number):
            with Changing(crowd) as changing:
                most = bench.deliver(balancer, CHANGE_RATE)["nanos"]["most"]
            samples.add(f"the same while they change, {count:,} backends, ms", balancer.name,
                        most / 1e6)
            samples.add(f"a change, {count:,} backends, ms", balancer.name,
                        report.median(changing.seconds) * 1e3)
    for balancer, crowd in crowds.items():
        crowd.close()
        balancer.daemon.stop()
    reference.stop()


class Changing:
    """A context in which one backend becomes unhealthy and healthy again, ten times a second."""

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
    """Lets all threads of a process run on any core."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            os.sched_setaffinity(int(task.name), range(os.cpu_count()))
        except ProcessLookupError:
            pass  # a compiler thread that has ended


def starts(samples, rounds, installed):
    """From exec to READY=1 on an idle machine, and a Java that does nothing, for comparison."""
    for number in range(rounds):
        begun = time.monotonic()
        subprocess.run(["java", "-XX:+UseSerialGC", "-Xmx64m", "-version"], capture_output=True,
                       check=True)
        samples.add("ms for java -version", "Java", (time.monotonic() - begun) * 1000)
        for kind in ("lb", "backend"):
            for build in turns(installed, number):
                daemon = build.balancer(cpu=None) if kind == "lb" else build.backend(cpu=None)
                samples.add(f"ms from exec to READY, {kind}", build.name,
                            daemon.seconds_to_ready * 1000)
                daemon.stop()


def environment():
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=lab.ROOT, capture_output=True,
                            text=True, check=False).stdout.strip()
    return {"commit": commit, "kernel": platform.release(), "cores": os.cpu_count(),
            "load average before": os.getloadavg()[0],
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}


def measure(options, samples, installed):
    only = options.only
    bench = Bench(options.programs, 1 if options.quick else 3)
    if "start" in only:
        starts(samples, options.rounds, installed)
    if set(only) - {"start", "change", "services"}:
        balancers = [Caplance(build) for build in installed]
        packets(bench, samples, only, options.rounds, balancers)
        if "tcp" in only or "http" in only:
            connections(bench, samples, only, options.rounds, balancers)
        for balancer in balancers:
            balancer.daemon.stop()
    if "services" in only:
        for build in installed:
            services(bench, samples, options.rounds, build)
    if "change" in only:
        for count, slots in list(CROWDS.items())[:1 if options.quick else None]:
            changes(bench, samples, options.rounds, installed, count, slots)
    if options.against:
        for build in installed:
            samples.add("jar, bytes", build.name, build.jar_bytes)


def parse():
    parser = argparse.ArgumentParser(prog="bench.sh", description=__doc__)
    parser.add_argument("--programs", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true", help="one short round, for an impression")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (5, or 1 with --quick)")
    parser.add_argument("--only", type=lambda text: text.replace(" ", "").split(","), default=ALL,
                        help="only these, separated by commas: " + ", ".join(ALL))
    parser.add_argument("--against", type=pathlib.Path, metavar="JAR",
                        help="another caplance.jar, with its caplance.classlist beside it")
    parser.add_argument("--json", help="write every sample to this file")
    options = parser.parse_args()
    unknown = set(options.only) - set(ALL)
    if unknown:
        parser.error(f"--only: no such figure: {', '.join(sorted(unknown))}")
    for file in (options.against, lab.class_list(options.against)) if options.against else ():
        if not file.is_file():
            parser.error(f"--against: there is no file {file}")
    options.rounds = options.rounds or (1 if options.quick else 5)
    return options


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    about = environment()
    if options.against:
        about["other jar"] = str(options.against)
    samples = Samples()
    try:
        with tempfile.TemporaryDirectory(dir=options.programs) as directory:
            installed = builds.install(pathlib.Path(directory), options.against)
            lab.script("up")
            measure(options, samples, installed)
    finally:
        lab.end_all()
        lab.script("down")
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    print(report.write(samples.figures), flush=True)
    if options.json:
        pathlib.Path(options.json).write_text(
            json.dumps({"environment": about, "figures": samples.figures}, indent=1))


if __name__ == "__main__":
    main()
