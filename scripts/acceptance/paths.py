"""Data paths that stop working behind a session that goes on: A2 and B11 of the issue."""

import contextlib
import time

import lab
from faults import rule, status_line
from report import Line
from scene import Scene, log
from traffic import VIP

DATA = ("INPUT", "-p", "udp", "--dport", "1337")
BLACK_HOLES = {"every packet": (), "packets of 1,400 bytes and more":
               ("-m", "length", "--length", "1400:65535")}
OTHER_SOURCE = "10.77.0.4"
DRIFT_SECONDS = 5  # until values that somebody changed are back
DSR_VALUES = {"net.ipv4.conf.all.arp_ignore": "1", "net.ipv4.conf.all.arp_announce": "2"}


def black_holes(options):
    """A firewall drops what the load balancer sends to one backend."""
    for what, match in BLACK_HOLES.items():
        with Scene(options.launcher, options.interval) as scene:
            scene.load()
            yield from found_out(scene, f"A2 {what} to b1 dropped", options,
                                 rule("b1", *DATA, *match, "-j", "DROP"), {"b1"})


def source_changed(options):
    """The address that packets came from when the path was proven is taken from the machine."""
    with Scene(options.launcher, options.interval, before=prefer_other_source) as scene:
        scene.load()
        yield from found_out(scene, "A2 the load balancer's source address is gone", options,
                             source_gone(), set())


def found_out(scene, what, options, fault, lost):
    """While a fault lasts, clients lose at most what three health intervals cost.

    lost: the names of the backends that cannot work meanwhile.
    """
    limit = 3 * scene.interval + 1
    with fault:
        begun = time.monotonic()
        time.sleep(limit)
        known = {name for name in lost if name not in scene.healthy()}
        since = time.monotonic()
        time.sleep(options.fault_seconds)
        counts = scene.harm(since)
    counts["broken"] = counts["silent"] = 0  # those with a backend that is cut off may wait
    healed = scene.heal()
    after = scene.harm(begun)
    yield Line(known == lost and not counts.harmed(), what,
               f"known to be lost after {limit:.0f} s: {', '.join(known) or 'none'}; "
               f"from then on {counts}")
    yield Line(healed and not after["broken"], f"{what}, and again",
               f"{'healed' if healed else 'not healed'}; {after['broken']} of {after['open']} "
               f"open connections broken")
    yield status_line(scene, what)


def prefer_other_source():
    lab.on("lb1", "ip", "address", "add", f"{OTHER_SOURCE}/24", "dev", "eth0")
    lab.on("lb1", "ip", "route", "change", "10.77.0.0/24", "dev", "eth0", "src", OTHER_SOURCE)


@contextlib.contextmanager
def source_gone():
    use = ("10.77.0.0/24", "dev", "eth0", "src", "10.77.0.2")
    lab.on("lb1", "ip", "address", "delete", f"{OTHER_SOURCE}/24", "dev", "eth0")
    lab.on("lb1", "ip", "route", "replace", *use)
    yield


def drift(options):
    """Somebody sets the values on a backend back that keep it from answering ARP for the VIP."""
    with Scene(options.launcher, options.interval) as scene:
        scene.load()
        begun, said = time.monotonic(), len(log(scene.daemons["b1"]))
        for name in DSR_VALUES:
            lab.on("b1", "sysctl", "-qw", f"{name}=0")
        time.sleep(0.2)
        while not (back := drifted() == []) and time.monotonic() < begun + 2 * DRIFT_SECONDS:
            time.sleep(0.1)
        seconds = time.monotonic() - begun
        logged = "arp_" in log(scene.daemons["b1"])[said:]
        lab.on("client", "ip", "neigh", "flush", "to", VIP)
        scene.heal()
        counts = scene.harm(begun)
        answered = {a.backend for a in scene.clients.tried(time.monotonic() - 2)}
        yield Line(back and seconds <= DRIFT_SECONDS and logged and not counts.harmed()
                   and answered == set(scene.names), "B11 arp_ignore=0 arp_announce=0 on b1",
                   f"{f'back after {seconds:.1f} s' if back else 'not back'}, "
                   f"{'logged' if logged else 'nothing logged'}; answers from "
                   f"{', '.join(sorted(answered))}; {counts}")
        yield status_line(scene, "B11")


def drifted():
    return [name for name, value in DSR_VALUES.items()
            if lab.on("b1", "sysctl", "-n", name).strip() != value]
