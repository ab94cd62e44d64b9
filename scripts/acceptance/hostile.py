"""Everything hostile at once: D of the issue."""

import asyncio
import os
import socket
import subprocess
import time

import lab
from faults import status_line
from malice import Controls, Lines, Packets
from report import Line
from scene import BALANCERS, Scene
from traffic import Remote

PACKETS, LINES, CONTROLS = 1_000_000, 100_000, 10_000  # in five minutes
FULL_SECONDS = 300
ENOUGH = 0.9  # of these
HEAP_TOLERANCE = 2_000_000  # bytes: what caches and counters may grow by
WARM_UP_SECONDS = 5


class Witness:
    """A backend that reports its health twice a second and times each acknowledgement."""

    def __init__(self):
        self.latest, self.count, self.end, self.waits_since = 0.0, 0, "", None

    async def begin(self):
        data = socket.socket(type=socket.SOCK_DGRAM)
        data.bind(("10.77.0.13", 1337))
        data.setblocking(False)
        self.reader, self.writer = await asyncio.open_connection(BALANCERS["lb1"], 1338)
        self.writer.write(b"REGISTER witness 10.77.0.13 version=2 health=10s\n")
        probe = await asyncio.get_running_loop().sock_recv(data, 256)
        self.writer.write(probe.replace(b"SANITY", b"SANE") + b"\n")
        while not (await self.reader.readline()).startswith(b"REGISTERED"):
            pass
        self.task = asyncio.create_task(self._report())

    async def _report(self):
        while not self.end:
            self.waits_since = time.monotonic()
            self.writer.write(b"HEALTH 503 only a witness\n")
            answer = await self.reader.readline()
            self._see()
            self.count, self.waits_since = self.count + 1, None
            if not answer.startswith(b"HEALTHACK"):
                self.end = f"heard '{answer.decode().strip()}'"
            await asyncio.sleep(0.5)

    def _see(self):
        if self.waits_since:
            self.latest = max(self.latest, time.monotonic() - self.waits_since)

    async def told(self):
        self._see()
        return self.latest, self.count, self.end


def hostile(options):
    seconds = options.hostile_seconds
    share = seconds / FULL_SECONDS
    unread, writer = os.pipe()  # nobody reads what the load balancer says
    with Scene(options.launcher, options.interval, names=("b1", "b2"), output=writer,
               vips=("10.77.0.50", "fd77::50")) as scene:
        scene.load()
        witness = Remote("b3", Witness)
        attack(scene, WARM_UP_SECONDS, WARM_UP_SECONDS / FULL_SECONDS)
        time.sleep(1)
        before = {name: live_bytes(daemon) for name, daemon in scene.daemons.items()}
        begun = time.monotonic()
        done, enough, again = attack(scene, seconds, share, cut=True)
        latest, count, end = witness.told()
        dead = [name for name, daemon in scene.daemons.items() if daemon.process.poll() is not None]
        yield Line(not dead and enough, f"D {seconds} s of {done}",
                   f"daemons that ended: {', '.join(dead) or 'none'}"
                   f"{'' if enough else '; they did not take as much as was to be sent'}")
        yield Line(latest <= options.acknowledged_within and not end,
                   "D acknowledgements of another backend",
                   f"{count}, the latest after {latest * 1000:.0f} ms{f'; {end}' if end else ''} "
                   f"(allowed: {options.acknowledged_within * 1000})")
        yield Line(again <= options.again_within, "D a backend whose session is cut meanwhile",
                   f"registered again after {again:.1f} s (allowed: {options.again_within})")
        if not dead:
            healed = scene.heal()
            counts = scene.harm(begun)
            yield Line(healed and not counts.harmed(), "D clients meanwhile", str(counts))
            yield from heaps(scene, before)
        yield status_line(scene, "D")
        witness.close()
    os.close(unread)
    os.close(writer)


def attack(scene, seconds, share, cut=False):
    """Attacks for so long.

    Returns what was done, whether it was nearly all that was to be, and the seconds after which a
    cut session was there again.
    """
    macs = {host: lab.mac(host) for host in ("lb1", "b1")}
    paths = [str(scene.daemons[host].socket) for host in ("lb1", "b1")]
    attackers = [Remote("router", Packets, int(PACKETS * share), seconds, macs),
                 Remote("router", Lines, int(LINES * share), seconds),
                 Remote("lb1", Controls, int(CONTROLS * share), seconds, paths)]
    begun = time.monotonic()
    again = 0.0
    if cut:
        time.sleep(seconds / 2)
        again = cut_session(scene, "b2")
    time.sleep(max(0, begun + seconds + 1 - time.monotonic()))
    packets, (lines, outcomes), controls = [attacker.told() for attacker in attackers]
    for attacker in attackers:
        attacker.close()
    done = f"{packets:,} packets, {lines:,} lines ({outcomes}), {controls:,} requests"
    enough = all(count >= ENOUGH * share * wanted for count, wanted in (
        (packets, PACKETS), (lines, LINES), (controls, CONTROLS)))
    return done, enough, again


def cut_session(scene, name):
    """Cuts a backend's session; returns the seconds until it has another."""
    begun = time.monotonic()
    lab.on(name, "ss", "-tK", "dport", "=", ":1338")
    try:
        lab.wait_for(lambda: is_connected(scene.daemons[name]), "", every=0.2)
    except RuntimeError:
        pass
    return time.monotonic() - begun


def is_connected(daemon):
    status = daemon.status()
    return all(balancer.get("state") == "registered" for balancer in status["loadBalancers"])


def live_bytes(daemon):
    """Bytes of the objects on the heap after a full collection."""
    told = subprocess.run(["jcmd", str(daemon.process.pid), "GC.class_histogram"],
                          capture_output=True, text=True, check=True).stdout
    return int(told.splitlines()[-1].split()[2])


def heaps(scene, before):
    for name, was in before.items():
        lab.wait_for(lambda: len(scene.balancer.status()["backends"]) <= 3, "strangers stay")
        now = live_bytes(scene.daemons[name])
        yield Line(now <= was + HEAP_TOLERANCE, f"D heap on {name} after collection",
                   f"{was / 1e6:.1f} MB before, {now / 1e6:.1f} after (allowed: "
                   f"{HEAP_TOLERANCE / 1e6:.0f} more)")
