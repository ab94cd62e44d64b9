"""The figures: each function takes one sample of one contender."""

import json
import subprocess
import time

import lab
from contenders import BACKENDS, DATA_PORT

FLOWS = 10_000
LOSS = 0.0001
FASTEST = 500_000  # packets per second; no contender reaches it
USO = "tx-udp-segmentation"


class Bench:
    def __init__(self, programs, seconds):
        self.programs, self.seconds = programs, seconds

    def offer(self, contender, rate, seconds=None, flows=FLOWS, source="10.77.0.10"):
        """Offers load; returns packets and seconds."""
        sender = lab.start("client", f"{self.programs}/offer", "eth0", lab.mac(contender.host),
                           source, contender.vip, str(flows), str(int(rate)),
                           str(seconds or self.seconds), str(contender.vips), cpu=lab.SENDER_CPU,
                           stdout=subprocess.PIPE)
        out, _ = sender.communicate(timeout=(seconds or self.seconds) + lab.PATIENCE)
        lab.running.remove(sender)
        told = json.loads(out)
        return told["sent"], told["seconds"]

    def deliver(self, contender, rate, seconds=None):
        """Offers load and receives it; returns counts and times."""
        sink = lab.start("client", f"{self.programs}/sink", *contender.sink,
                         stdout=subprocess.PIPE)
        sink.stdout.readline()
        cpu, busy = contender.cpu_seconds(), lab.busy_seconds()
        sent, taken = self.offer(contender, rate, seconds)
        cpu, busy = contender.cpu_seconds() - cpu, lab.busy_seconds() - busy
        time.sleep(0.3)  # for packets in flight
        got = json.loads(lab.end(sink))
        return {"sent": sent, "seconds": taken, "received": got["received"], "cpu": cpu,
                "busy": busy, "nanos": got["nanos"]}

    def saturation(self, contender):
        run = self.deliver(contender, 0)
        received = max(run["received"], 1)
        return {"delivered per second": run["received"] / run["seconds"],
                "machine µs per packet": run["busy"] * 1e6 / received}

    def own_cpu(self, contender, rate):
        """Throughput and CPU time of a load balancer alone: receivers cost nothing."""
        with dropped_at_backends():
            time.sleep(0.1)
            cpu, count = contender.cpu_seconds(), contender.forwarded()
            _, seconds = self.offer(contender, rate)
            cpu, count = contender.cpu_seconds() - cpu, contender.forwarded() - count
        return {"own µs per packet": cpu * 1e6 / max(count, 1), "sent on per second": count / seconds}

    def own_cpu_without_offload(self, contender):
        lab.on(contender.host, "ethtool", "-K", "eth0", USO, "off")
        try:
            return self.own_cpu(contender, 0)
        finally:
            lab.on(contender.host, "ethtool", "-K", "eth0", USO, "on")

    def loss_free(self, contender, steps=7):
        """The highest rate at which at most LOSS of the packets are lost, found by bisection."""
        low, high = 0, FASTEST
        for _ in range(steps):
            rate = (low + high) / 2
            run = self.deliver(contender, rate, 1)
            offered = run["sent"] / run["seconds"]
            kept = run["sent"] - run["received"] <= run["sent"] * LOSS
            if kept and offered > rate * 0.98:
                low = rate
            else:
                high = rate
        return low

    def latency(self, contender, rate):
        nanos = self.deliver(contender, rate)["nanos"]
        return {quantile: nanos[quantile] / 1000 for quantile in ("p50", "p99", "p99.9")}

    def upload(self, vip):
        """Gbit/s of one TCP stream, and retransmitted segments per GB."""
        told = lab.wait_for(lambda: self._iperf(vip), "iperf3's server stays busy")
        total, received = told["end"]["sum_sent"], told["end"]["sum_received"]
        return {"Gbit/s": received["bits_per_second"] / 1e9,
                "sent again per GB": total["retransmits"] / (total["bytes"] / 1e9)}

    def _iperf(self, vip):
        """What iperf3 measured; None while its server is still busy with the previous client."""
        told = json.loads(lab.on("client", "iperf3", "-c", vip, "-t", str(self.seconds), "-J",
                                 check=False))
        if "busy" in told.get("error", ""):
            return None
        if "error" in told:
            raise RuntimeError("iperf3 said: " + told["error"])
        return told

    def connections(self, vip):
        """HTTP requests per second, each on a new connection."""
        out = lab.on("client", "wrk", "-t1", "-c16", f"-d{self.seconds}s",
                     "-H", "Connection: close", f"http://{vip}/")
        for line in out.splitlines():
            if line.startswith("Requests/sec:"):
                return float(line.split()[1])
        raise RuntimeError("wrk said: " + out)


class dropped_at_backends:
    """A context in which backends drop what load balancers send as soon as it arrives."""

    RULE = ("PREROUTING", "-p", "udp", "--dport", str(DATA_PORT), "-j", "DROP")

    def __enter__(self):
        for host in BACKENDS:
            lab.on(host, "iptables", "-t", "raw", "-I", *self.RULE)

    def __exit__(self, *_):
        for host in BACKENDS:
            lab.on(host, "iptables", "-t", "raw", "-D", *self.RULE)


def fragments_created(host):
    out = lab.on(host, "nstat", "-asz", "IpFragCreates")
    return int(out.split()[-2])
