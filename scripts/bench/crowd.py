"""Very many backends, as far as the load balancer can tell."""

import ipaddress
import resource
import socket
import threading

import lab
from contenders import BACKENDS, DATA_PORT, ENCAPSULATION

AT_ONCE = 250  # registrations under way; each has ten seconds
IP_PKTINFO = 8


class Crowd:
    """Sessions for backends with an address each, all of them on the host b1."""

    NETWORK = ipaddress.ip_network("10.100.0.0/16")
    sink = (str(ENCAPSULATION), str(DATA_PORT), f"{lab.namespace('b1')}=0.0.0.0")

    def __init__(self, count, balancer):
        lab.on("b1", "ip", "route", "add", "local", str(self.NETWORK), "dev", "lo")
        lab.on("lb1", "ip", "route", "add", str(self.NETWORK), "via", BACKENDS["b1"])
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
        self.balancer, self.sessions, self.failure = balancer, [], None
        joining = threading.Thread(target=self._join, args=(count,))
        joining.start()  # a thread of its own, since only that changes its namespace
        joining.join()
        if self.failure:
            raise self.failure

    def _join(self, count):
        try:
            lab.enter("b1")
            with socket.socket(type=socket.SOCK_DGRAM) as data:
                data.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
                data.settimeout(lab.PATIENCE)
                data.bind(("0.0.0.0", DATA_PORT))
                while len(self.sessions) < count:
                    self._register(data, min(AT_ONCE, count - len(self.sessions)))
        except Exception as failure:  # told by the thread that waits for this one
            self.failure = failure

    def _register(self, data, count):
        by_address = {}
        for _ in range(count):
            number = len(self.sessions) + len(by_address)
            address = str(self.NETWORK[number + 1])
            connection = socket.create_connection((self.balancer, 1338), lab.PATIENCE)
            by_address[address] = (connection, connection.makefile())
            lab.say(connection, f"REGISTER b{number} {address} version=2 health=10m mtu=1500")
        unproved = set(by_address)
        while unproved:
            sanity, ancillary, _, _ = data.recvmsg(256, 64)
            address = socket.inet_ntoa(ancillary[0][2][8:12])
            if address in unproved:
                unproved.remove(address)
                lab.prove(by_address[address][0], sanity)
        for connection, lines in by_address.values():
            hear(lines, "REGISTERED")
            lab.say(connection, "HEALTH 200")
        for _, lines in by_address.values():
            hear(lines, "HEALTHACK")
        self.sessions += by_address.values()

    def change(self, code):
        """One backend becomes fit or unfit; returns when the load balancer works by that."""
        connection, lines = self.sessions[0]
        lab.say(connection, f"HEALTH {code}")
        hear(lines, "HEALTHACK")

    def close(self):
        for connection, _ in self.sessions:
            connection.close()
        lab.on("b1", "ip", "route", "delete", "local", str(self.NETWORK), "dev", "lo")
        lab.on("lb1", "ip", "route", "delete", str(self.NETWORK))


def hear(lines, word):
    line = lines.readline()
    if not line.startswith(word):
        raise RuntimeError(f"the load balancer said: {line}")
