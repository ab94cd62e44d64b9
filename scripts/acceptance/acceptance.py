"""Repeats faults under load and prints what they cost clients; see scripts/acceptance.sh."""

import argparse
import pathlib
import signal
import sys
import tempfile
import time

import flows
import hostile
import lab
import machines
import paths
import sessions
from report import Line

JAR = lab.ROOT / "caplance-dist/target/caplance.jar"
PARTS = {
    "B1a": sessions.port_blocked,
    "B1b": sessions.stalled,
    "B2": sessions.absent,
    "B3": machines.flushed,
    "B4": machines.handed_over,
    "B9a": sessions.session_killed,
    "B9b": sessions.backend_killed,
    "A2a": paths.black_holes,
    "A2b": paths.source_changed,
    "B11": paths.drift,
    "C1": flows.forged,
    "D": hostile.hostile,
}
# In seconds: durations, and what is allowed to take how long. The short runs leave out nothing but
# time, and allow more, because they are made on machines that do something else as well.
FULL = {"interval": 5, "blocked_seconds": 22, "stalled_seconds": 13, "absent_seconds": 45,
        "held_seconds": 3, "fault_seconds": 20, "silence_seconds": 60, "hostile_seconds": 300,
        "answer_within": 4, "rules_within": 0.1, "acknowledged_within": 1, "again_within": 10,
        "flows": ""}
QUICK = {"interval": 2, "blocked_seconds": 8, "stalled_seconds": 7, "absent_seconds": 8,
         "held_seconds": 2, "fault_seconds": 4, "silence_seconds": 4, "hostile_seconds": 15,
         "answer_within": 10, "rules_within": 1, "acknowledged_within": 10, "again_within": 20,
         "flows": "flows: {tcpIdle: 3s, closingIdle: 2s}\n"}


def parse():
    parser = argparse.ArgumentParser(prog="acceptance.sh", description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--hostile-seconds", type=int)
    parser.add_argument("--jar", type=pathlib.Path, default=JAR)
    parser.add_argument("--only", type=lambda text: text.replace(" ", "").split(","),
                        default=list(PARTS))
    options = parser.parse_args()
    unknown = [part for part in options.only if not chosen(part)]
    if unknown:
        parser.error(f"--only: no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    options.parts = [part for name in options.only for part in chosen(name)]
    for file in (options.jar, lab.class_list(options.jar)):
        if not file.is_file():
            parser.error(f"there is no file {file}")
    options.rounds = options.rounds or (1 if options.quick else 20)
    for name, value in (QUICK if options.quick else FULL).items():
        if getattr(options, name, None) is None:
            setattr(options, name, value)
    return options


def chosen(name):
    """The parts of a name: B1 stands for B1a and B1b."""
    return [part for part in PARTS if part == name or part.startswith(name + "a")
            or part.startswith(name + "b")]


def run(part, options):
    """Prints the lines of a part; returns those that failed."""
    begun = time.monotonic()
    failed = []
    try:
        for line in PARTS[part](options):
            print(line, flush=True)
            failed += [] if line.passed else [line]
    except Exception as failure:
        line = Line(False, part, f"could not be carried out: {failure!r}")
        print(line, flush=True)
        failed.append(line)
    finally:
        lab.end_all()
    print(f"      {part} took {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    return failed


def main():
    options = parse()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    failed = []
    try:
        with tempfile.TemporaryDirectory() as directory:
            options.launcher = lab.install(options.jar, pathlib.Path(directory) / "build")
            for part in options.parts:
                failed += run(part, options)
    finally:
        lab.end_all()
        lab.script("down")
    print(f"{len(failed)} of the lines failed" if failed else "everything passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
