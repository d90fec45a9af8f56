#!/usr/bin/env python3
"""The user's namespaces: what a first call of a boot and a later call cost.

    bench/rootless.py [--podpy PODPY] [--podman PODMAN] [--rounds N]

Run it as an unprivileged user with subordinate ids and no container running, with podpy importable (PYTHONPATH) for the
inner figures. Prints two Markdown tables: the call itself, measured inside a fresh Python each time, in ms; and whole
processes, `unshare true`, podpy and Podman in turns.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

from interleave import Case, heading, measure

INNER = """
from time import perf_counter_ns as now
from podpy.config.paths import Paths
from podpy import rootless
begin = now()
paths = Paths.find()
found = now()
rootless.enter(paths)
print((found - begin) / 1e6, (now() - found) / 1e6)
"""


def inner(rounds: int, *, first: bool, podpy: str) -> tuple[list[float], list[float]]:
    """Return the ms that Paths.find and rootless.enter took, in fresh processes."""
    finds, enters = [], []
    for _ in range(rounds):
        if first:
            subprocess.run([podpy, "system", "migrate"], check=True)
        done = subprocess.run([sys.executable, "-c", INNER], check=True, capture_output=True, text=True)
        find, enter = map(float, done.stdout.split())
        finds.append(find)
        enters.append(enter)
    return finds, enters


def row(name: str, times: list[float]) -> str:
    """Return a table row of min, median, max."""
    return f"| {name} | {min(times):.2f} | **{statistics.median(times):.2f}** | {max(times):.2f} |"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--podman", default="podman", help="an empty text leaves Podman out")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    if os.geteuid() == 0:
        parser.error("run it as an unprivileged user")
    print("| ms | min | median | max |\n|---|---|---|---|")
    for name, first in (("first call: enter", True), ("later call: enter", False)):
        finds, enters = inner(options.rounds, first=first, podpy=options.podpy)
        print(row(name, enters))
    print(row("Paths.find", finds))
    print()
    engines = {name: path for name, path in (("podman", options.podman), ("podpy", options.podpy)) if path}
    commands = {name: [path, "unshare", "true"] for name, path in engines.items()}
    print(heading(list(engines)))
    print(measure(Case("unshare true", commands, rounds=options.rounds)).row(list(engines)))


if __name__ == "__main__":
    main()
