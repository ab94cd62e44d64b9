"""Compares what the load balancer says of its backends with what clients get."""

import bisect
import threading
import time
from typing import NamedTuple

import traffic

SAMPLE_SECONDS = 1
SLACK_SECONDS = 1.5  # how old a sample may be, and an answer on its way
LOST_SHARE = 0.1  # of the new connections in a second; that many are no accident


class Sample(NamedTuple):
    time: float
    healthy: frozenset  # names of the backends that are said to be healthy and get new flows
    all_healthy: bool
    explained: dict  # port of a flow of datagrams → name of the backend that it is said to go to


class Watch:
    """Samples the status, and the explanation of each flow of datagrams, each second."""

    def __init__(self, scene):
        self.scene, self.samples, self.over = scene, [], threading.Event()
        self.ports = [flow.port for flow in scene.clients.datagrams()]
        self.begun = time.monotonic()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.over.wait(SAMPLE_SECONDS):
            try:
                self.samples.append(self._sample())
            except (OSError, ValueError, KeyError):
                pass  # it is down, or stands still: then it says nothing

    def _sample(self):
        balancer = self.scene.balancer
        now = time.monotonic()
        status = balancer.call("status", timeout=SAMPLE_SECONDS)
        explained = {port: balancer.call("explain", timeout=SAMPLE_SECONDS,
                                         flow=f"udp {traffic.CLIENT}:{port} -> "
                                              f"{traffic.VIP}:{traffic.UDP_PORT}").get("backend")
                     for port in self.ports}
        healthy = frozenset(b["name"] for b in status["backends"] if is_healthy(b))
        return Sample(now, healthy, len(healthy) == len(status["backends"]) > 0, explained)

    def stop(self):
        """Ends it; returns sentences on what the status said and was not so."""
        self.over.set()
        self.thread.join()
        limit = 3 * self.scene.interval + SLACK_SECONDS
        wrong = []
        for flow in self.scene.clients.datagrams():
            wrong += self._flow(flow, limit)
        return wrong + list(self._new_connections(limit))

    def _between(self, begin, end):
        times = [sample.time for sample in self.samples]
        return self.samples[bisect.bisect_left(times, begin):bisect.bisect_right(times, end)]

    def _flow(self, flow, limit):
        for begin, end in stretches(flow):
            if begin < self.begun or end - begin <= limit:
                continue
            for name in self.scene.names:
                said = [sample.time - begin for sample in self._between(begin, end)
                        if sample.explained[flow.port] == name and name in sample.healthy]
                # Said of the same backend all that time, and not of one after the other.
                if said and said[-1] - max(said[0], 0) > limit - SLACK_SECONDS:
                    yield (f"{name} was said to be healthy for {said[-1] - said[0]:.0f} s while "
                           f"datagrams to it from port {flow.port} had no answer")

    def _new_connections(self, limit):
        """Stretches of seconds in each of which new connections failed or waited for long."""
        seconds = {}
        for attempt in self.scene.clients.tried(self.begun):
            late = attempt.outcome != "answered" or attempt.ended - attempt.begun > limit
            seconds.setdefault(int(attempt.begun), []).append(late)
        bad = [second for second, late in sorted(seconds.items())
               if sum(late) >= LOST_SHARE * len(late)]
        for begin, end in runs(bad):
            green = [s for s in self._between(begin, end) if s.all_healthy]
            if len(green) > limit:
                yield (f"all were said to be healthy for {len(green)} s while new connections "
                       f"failed")


def is_healthy(backend):
    return backend["takesNewFlows"] and backend["health"]["state"] == "fit"


def stretches(flow):
    """From when to when datagrams of a flow had no answer, one after the other."""
    begin = None
    for number, sent in enumerate(flow.sent):
        if number in flow.answers:
            if begin is not None:
                yield begin, sent
            begin = None
        elif begin is None:
            begin = sent
    if begin is not None:
        yield begin, flow.sent[-1]


def runs(seconds):
    """Runs of seconds without a gap, as pairs of their beginning and end."""
    begin = previous = None
    for second in seconds:
        if previous is not None and second != previous + 1:
            yield begin, previous + 1
            begin = None
        begin, previous = second if begin is None else begin, second
    if previous is not None:
        yield begin, previous + 1
