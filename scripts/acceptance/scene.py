"""A load balancer, backends, servers and clients, and what clients lived to see."""

import collections
import concurrent.futures
import pathlib
import signal
import subprocess
import time

import lab
from traffic import VIP, Clients, Remote, Server
from truth import Watch, is_healthy

BALANCERS = {"lb1": "10.77.0.2", "lb2": "10.77.0.3"}
BACKENDS = {"b1": "10.77.0.11", "b2": "10.77.0.12", "b3": "10.77.0.13"}
HASH_KEY = "hashKey: 6361706c616e636520697320612d6c62\n"
OPEN = 30  # connections
HEAL_SECONDS = 60  # until everything must be as before


class Counts(collections.Counter):
    """What became of open connections, of new ones by their outcomes, and whether all healed."""

    OPEN = ("open", "broken", "silent", "not healed")

    def harmed(self):
        return sum(count for what, count in self.items() if what not in ("answered", "open"))

    def __str__(self):
        new = {what: count for what, count in self.items() if what not in self.OPEN}
        failed = {"refused": 0, "reset": 0, "timeout": 0} | new
        failed.pop("answered", None)
        failures = ", ".join(f"{count} {what}" for what, count in failed.items())
        return (f"open: {self['broken']} of {self['open']} broken, {self['silent']} silent; "
                f"new: {failures} of {sum(new.values())}"
                + (f"; {self['not healed']} not healed" if self["not healed"] else ""))


class Scene:
    """Real daemons in the lab, with load. To be used in a with statement.

    names: the backends that are started; servers run on all hosts. before: what is done in the lab
    before the daemons start. output: where the load balancer writes, if not to its file.
    """

    def __init__(self, launcher, interval, names=tuple(BACKENDS), balancers=("lb1",),
                 lb_config="", output=None, before=None, vips=(VIP,)):
        self.launcher, self.interval, self.names = launcher, interval, list(names)
        self.balancers, self.lb_config, self.output = list(balancers), lb_config, output
        self.daemons, self.remotes, self.watch = {}, [], None
        self.before, self.vips = before, vips

    def __enter__(self):
        try:
            lab.script("up")
            if self.before:
                self.before()
            for host in BACKENDS:
                self.remotes.append(Remote(host, Server, host))
            self.clients = Remote("client", Clients)
            self.remotes.append(self.clients)
            with concurrent.futures.ThreadPoolExecutor() as starts:
                starting = [starts.submit(self.start_balancer, host) for host in self.balancers]
                starting += [starts.submit(self.start_backend, name) for name in self.names]
            for start in starting:
                start.result()
            self.await_healthy()
            return self
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        if self.watch:
            self.watch.over.set()
            self.watch.thread.join()
        hung = [host for host, daemon in reversed(self.daemons.items()) if not ended(daemon)]
        for remote in self.remotes:
            remote.close()
        lab.script("down")  # with all that a part may have left on its hosts
        if hung:
            raise RuntimeError(f"told to stop, and still there after {lab.PATIENCE} s: {hung}")

    @property
    def balancer(self):
        return self.daemons[self.balancers[0]]

    def start_balancer(self, host="lb1"):
        services = ", ".join(f"{{name: web{i}, vip: '{vip}'}}" for i, vip in enumerate(self.vips))
        config = f"services: [{services}]\n" + HASH_KEY + self.lb_config
        self.daemons[host] = lab.Daemon(host, "lb", config, self.launcher, cpu=None,
                                        output=self.output)
        return self.daemons[host]

    def start_backend(self, name):
        others = ", ".join(f"{{address: {BALANCERS[host]}}}" for host in self.balancers)
        vips = ", ".join(f"'{vip}'" for vip in self.vips)
        config = (f"name: {name}\naddress: {BACKENDS[name]}\nvips: [{vips}]\n"
                  f"loadBalancers: [{others}]\nhealthInterval: {self.interval}s\n")
        self.daemons[name] = lab.Daemon(name, "backend", config, self.launcher, cpu=None)
        return self.daemons[name]

    def healthy(self):
        """Names of the backends that every load balancer says are healthy."""
        try:
            said = [{b["name"] for b in self.daemons[host].call("status", 1)["backends"]
                     if is_healthy(b)} for host in self.balancers]
        except (OSError, ValueError):
            return set()
        return set.intersection(*said)

    def await_healthy(self):
        lab.wait_for(lambda: self.healthy() == set(self.names), "not all backends became healthy")

    # --- load ------------------------------------------------------------------------------------

    def load(self, count=OPEN):
        """Opens connections, makes new ones steadily, and watches what the status says."""
        self.clients.keep_trying()
        self.clients.converse(count)
        self.watch = Watch(self)

    def untrue(self):
        """Ends the watch; returns what was said and was not so."""
        watch, self.watch = self.watch, None
        return watch.stop()

    def reopen(self, count=OPEN):
        """Replaces what has broken."""
        self.clients.forget_broken()
        missing = count - len(self.clients.conversations())
        if missing:
            self.clients.converse(missing)

    def heal(self):
        """Waits until all is as before, as far as what is open can be; returns whether it is."""
        since = time.monotonic()
        deadline = since + HEAL_SECONDS
        while time.monotonic() < deadline:
            if (self.healthy() == set(self.names)
                    and all(c.state != "open" or c.progress > since
                            for c in self.clients.conversations())
                    and self._answered_lately()):
                return True
            time.sleep(0.2)
        return False

    def _answered_lately(self):
        lately = self.clients.tried(time.monotonic() - 1)
        return len(lately) >= 5 and all(attempt.outcome == "answered" for attempt in lately)

    def harm(self, since):
        """Counts what happened to connections since then; to be called when all is healed."""
        self.clients.settle()
        counts = Counts(attempt.outcome for attempt in self.clients.tried(since))
        conversations = self.clients.conversations()
        counts["open"] = len(conversations)
        counts["broken"] = sum(c.state != "open" for c in conversations)
        counts["silent"] = sum(c.state == "open" and c.progress < since for c in conversations)
        return counts

    def round(self, fault):
        """Does something, waits until all is well again, and returns the counts."""
        since = time.monotonic()
        fault()
        healed = self.heal()
        counts = self.harm(since)
        counts["not healed"] = not healed
        self.reopen()
        return counts


def ended(daemon):
    """Stops a daemon, if it runs; returns whether it ended by itself."""
    if daemon.process not in lab.running:
        return True
    daemon.process.send_signal(signal.SIGCONT)
    try:
        daemon.stop()
        return True
    except subprocess.TimeoutExpired:
        daemon.kill()
        return False


def log(daemon):
    """What the daemons of this host and kind have written."""
    return pathlib.Path(daemon.log).read_text()
