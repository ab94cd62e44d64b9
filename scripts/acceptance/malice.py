"""What hostile machines and programs send. Each class lives in a child process (see Remote)."""

import asyncio
import collections
import ipaddress
import itertools
import json
import random
import resource
import socket
import struct

import lab
from flows import checksum

PACE_SECONDS = 0.01
ATTACKER, VICTIM = "10.77.0.9", "10.77.0.12"
VIPS = ("10.77.0.50", "fd77::50")
ETHERTYPE_IPV4, ETHERTYPE_IPV6 = 0x0800, 0x86dd


class Paced:
    """Does something so many times within so many seconds, evenly."""

    def __init__(self, count, seconds, seed):
        self.count, self.seconds, self.random = count, seconds, random.Random(seed)
        self.done = 0

    async def turns(self):
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while self.done < self.count:
            due = min(self.count, int(self.count * (loop.time() - begun) / self.seconds) + 1)
            while self.done < due:
                self.done += 1
                yield
            await asyncio.sleep(PACE_SECONDS)

    async def told(self):
        return self.done


class Packets(Paced):
    """Frames to the load balancer and a backend that no kernel would send."""

    SOURCES = ("10.77.0.10", "10.77.0.9", "0.1.2.3", "127.0.0.1", "224.0.0.1", "255.255.255.255",
               VIPS[0], "10.77.0.2", "10.77.0.11", "198.51.100.7")

    def __init__(self, count, seconds, macs):
        super().__init__(count, seconds, 1)
        self.link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        self.link.bind(("eth0", 0))
        own = lab.mac("router")
        self.ethernet = {host: mac_bytes(mac) + mac_bytes(own) for host, mac in macs.items()}
        self.kinds = [self.tcp, self.udp, self.icmp, self.fragment, self.wrong_header, self.ipv6,
                      self.to_data_port, self.noise]

    async def begin(self):
        self.task = asyncio.create_task(self._send())

    async def _send(self):
        async for _ in self.turns():
            host, ethertype, packet = self.random.choice(self.kinds)()
            try:
                self.link.send(self.ethernet[host] + struct.pack("!H", ethertype) + packet)
            except OSError:
                pass  # too long for the link, or no buffer

    def bytes(self, most):
        return self.random.randbytes(self.random.randrange(most))

    def ipv4(self, protocol, payload, source=None, target=VIPS[0], fragment=0, ident=0):
        header = bytearray(struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident, fragment,
                                       64, protocol, 0))
        header += socket.inet_aton(source or self.random.choice(self.SOURCES))
        header += socket.inet_aton(target)
        header[10:12] = struct.pack("!H", checksum(bytes(header)))
        return bytes(header) + payload

    def tcp_segment(self):
        words = self.random.getrandbits
        return struct.pack("!HHIIHHHH", words(16), self.random.choice((80, 7000, words(16))),
                           words(32), words(32), self.random.choice((0x5000, words(16)))
                           | words(6), words(16), words(16), words(16)) + self.bytes(64)

    def tcp(self):
        segment = self.tcp_segment()
        return "lb1", ETHERTYPE_IPV4, self.ipv4(6, segment[:self.random.choice((len(segment), 7))])

    def udp(self):
        length = self.random.choice((8, 0, 7, 65_535, self.random.getrandbits(16)))
        return "lb1", ETHERTYPE_IPV4, self.ipv4(17, struct.pack(
            "!HHHH", self.random.getrandbits(16), 7001, length, 0) + self.bytes(200))

    def icmp(self):
        """Errors with quotes of all kinds, also of what the load balancer sends itself."""
        quoted = self.random.choice((
            self.ipv4(6, self.tcp_segment(), VIPS[0], "10.77.0.10"),
            self.ipv4(17, struct.pack("!HHHH", self.random.getrandbits(16), 1337, 60, 0),
                      "10.77.0.2", "10.77.0.11"),
            self.bytes(40)))
        kind, code, mtu = self.random.choice((
            (3, 4, 68), (3, 4, 0), (3, 4, 576), (3, 1, 0), (11, 0, 0), (12, 0, 0), (8, 0, 0)))
        message = struct.pack("!BBHHH", kind, code, 0, 0, mtu) + quoted[:self.random.randrange(80)]
        message = message[:2] + struct.pack("!H", checksum(message)) + message[4:]
        target = self.random.choice((VIPS[0], "10.77.0.2"))
        return "lb1", ETHERTYPE_IPV4, self.ipv4(1, message, "10.77.0.9", target)

    def fragment(self):
        offset = self.random.choice((0, 1, 2, 0x1fff, self.random.getrandbits(13)))
        more = self.random.choice((0x2000, 0))
        return "lb1", ETHERTYPE_IPV4, self.ipv4(
            self.random.choice((6, 17)), self.bytes(600), fragment=more | offset,
            ident=self.random.getrandbits(6))

    def wrong_header(self):
        packet = bytearray(self.ipv4(17, self.bytes(100)))
        packet[self.random.randrange(12)] = self.random.getrandbits(8)
        return "lb1", ETHERTYPE_IPV4, bytes(packet[:self.random.choice((len(packet), 19, 1))])

    def ipv6(self):
        """Chains of extension headers, with lengths that may be wrong."""
        chain, kind = b"", self.random.choice((6, 17, 58, 59, 253))
        for header in self.random.choices((0, 43, 44, 60, 135, 51), k=self.random.randrange(12)):
            chain = bytes((kind, self.random.choice((0, 0, 1, 255)))) + self.bytes(7).ljust(6, b"\0") \
                + chain
            kind = header
        payload = chain + self.bytes(80)
        length = self.random.choice((len(payload), 0, self.random.getrandbits(16)))
        source = self.random.choice(("fd77::10", "::", "::1", "ff02::1", "::ffff:1.2.3.4", VIPS[1]))
        return "lb1", ETHERTYPE_IPV6, struct.pack(
            "!IHBB", 6 << 28, length, kind, 64) + b"".join(
                ipaddress.ip_address(address).packed for address in (source, VIPS[1])) + payload

    def to_data_port(self):
        """What looks encapsulated, to a backend and, for a loop, to the VIP itself."""
        _, _, inner = self.random.choice((self.tcp, self.udp, self.fragment, self.wrong_header))()
        inner = self.random.choice((inner, b"SANITY " + b"%x" % self.random.getrandbits(64),
                                    b"PROBE " + b"%x\n" % self.random.getrandbits(64), b"",
                                    b"SANE x", b"\x00\x01\x02\x03" + inner))
        datagram = struct.pack("!HHHH", 1337, 1337, 8 + len(inner), 0) + inner
        host, target = self.random.choice((("b1", "10.77.0.11"), ("lb1", VIPS[0]),
                                           ("lb1", "10.77.0.2")))
        return host, ETHERTYPE_IPV4, self.ipv4(17, datagram, ATTACKER, target)

    def noise(self):
        return "lb1", ETHERTYPE_IPV4, self.ipv4(self.random.getrandbits(8), self.bytes(300))


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


class Lines(Paced):
    """Sessions of strangers. Some prove their path, and register in the name of many."""

    AT_ONCE, HELD = 256, 4000
    BAD = (b"HELLO", b"", b"REGISTER", b"REGISTER x", b"REGISTER x ::1", b"REGISTER x 127.0.0.1",
           b"REGISTER x 10.77.0.50", b"REGISTER x 10.77.0.2", b"REGISTER x 10.77.0.300",
           b"REGISTER b1 10.77.0.12 version=2", b"REGISTER b/1 10.77.0.12 version=2",
           b"REGISTER x 10.77.0.10 version=2 health=never", b"PAUSE b1", b"DEREGISTER b1",
           b"SANE x", b"HEALTH 200", b"\0\1\377", b"x" * 600, b"REGISTERED b1 10.77.0.11")

    def __init__(self, count, seconds):
        super().__init__(count, seconds, 2)
        self.names, self.held = itertools.count(), collections.deque()
        self.tokens, self.outcomes = {}, collections.Counter()

    async def begin(self):
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self.data = socket.socket(type=socket.SOCK_DGRAM)
        self.data.bind((ATTACKER, 1337))
        self.data.setblocking(False)
        self.probes = asyncio.Queue(1000)
        asyncio.get_running_loop().add_reader(self.data, self._probe)
        self.task = asyncio.create_task(self._send())

    def _probe(self):
        probe = self.data.recv(2048)
        if not self.probes.full():
            self.probes.put_nowait(probe)

    async def _send(self):
        running = set()
        async for _ in self.turns():
            kind = self.random.choices((self._bad, self._register, self._occupy, self._babble),
                                       (50, 20, 10, 1))[0]
            task = asyncio.create_task(self._guarded(kind))
            running.add(task)
            task.add_done_callback(running.discard)
            if len(running) >= self.AT_ONCE:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    async def _guarded(self, kind):
        try:
            async with asyncio.timeout(5):
                self.outcomes[await kind()] += 1
        except (OSError, asyncio.IncompleteReadError):
            self.outcomes["failed"] += 1

    async def _connect(self, line):
        reader, writer = await asyncio.open_connection("10.77.0.2", 1338)
        writer.write(line + b"\n")
        return reader, writer

    async def _bad(self):
        reader, writer = await self._connect(self.random.choice(self.BAD))
        try:
            return "answered" if await reader.readline() else "closed"
        finally:
            writer.close()

    def _unknown_services(self):
        return b",".join(b"s%x" % self.random.getrandbits(60) for _ in range(25))

    async def _register(self):
        """Registers another name with the same address, and services that nobody has."""
        line = b"REGISTER n%d %s version=2 health=10m services=%s" % (
            next(self.names), ATTACKER.encode(), self._unknown_services())
        reader, writer = await self._connect(line[:500])
        try:
            for _ in range(4):  # which probe belongs to which session cannot be seen
                writer.write((await self.probes.get()).replace(b"SANITY", b"SANE") + b"\n")
                answer = await reader.readline()
                if answer.startswith(b"REGISTERED"):
                    writer.write(b"HEALTH 200\n")
                    self._hold(writer)
                    return "registered"
                if not answer:
                    break
        except OSError:
            pass
        writer.close()
        return "refused"

    async def _occupy(self):
        """Makes the load balancer send path probes to somebody else."""
        _, writer = await self._connect(b"REGISTER v%d %s version=2" % (next(self.names),
                                                                     VICTIM.encode()))
        self._hold(writer)
        return "waits"

    def _hold(self, writer):
        self.held.append(writer)
        if len(self.held) > self.HELD:
            self.held.popleft().close()

    async def _babble(self):
        """Many lines at once over a session that is held, whose answers nobody reads."""
        if not self.held:
            return "none"
        count = min(100, self.count - self.done)
        self.done += count
        writer = self.random.choice(self.held)
        writer.write(b"\n".join(self.random.choice(
            (b"HEALTH 503 " + b"r" * 400, b"PAUSE b1", b"SANE y", b"HEALTH 200", b"DRAIN n1"))
            for _ in range(count)) + b"\n")
        return "babbled"

    async def told(self):
        outcomes = ", ".join(f"{count} {what}" for what, count in self.outcomes.most_common())
        return self.done, outcomes


class Controls(Paced):
    """Requests to control sockets, by a program that does not read."""

    UNREAD = 30

    def __init__(self, count, seconds, paths):
        super().__init__(count, seconds, 3)
        self.paths, self.unread = paths, collections.deque()

    async def begin(self):
        self.task = asyncio.create_task(self._send())

    def _request(self):
        def call(method, **params):
            return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method,
                               "params": params}).encode()
        return self.random.choice((
            call("status") + b"\n", (call("status") + b"\n") * 5, call("nothing") + b"\n",
            call("explain", flow="tcp 1.2.3.4:x -> nowhere") + b"\n", call("explain") + b"\n",
            call("whatif", name="b9", change="add") + b"\n", b"{\n", b"[" * 5000 + b"\n",
            b'{"jsonrpc": "2.0", "id": 1, "method": ' + b'{"a":' * 2000 + b"\n", b"\0\xff\n",
            b"x" * 200_000, b"x" * 200_000 + b"\n", b'{"jsonrpc": "2.0"', b"\n" * 500, b""))

    async def _send(self):
        async for _ in self.turns():
            try:
                control = socket.socket(socket.AF_UNIX)
                control.setblocking(False)
                self.unread.append(control)
                control.connect(self.random.choice(self.paths))
                control.send(self._request())
            except OSError:
                pass  # it does not take it: that is its right
            if len(self.unread) > self.UNREAD:
                self.unread.popleft().close()
