"""Thousands of backends, as far as the load balancer can tell."""

import ipaddress
import multiprocessing
import resource
import socket

import lab
from contenders import DATA_PORT, ENCAPSULATION

AT_ONCE = 250  # registrations in progress; each must end within ten seconds
IP_PKTINFO = 8
NETWORK = ipaddress.ip_network("10.100.0.0/16")


class Crowd:
    """Sessions for backends that each have an address, all on the host of a site's backend.

    A child process holds them in that host's network namespace: two crowds would exceed the number
    of files that one process may open.
    """

    def __init__(self, count, site):
        self.site = site
        self.sink = (str(ENCAPSULATION), str(DATA_PORT), f"{lab.namespace(site.backend)}=0.0.0.0")
        lab.on(site.backend, "ip", "route", "add", "local", str(NETWORK), "dev", "lo")
        lab.on(site.balancer, "ip", "route", "add", str(NETWORK), "via", site.backend_address)
        self.pipe, others = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("fork").Process(
            target=hold, args=(count, site, others), daemon=True)
        self.process.start()
        others.close()
        self._await()

    def _await(self):
        """Waits until the child process has done what it was told."""
        failure = self.pipe.recv()
        if failure:
            raise RuntimeError(failure)

    def change(self, code):
        """Makes one backend healthy (200) or not, and waits until the load balancer knows."""
        self.pipe.send(code)
        self._await()

    def close(self):
        self.pipe.send(None)
        self.process.join()
        lab.on(self.site.backend, "ip", "route", "delete", "local", str(NETWORK), "dev", "lo")
        lab.on(self.site.balancer, "ip", "route", "delete", str(NETWORK))


def hold(count, site, orders):
    """The child process: registers, then changes the first backend's health as ordered."""
    try:
        sessions = join(count, site)
        orders.send(None)
        connection, lines = sessions[0]
        while code := orders.recv():
            lab.say(connection, f"HEALTH {code}")
            hear(lines, "HEALTHACK")
            orders.send(None)
    except Exception as failure:  # for the parent to raise
        orders.send(repr(failure))


def join(count, site):
    """Registers backends; returns their connections, each with a reader of its lines."""
    lab.enter(site.backend)
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    sessions = []
    with socket.socket(type=socket.SOCK_DGRAM) as data:
        data.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
        data.settimeout(lab.PATIENCE)
        data.bind(("0.0.0.0", DATA_PORT))
        while len(sessions) < count:
            numbers = range(len(sessions), min(len(sessions) + AT_ONCE, count))
            sessions += register(data, numbers, site.address)
    return sessions


def register(data, numbers, balancer):
    by_address = {}
    for number in numbers:
        address = str(NETWORK[number + 1])
        # From its own address: a load balancer allows few registrations for one client.
        connection = socket.create_connection((balancer, 1338), lab.PATIENCE, (address, 0))
        by_address[address] = (connection, connection.makefile())
        lab.say(connection, f"REGISTER b{number} {address} version=2 health=10m mtu=1500")
    unproven = set(by_address)
    while unproven:
        probe, ancillary, _, _ = data.recvmsg(256, 64)
        address = socket.inet_ntoa(ancillary[0][2][8:12])
        if address in unproven:
            unproven.remove(address)
            lab.prove(by_address[address][0], probe)
    for connection, lines in by_address.values():
        hear(lines, "REGISTERED")
        lab.say(connection, "HEALTH 200")
    for _, lines in by_address.values():
        hear(lines, "HEALTHACK")
    return by_address.values()


def hear(lines, word):
    line = lines.readline()
    if not line.startswith(word):
        raise RuntimeError(f"the load balancer said: {line}")
