"""The lab's hosts and what programs in Python run on them: the benchmark and the acceptance test."""

import ctypes
import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
STATE = pathlib.Path("/run/caplance-lab")
SENDER_CPU, OTHER_CPU = "0", "1"
PATIENCE = 60  # seconds to wait for anything before a program gives up
CLONE_NEWNET = 0x40000000

running = []


def namespace(host):
    return f"caplance-{host}"


def script(*words):
    subprocess.run([ROOT / "scripts/lab.sh", *words], check=True, stdout=subprocess.DEVNULL)


def on(host, *command, check=True):
    """Runs a command in a host's network and returns its output."""
    done = subprocess.run(["ip", "netns", "exec", namespace(host), *command],
                          stdout=subprocess.PIPE, text=True, check=check)
    return done.stdout


def start(host, *command, cpu=OTHER_CPU, **options):
    """Starts a program; end() ends it, or end_all() does."""
    pin = ["taskset", "-c", cpu] if cpu else []
    process = subprocess.Popen(["ip", "netns", "exec", namespace(host), *pin, *command],
                               text=True, **options)
    running.append(process)
    return process


def end(process, sign=signal.SIGTERM):
    """Ends a program; returns the rest of its output."""
    process.send_signal(sign)
    out, _ = process.communicate(timeout=PATIENCE)
    running.remove(process)
    return out


def end_all():
    for process in list(running):
        process.kill()
        process.communicate()
    running.clear()


def wait_for(condition, failure, every=0.05):
    """Waits until the condition returns something true; returns that. every: seconds."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise RuntimeError(failure)
        time.sleep(every)
    return result


def wait_for_listener(host, port):
    """Waits until a program accepts TCP connections on the port."""
    wait_for(lambda: on(host, "ss", "-Hltn", f"sport = :{port}"),
             f"nothing listens on port {port} of {host}")


def enter(host):
    """Moves this thread to the host's network namespace."""
    namespace_file = os.open(f"/run/netns/{namespace(host)}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None).setns(namespace_file, CLONE_NEWNET) != 0:
            raise RuntimeError("setns failed")
    finally:
        os.close(namespace_file)


def say(session, line):
    """Sends a line of the session protocol."""
    session.sendall(line.encode() + b"\n")


def prove(session, datagram):
    """Answers a path probe that arrived at the data port."""
    say(session, datagram.decode().replace("SANITY", "SANE", 1))


def install(jar, directory):
    """Installs a jar, with the list of classes beside it and this checkout's launcher.

    Returns the launcher.
    """
    launcher = directory / "bin/caplance"
    share = directory / "share/caplance"
    for parent in (launcher.parent, share):
        parent.mkdir(parents=True)
    shutil.copy2(ROOT / "scripts/caplance", launcher)
    shutil.copy2(jar, share / "caplance.jar")
    shutil.copy2(class_list(jar), share / "caplance.classlist")
    subprocess.run([launcher, "archive"], check=True)
    return launcher


def class_list(jar):
    """The file beside a jar that lists the classes for its archive."""
    return jar.with_suffix(".classlist")


@functools.cache
def mac(host):
    return on(host, "cat", "/sys/class/net/eth0/address").strip()


class Daemon:
    """A Caplance daemon on a host of the lab; constructed when it is READY."""

    SAY_WHEN = 'echo "$EPOCHREALTIME" >"$0"; exec "$@"'

    def __init__(self, host, kind, config, launcher, cpu=OTHER_CPU, output=None):
        self.host = host
        self.log = STATE / host / "log" / f"{kind}.output.log"
        self.socket = STATE / host / "run" / f"{kind}.sock"
        (STATE / host / "etc" / f"{kind}.yaml").write_text(config)
        with tempfile.TemporaryDirectory() as directory:
            ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            ready.bind(f"{directory}/notify")
            ready.settimeout(PATIENCE)
            pin = ["taskset", "-c", cpu] if cpu else []
            log = output or open(self.log, "a")
            self.process = subprocess.Popen(
                [ROOT / "scripts/lab.sh", "exec", host, *pin, "env",
                 f"NOTIFY_SOCKET={directory}/notify", "bash", "-c", self.SAY_WHEN,
                 f"{directory}/begun", launcher, kind],
                cwd=ROOT, stdout=log, stderr=log, text=True)
            running.append(self.process)
            try:
                while "READY=1" not in ready.recv(4096).decode():
                    pass
            except TimeoutError:
                raise RuntimeError(f"{kind} on {host} is not ready; it said: "
                                   f"{self._last_words()}") from None
            begun = float(pathlib.Path(f"{directory}/begun").read_text())
            self.seconds_to_ready = time.time() - begun
            ready.close()

    def _last_words(self):
        return self.log.read_text()[-1000:] if self.log.exists() else "nothing"

    def status(self):
        return self.call("status")

    def call(self, method, timeout=PATIENCE, **params):
        """The result of a control method."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(timeout)
            control.connect(str(self.socket))
            control.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(control.makefile().readline())["result"]

    def cpu_seconds(self):
        return cpu_seconds(self.process.pid)

    def resident_bytes(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def stop(self):
        end(self.process)

    def kill(self):
        end(self.process, signal.SIGKILL)


class Registration:
    """The session of a backend whose packets a program of the benchmark receives."""

    def __init__(self, host, address, balancer):
        self.host, self.address, self.balancer = host, address, balancer
        self.registered, self.over = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        if not self.registered.wait(PATIENCE):
            raise RuntimeError(f"{host} was not registered")

    def _run(self):
        enter(self.host)
        with socket.socket(type=socket.SOCK_DGRAM) as data:
            data.bind((self.address, 1337))
            session = socket.create_connection((self.balancer, 1338))
            lines = session.makefile()
            say(session, f"REGISTER {self.host} {self.address} version=2 health=5s mtu=1500")
            while not (probe := data.recv(2048)).startswith(b"SANITY "):
                pass  # a packet of another load balancer
            prove(session, probe)
            while not lines.readline().startswith("REGISTERED"):
                pass
        while not self.over.is_set():
            say(session, "HEALTH 200")
            lines.readline()
            self.registered.set()
            self.over.wait(3)
        session.close()

    def close(self):
        self.over.set()
        self.thread.join()


def cpu_seconds(pid):
    """CPU time of all threads of a process, from the scheduler's own clock."""
    total = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        try:
            total += int((task / "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError):
            pass  # a compiler thread that has ended
    return total / 1e9


def busy_seconds():
    """Time since boot that the cores of the machine were not idle."""
    fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    ticks = [int(field) for field in fields]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")
