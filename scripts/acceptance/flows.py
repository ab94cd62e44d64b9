"""Forged packets, silence and changes of the pool: C1 of the issue."""

import itertools
import random
import socket
import struct
import time

from faults import status_line
from report import Line
from scene import Scene
from traffic import CLIENT, TCP_PORT, VIP, Remote

CONNECTIONS, HALF_CLOSED = 60, 20
RST, SYN, FIN, ACK = 4, 2, 1, 16
FORGED = (RST, FIN | ACK, SYN)


def forged(options):
    """Blind packets for each connection, silence, a join and drains."""
    silence = options.silence_seconds
    with Scene(options.launcher, options.interval, names=("b1", "b2"),
               lb_config=options.flows) as scene:
        scene.load(0)
        scene.clients.converse(CONNECTIONS + HALF_CLOSED, HALF_CLOSED, silence + 15)
        scene.clients.silence(True)
        time.sleep(1)
        forger = Remote("router", Forger)
        ports = [c.port for c in scene.clients.conversations()[HALF_CLOSED:]]
        forger.send(ports)
        time.sleep(silence)
        # A third of all slots moves to it; only who is still known stays.
        scene.start_backend("b3")
        scene.names.append("b3")
        scene.await_healthy()
        forger.send(ports)
        scene.daemons["b1"].call("drain")
        time.sleep(1)
        begun = time.monotonic()
        scene.clients.silence(False)
        time.sleep(20)
        drained = scene.clients.conversations()
        scene.daemons["b1"].call("resume")
        scene.await_healthy()
        forger.close()
        yield line(f"C1 {CONNECTIONS} connections, a blind RST, FIN and SYN for each, {silence} s "
                   f"of silence, a join, a drain", drained[HALF_CLOSED:], begun)
        yield line(f"C1 {HALF_CLOSED} connections that their clients have closed half, the same",
                   drained[:HALF_CLOSED], begun)
        yield status_line(scene, "C1")


def line(what, conversations, begun):
    broken = [c for c in conversations if c.state != "open"]
    silent = [c for c in conversations if c.state == "open" and c.progress < begun]
    return Line(not broken and not silent, what,
                f"{len(broken)} of {len(conversations)} broken, {len(silent)} silent")


class Forger:
    """Sends TCP segments in a client's name, by somebody who sees none of its packets."""

    def __init__(self):
        self.random = random.Random(12)
        self.raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)

    async def begin(self):
        pass

    async def send(self, ports):
        """One of each kind to each port, in every order."""
        for port, order in zip(ports, itertools.cycle(itertools.permutations(FORGED))):
            for flags in order:
                self._send(port, flags)

    def _send(self, port, flags):
        addresses = socket.inet_aton(CLIENT) + socket.inet_aton(VIP)
        tcp = struct.pack("!HHIIBBHHH", port, TCP_PORT, self.random.getrandbits(32),
                          self.random.getrandbits(32) if flags & ACK else 0, 5 << 4, flags,
                          65_535, 0, 0)
        pseudo = addresses + struct.pack("!HH", socket.IPPROTO_TCP, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, socket.IPPROTO_TCP, 0)
        self.raw.sendto(ip + addresses + tcp, (VIP, 0))


def checksum(data):
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{(len(data) + 1) // 2}H", data + bytes(len(data) % 2)))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
