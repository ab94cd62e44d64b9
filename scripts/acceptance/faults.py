"""What the parts have in common: a fault, repeated under load."""

import contextlib

import lab
from report import Line
from scene import Counts, Scene


def repeated(scene, count, fault):
    """Repeats a fault; returns the sum of the counts and in how many rounds something broke."""
    total, bad = Counts(), 0
    for _ in range(count):
        counts = scene.round(fault)
        bad += counts.harmed() > 0
        total.update(counts)
    return total, bad


def status_line(scene, what):
    wrong = scene.untrue()
    return Line(not wrong, f"{what}, what the status said",
                "; ".join(wrong[:3]) + f" ({len(wrong)} in all)" if wrong else "was so")


def harmless(options, what, fault, **scene_options):
    """The lines for a fault, a function of the scene, that may break nothing."""
    with Scene(options.launcher, options.interval, **scene_options) as scene:
        scene.load()
        total, bad = repeated(scene, options.rounds, lambda: fault(scene))
        yield Line(not total.harmed(), what, f"rounds with harm: {bad} of {options.rounds}; {total}")
        yield status_line(scene, what)


@contextlib.contextmanager
def rule(host, *words):
    """A rule of iptables at the top of its chain, for a while."""
    lab.on(host, "iptables", "-I", *words)
    try:
        yield
    finally:
        lab.on(host, "iptables", "-D", *words)
