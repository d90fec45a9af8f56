#!/usr/bin/env python3
"""Everyday commands of two installed podpys, in turns: wall clock, CPU and page faults of each call.

    bench/everyday.py [--rounds N] [--image IMAGE] BEFORE AFTER [CASE…]

Run it as an unprivileged user. BEFORE and AFTER are launchers (VENV/bin/podpy). Each needs a home and a run directory
of its own, in one file system with a journal: ext4 without one looks at every inode that was deleted in the last
minutes when it makes a file. HOME/before, HOME/after and RUN/before, RUN/after are used, HOME and RUN by
`--homes` and `--runs`; IMAGE must be in both stores. Prints a Markdown table: first quartile / **median** of each.

CPU, faults   of the call, with all children that it waits for
all CPU       with all processes that it has started: conmon, the OCI runtime, the container
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import statistics
import sys
import time

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER, prctl(2): orphans become this process's children
_COLUMNS = ("wall ms", "CPU ms", "all CPU ms", "faults")


def call(command: list[str], environment: dict[str, str]) -> list[float]:
    """Run a command in a process of its own; return what _COLUMNS says."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
        null = os.open("/dev/null", os.O_RDWR)
        began = time.perf_counter()
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, null, 1)]
        pid = os.posix_spawn(command[0], command, environment, file_actions=actions)
        status = -1
        while True:
            try:
                ended, code, used = os.wait4(-1, 0)
            except ChildProcessError:
                break
            if ended == pid:
                wall, status = time.perf_counter() - began, code
                own, faults = used.ru_utime + used.ru_stime, used.ru_minflt
        every = resource.getrusage(resource.RUSAGE_CHILDREN)
        os.write(writing, f"{1000 * wall} {1000 * own} {1000 * (every.ru_utime + every.ru_stime)} {faults}".encode())
        os._exit(1 if status else 0)
    os.close(writing)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{command} failed")
    with open(reading, encoding="ascii") as file:
        return [float(field) for field in file.read().split()]


def cases(image: str) -> dict[str, list[str]]:
    """Return the commands by name; `exec` and `start` are given containers by `prepare`."""
    alone = "--network=none"
    return {
        "ps": ["ps", "-a"],
        "run": ["run", "--rm", alone, image, "true"],
        "exec": ["exec", "bench-running", "true"],
        "start": ["start", "-a", "bench-created"],
    }


def prepare(command: str, environment: dict[str, str], image: str) -> None:
    """Make the two containers anew. The first one's processes run on after this."""
    quiet = f"{command} rm -f -t0 bench-running bench-created >/dev/null 2>&1"
    os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", quiet], environment), 0)
    for words in (
        ["run", "-d", "--name=bench-running", "--network=none", image, "sleep", "100000"],
        ["create", "--name=bench-created", "--network=none", image, "true"],
    ):
        if os.waitpid(os.posix_spawn(command, [command, *words], environment), 0)[1]:
            sys.exit(f"{command}: {words} failed")


def main() -> None:
    """Read the options, run the cases, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--image", default="localhost/busybox:latest")
    parser.add_argument("--homes", default=os.path.expanduser("~"))
    parser.add_argument("--runs", default=os.environ.get("XDG_RUNTIME_DIR", ""))
    parser.add_argument("before")
    parser.add_argument("after")
    parser.add_argument("cases", nargs="*")
    given = parser.parse_args()
    sides = {}
    for side, command in (("before", given.before), ("after", given.after)):
        places = {"HOME": f"{given.homes}/{side}", "XDG_RUNTIME_DIR": f"{given.runs}/{side}"}
        sides[side] = (command, {**os.environ, **places})
        prepare(*sides[side], given.image)
    print(f"| what | {' | '.join(f'{column}: before | after | ratio' for column in _COLUMNS)} |")
    print("|" + "---|" * (1 + 3 * len(_COLUMNS)), flush=True)
    known = cases(given.image)
    for name in given.cases or known:
        print(row(name, known[name], sides, given.rounds), flush=True)


def row(name: str, words: list[str], sides: dict[str, tuple[str, dict[str, str]]], rounds: int) -> str:
    """Time a command, the sides in turns after two rounds that don't count; return its line of the table."""
    found: dict[str, list[list[float]]] = {side: [] for side in sides}
    for number in range(-2, rounds):
        for side, (command, environment) in sides.items():
            measured = call([command, *words], environment)
            if number >= 0:
                found[side].append(measured)
    cells = [name]
    for column in range(len(_COLUMNS)):
        texts, levels = [], []
        for side in sides:
            numbers = [each[column] for each in found[side]]
            levels.append((statistics.quantiles(numbers, n=4)[0], statistics.median(numbers)))
            texts.append(f"{levels[-1][0]:.1f} / **{levels[-1][1]:.1f}**")
        cells += [*texts, ", ".join(f"{after / before:.2f}" for before, after in zip(*levels, strict=True))]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
