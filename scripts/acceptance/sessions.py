"""Sessions that are gone while the data path is not: B1, B2 and B9 of the issue."""

import signal
import statistics
import time

import lab
from faults import harmless, repeated, rule, status_line
from report import Line
from scene import Scene

RESTART_SECONDS = 1  # until a service manager starts a daemon again


def port_blocked(options):
    """TCP 1338 blocked, which ends every session; the data path is as before."""
    def fault(_):
        with rule("lb1", "INPUT", "-p", "tcp", "--dport", "1338", "-j", "DROP"):
            time.sleep(options.blocked_seconds)
    return harmless(options, f"B1a TCP 1338 blocked for {options.blocked_seconds} s", fault)


def stalled(options):
    """The load balancer stands still, for less than the time after which backends are removed."""
    def fault(scene):
        scene.balancer.process.send_signal(signal.SIGSTOP)
        time.sleep(options.stalled_seconds)
        scene.balancer.process.send_signal(signal.SIGCONT)
    return harmless(options, f"B1b load balancer stopped for {options.stalled_seconds} s", fault)


def absent(options):
    """The load balancer dies and is started again after a while."""
    first_answers = []
    with Scene(options.launcher, options.interval) as scene:
        scene.load()

        def fault():
            scene.balancer.kill()
            time.sleep(options.absent_seconds)
            begun = time.monotonic()
            scene.start_balancer()
            first_answers.append(first_answer(scene, begun))

        total, bad = repeated(scene, options.rounds, fault)
        what = f"B2 load balancer dead for {options.absent_seconds} s"
        yield Line(not total.harmed(), what,
                   f"rounds with harm: {bad} of {options.rounds}; {total}")
        yield Line(max(first_answers) <= options.answer_within, f"{what}, first answer",
                   f"{statistics.median(first_answers):.1f} s after exec, at most "
                   f"{max(first_answers):.1f} (allowed: {options.answer_within})")
        yield status_line(scene, what)


def first_answer(scene, begun):
    """Seconds from then until a connection was answered that was made after it."""
    def answers():
        return [a.ended for a in scene.clients.tried(begun) if a.outcome == "answered"]
    return min(lab.wait_for(answers, "no connection was answered")) - begun


def session_killed(options):
    """One session is cut without a word; its backend goes on."""
    def fault(_):
        lab.on("b1", "ss", "-tK", "dport", "=", ":1338")
        time.sleep(1)
    return harmless(options, "B9 a session cut with ss -K", fault)


def backend_killed(options):
    """A backend's daemon dies and is started again; its servers run on."""
    def fault(scene):
        scene.daemons["b1"].kill()
        time.sleep(RESTART_SECONDS)
        scene.start_backend("b1")
    return harmless(options, "B9 a backend's daemon killed and restarted", fault)
