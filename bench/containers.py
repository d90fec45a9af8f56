#!/usr/bin/env python3
"""Containers: podpy beside Podman, in turns.

    bench/containers.py [--podman PODMAN] [--podpy PODPY] [--image IMAGE] [--rounds N] [CASE…]

Run it as the unprivileged user whose containers both make, on a host (or a view of one) with pure cgroup v2, with both
graph roots on the same disk; IMAGE must be in both stores. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from interleave import Case, Result, check_drivers, heading, measure, time_command


def quietly(command: list[str]) -> str:
    """Run a command and return its output; raises if it fails."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


class Bench:
    """The cases, for two engines with the same command line."""

    def __init__(self, engines: dict[str, str], image: str, rounds: int) -> None:
        self.engines = engines
        self.image = image
        self.rounds = rounds

    def each(self, *words: str) -> dict[str, list[str]]:
        """Return the same command for both engines."""
        return {side: [engine, *words] for side, engine in self.engines.items()}

    def _case(self, name: str, *words: str) -> Result:
        return measure(Case(name, self.each(*words), rounds=self.rounds))

    def run_none(self) -> Result:
        """`run --rm --network=none`."""
        return self._case("run --rm --network=none", "run", "--rm", "--network=none", self.image, "true")

    def run_default(self) -> Result:
        """`run --rm` with the default network."""
        return self._case("run --rm, default network", "run", "--rm", self.image, "true")

    def run_detached(self) -> Result:
        """`run -d`; the containers are removed in between."""
        remove = {
            side: (lambda e=engine: quietly([e, "rm", "-f", "-t0", "b"])) for side, engine in self.engines.items()
        }
        command = self.each("run", "-d", "--name=b", "--network=none", self.image, "sleep", "60")
        return measure(Case("run -d", command, after=remove, rounds=self.rounds))

    def exec(self) -> Result:
        """`exec CTR true`."""
        for engine in self.engines.values():
            quietly([engine, "run", "-d", "--name=x", "--network=none", self.image, "sleep", "600"])
        result = self._case("exec CTR true", "exec", "x", "true")
        for engine in self.engines.values():
            quietly([engine, "rm", "-f", "-t0", "x"])
        return result

    def create(self) -> Result:
        """`create`."""
        remove = {side: (lambda e=engine: quietly([e, "rm", "c"])) for side, engine in self.engines.items()}
        command = self.each("create", "--name=c", self.image, "true")
        return measure(Case("create", command, after=remove, rounds=self.rounds))

    def rm(self) -> Result:
        """`rm` of a created container."""
        make = {
            side: (lambda e=engine: quietly([e, "create", "--name=c", self.image, "true"]))
            for side, engine in self.engines.items()
        }
        return measure(Case("rm", self.each("rm", "c"), prepare=make, rounds=self.rounds))

    def ps(self, count: int) -> Result:
        """`ps -a` with `count` stopped containers, and (for many) `rm -a` of them."""
        for engine in self.engines.values():
            for _ in range(count):
                quietly([engine, "create", self.image, "true"])
        result = self._case(f"ps -a, {count} stopped", "ps", "-a")
        print(result.row(list(self.engines)), flush=True)
        removed = Result(f"rm -a, {count} stopped", {side: [] for side in self.engines})
        for side, engine in self.engines.items():
            removed.seconds[side].append(time_command([engine, "rm", "-a"]))
        return removed

    def many(self) -> Result:
        """50 starts, 8 at a time."""

        def fifty(engine: str) -> float:
            command = [engine, "run", "--rm", "--network=none", self.image, "true"]
            import time

            began = time.perf_counter()
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda _: time_command(command), range(50)))
            return time.perf_counter() - began

        seconds: dict[str, list[float]] = {side: [] for side in self.engines}
        for _ in range(5):
            for side, engine in self.engines.items():
                seconds[side].append(fifty(engine))
        return Result("50 starts, 8 at a time", seconds)


def main() -> None:
    """Read the options, run the cases, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--podman", default="podman")
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--image", default="localhost/busybox:latest")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("cases", nargs="*", default=[])
    given = parser.parse_args()
    check_drivers({"podman": [given.podman], "podpy": [given.podpy]})
    bench = Bench({"podman": given.podman, "podpy": given.podpy}, given.image, given.rounds)
    cases = {
        "run-none": bench.run_none,
        "run": bench.run_default,
        "run-d": bench.run_detached,
        "exec": bench.exec,
        "create": bench.create,
        "rm": bench.rm,
        "ps-1": lambda: bench.ps(1),
        "ps-100": lambda: bench.ps(100),
        "ps-1000": lambda: bench.ps(1000),
        "many": bench.many,
    }
    unknown = set(given.cases) - set(cases)
    if unknown:
        sys.exit(f"unknown cases {sorted(unknown)}; there are {list(cases)}")
    print(heading(list(bench.engines)), flush=True)
    for name in given.cases or cases:
        print(cases[name]().row(list(bench.engines)), flush=True)


if __name__ == "__main__":
    main()
