"""What others do to the load balancer's machine: B3 and B4 of the issue."""

import socket
import statistics
import struct
import threading
import time

import lab
from faults import repeated, status_line
from report import Line
from scene import Scene
from traffic import VIP

FLUSHES = ("iptables -t raw -F", "iptables -F", "nft flush ruleset")
PAUSE_SECONDS = 1  # from one flush to the next
BROADCAST, ETHERTYPE_ARP = b"\xff" * 6, 0x0806


def flushed(options):
    """A firewall's reload removes the rules."""
    times = {flush: [] for flush in FLUSHES}
    with Scene(options.launcher, options.interval) as scene:
        scene.load()
        before = rules()

        def fault():
            for flush in FLUSHES:
                lab.on("lb1", *flush.split())
                begun = time.monotonic()
                lab.wait_for(lambda: rules() >= before, "the rules did not come back", every=0.002)
                times[flush].append(time.monotonic() - begun)
                time.sleep(PAUSE_SECONDS)

        total, bad = repeated(scene, options.rounds, fault)
        yield Line(not total.harmed(), "B3 " + ", ".join(FLUSHES),
                   f"rounds with harm: {bad} of {options.rounds}; {total}")
        for flush, seconds in times.items():
            median, most = statistics.median(seconds) * 1000, max(seconds) * 1000
            yield Line(median <= options.rules_within * 1000, f"B3 rules back after {flush}",
                       f"median {median:.0f} ms, at most {most:.0f}, of {len(seconds)} (allowed: "
                       f"{options.rules_within * 1000:.0f} in the median)")
        yield status_line(scene, "B3")


def rules():
    """The rules of the load balancer's machine."""
    saved = lab.on("lb1", "iptables-save")
    return {line for line in saved.splitlines() if line.startswith("-A")}


def handed_over(options):
    """Another program holds the VIP, and moves it a while after the daemon was told to stop."""
    exits = []
    with Scene(options.launcher, options.interval, balancers=("lb1", "lb2"),
               lb_config="attachVip: false\n", before=lambda: hold("lb1")) as scene:
        scene.load()

        def fault():
            there, here = scene.balancers
            begun = time.monotonic()
            stop = threading.Thread(target=lambda: (
                scene.daemons[there].stop(), exits.append(time.monotonic() - begun)))
            stop.start()
            time.sleep(options.held_seconds)
            release(there)
            hold(here)
            stop.join()
            scene.balancers = [here]  # the other one knows nothing now
            time.sleep(1)
            scene.start_balancer(there)
            scene.balancers = [here, there]

        total, bad = repeated(scene, options.rounds, fault)
        what = f"B4 stop {options.held_seconds} s before the VIP moves"
        yield Line(not total.harmed(), what,
                   f"rounds with harm: {bad} of {options.rounds}; {total}; it ends after "
                   f"{statistics.median(exits):.1f} s")
        yield status_line(scene, what)


def hold(host):
    """Adds the VIP and announces it, as keepalived does."""
    lab.on(host, "ip", "address", "add", f"{VIP}/32", "dev", "eth0")
    announce(host)


def release(host):
    lab.on(host, "ip", "address", "delete", f"{VIP}/32", "dev", "eth0")


def announce(host):
    """Sends a gratuitous ARP request (RFC 5227, an ARP announcement) for the VIP."""
    def send():
        lab.enter(host)
        own = bytes.fromhex(lab.mac(host).replace(":", ""))
        vip = socket.inet_aton(VIP)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
            link.bind(("eth0", 0))
            link.send(BROADCAST + own + struct.pack("!HHHBBH", ETHERTYPE_ARP, 1, 0x0800, 6, 4, 1)
                      + own + vip + bytes(6) + vip)
    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
