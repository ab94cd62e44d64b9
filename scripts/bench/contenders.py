"""What is compared. Each carries packets for its own virtual IP from the client to backends."""

import ipaddress
import pathlib
import struct

import lab

BACKENDS = {"b1": "10.77.0.11", "b2": "10.77.0.12", "b3": "10.77.0.13"}
DATA_PORT, ENCAPSULATION = 1337, 28
TARGET_PORT = 9  # of the packets that offer.c sends
HASH_KEY = "hashKey: 6361706c616e636520697320612d6c62\n"


class Routing:
    """The kernel's own routing, without a load balancer."""

    name, host, vips = "kernel routing", "lb1", 1
    vip = "10.77.0.52"
    sink = ("0", str(TARGET_PORT), f"{lab.namespace('b1')}={vip}")

    def __init__(self):
        lab.on("b1", "ip", "address", "add", f"{self.vip}/32", "dev", "lo")
        lab.on("lb1", "sysctl", "-qw", "net.ipv4.ip_forward=1")
        lab.on("lb1", "ip", "route", "add", f"{self.vip}/32", "via", BACKENDS["b1"])
        lab.on("client", "ip", "route", "add", f"{self.vip}/32", "via", "10.77.0.2")
        for host in ("client", "lb1"):  # the client is not told of the direct path
            for interface in ("all", "eth0"):
                lab.on(host, "sysctl", "-qw", f"net.ipv4.conf.{interface}.send_redirects=0",
                       f"net.ipv4.conf.{interface}.accept_redirects=0")

    def cpu_seconds(self):
        return 0.0

    def forwarded(self):
        return None


def data_ports():
    """Arguments of sink.c to receive what a load balancer sends."""
    return (str(ENCAPSULATION), str(DATA_PORT),
            *(f"{lab.namespace(host)}={address}" for host, address in BACKENDS.items()))


class Reference:
    """reference.c, on its own queue."""

    name, host, vips = "C reference", "lb1", 1
    vip = "10.77.0.51"
    sink = data_ports()
    RULE = ("PREROUTING", "-d", vip, "-j", "NFQUEUE", "--queue-num", "100")

    def __init__(self, programs):
        self.counter = pathlib.Path(programs) / "forwarded"
        self.process = lab.start("lb1", f"{programs}/reference", "100", str(self.counter),
                                 *BACKENDS.values())
        lab.on("lb1", "iptables", "-t", "raw", "-A", *self.RULE)

    def stop(self):
        lab.on("lb1", "iptables", "-t", "raw", "-D", *self.RULE)
        lab.end(self.process)

    def cpu_seconds(self):
        return lab.cpu_seconds(self.process.pid)

    def forwarded(self):
        return struct.unpack("Q", self.counter.read_bytes())[0]


class Caplance:
    """The load balancer of a build; the benchmark holds the sessions of the backends."""

    sink = data_ports()
    vips = 1  # that packets are sent to, counted up from the first

    def __init__(self, build, more_config="", services=None):
        self.name, self.build = build.name, build
        self.host, self.vip = build.site.balancer, build.site.vip
        self.daemon = build.balancer(HASH_KEY + more_config, services=services)
        self.sessions = []

    def register(self):
        self.sessions = [lab.Registration(host, address, self.build.site.address)
                         for host, address in BACKENDS.items()]

    def deregister(self):
        for session in self.sessions:
            session.close()

    def cpu_seconds(self):
        return self.daemon.cpu_seconds()

    def forwarded(self):
        return self.daemon.status()["packets"]["forwarded"]


class ManyServices(Caplance):
    """The same with 1,000 services, which all get packets at one of their ports."""

    vips = 200
    PORTS = (f"udp/{TARGET_PORT}", "udp/443", "tcp/80", "tcp/443", "tcp/8000-8999")
    FIRST_VIP = ipaddress.ip_address("10.79.0.1")

    def __init__(self, build):
        services = [{"vip": str(self.FIRST_VIP + vip), "name": f"s{vip}-{port}",
                     "ports": [self.PORTS[port]]}
                    for port in range(len(self.PORTS)) for vip in range(self.vips)]
        super().__init__(build, "attachVip: false\n", services)
        self.name = named_many(build.name)
        self.vip = str(self.FIRST_VIP)


def named_many(name):
    return f"{name}, 1,000 services"
