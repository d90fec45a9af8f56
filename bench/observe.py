#!/usr/bin/env python3
"""Stop, stats and health checks: podpy beside Podman, in turns.

    bench/observe.py [--podman PODMAN] [--podpy PODPY] [--image IMAGE] [--rounds N] [--count N] [--seconds N] [CASE…]

Run it as the unprivileged user whose containers both make, in a login session of a machine with systemd (Podman's
checks are timers of the user's systemd) and pure cgroup v2, with both graph roots on the same disk; IMAGE must be in
both stores and have a shell. Nothing else may run as this user: CPU time is that of the user's whole slice, which
counts every process that began and ended meanwhile. Prints a Markdown table.

stop     `stop` of a container that ends on SIGTERM, wall clock
stats    `stats --no-stream` with COUNT running containers, wall clock
probe    CPU of one health check: of podpy's monitor, and of `podman healthcheck run`
checks   CPU that COUNT containers with a check each second take in SECONDS
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from containers import quietly
from interleave import Case, Result, check_drivers, heading, measure

_PROBES = 10
_STOPPABLE = "trap 'exit 0' TERM; echo ready; sleep 600 & wait"


def slice_cpu() -> float:
    """Return the seconds of CPU that the user's slice has used: all processes of all its sessions and services."""
    own = Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip()
    name = f"user-{os.getuid()}.slice"
    if f"/{name}/" not in own + "/":
        sys.exit(f"this process is in the cgroup {own}, not in {name}: run it in a login session")
    stat = Path("/sys/fs/cgroup") / own.partition(name)[0].strip("/") / name / "cpu.stat"
    return int(stat.read_text().split("usage_usec")[1].split()[0]) / 1e6


class Bench:
    """The cases, for two engines with the same command line."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.engines = {"podman": given.podman, "podpy": given.podpy}
        self.image, self.rounds, self.count, self.seconds = given.image, given.rounds, given.count, given.seconds

    def _each(self, *words: str) -> dict[str, list[str]]:
        return {side: [engine, *words] for side, engine in self.engines.items()}

    @contextmanager
    def _running(self, engine: str, count: int, *options: str) -> Iterator[None]:
        """Keep `count` containers of one engine, and remove them."""
        names = [f"b{number}" for number in range(count)]
        try:
            for name in names:
                quietly([engine, "run", "-d", "--name", name, "--network=none", *options, self.image, "sleep", "6000"])
            yield
        finally:
            subprocess.run([engine, "rm", "-f", "-t0", *names], check=False, stdout=subprocess.DEVNULL)

    def stop(self) -> Result:
        """`stop` of a container whose process ends on SIGTERM."""

        def start(engine: str) -> None:
            command = ["run", "-d", "--name=b", "--network=none", self.image, "sh", "-c", _STOPPABLE]
            quietly([engine, *command])
            while "ready" not in quietly([engine, "logs", "b"]):
                time.sleep(0.05)

        return measure(
            Case(
                "stop, SIGTERM is enough",
                self._each("stop", "b"),
                prepare={side: lambda e=engine: start(e) for side, engine in self.engines.items()},
                after={side: lambda e=engine: quietly([e, "rm", "b"]) for side, engine in self.engines.items()},
                rounds=self.rounds,
            )
        )

    def stats(self) -> Result:
        """`stats --no-stream` of many running containers: both engines have theirs."""
        with self._running(self.engines["podman"], self.count), self._running(self.engines["podpy"], self.count):
            name = f"stats --no-stream, {self.count} running"
            return measure(Case(name, self._each("stats", "--no-stream"), rounds=self.rounds))

    def probe(self) -> Result:
        """CPU of one health check: podpy's monitor makes it itself, each second; Podman's timer runs a command."""
        found: dict[str, list[float]] = {side: [] for side in self.engines}
        for _ in range(self.rounds):
            found["podman"].append(self._probe_podman())
            found["podpy"].append(self._probe_podpy())
        return Result("one health check, ms of CPU", found)

    def _probe_podman(self) -> float:
        engine = self.engines["podman"]
        with self._running(engine, 1, "--health-cmd=true", "--health-interval=disable"):
            before = slice_cpu()
            for _ in range(_PROBES):
                quietly([engine, "healthcheck", "run", "b0"])
            return (slice_cpu() - before) / _PROBES

    def _probe_podpy(self) -> float:
        engine = self.engines["podpy"]
        with self._running(engine, 1, "--health-cmd=true", "--health-interval=1s"):
            time.sleep(1.5)  # what the start itself takes isn't counted
            before, began = slice_cpu(), time.time()
            time.sleep(_PROBES)
            used, ended = slice_cpu() - before, time.time()
        bounds = ["--since", f"{began:.0f}", "--until", f"{ended:.0f}"]
        only = ["--filter", "event=health_status", "--format", "{{.TimeNano}}"]
        times = [int(line) for line in quietly([engine, "events", "--stream=false", *bounds, *only]).splitlines()]
        made = sum(began <= moment / 1e9 <= ended for moment in times)
        return used / (made or _PROBES)

    def checks(self) -> Result:
        """CPU that many containers with a check each second take, their monitors, timers and commands together."""
        found: dict[str, list[float]] = {side: [] for side in self.engines}
        for _ in range(max(1, self.rounds // 5)):
            for side, engine in self.engines.items():
                with self._running(engine, self.count, "--health-cmd=true", "--health-interval=1s"):
                    time.sleep(2)
                    before = slice_cpu()
                    time.sleep(self.seconds)
                    found[side].append(slice_cpu() - before)
        return Result(f"{self.count} with a check each second, {self.seconds} s, ms of CPU", found)


def main() -> None:
    """Read the options, run the cases, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podman", default="podman")
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--image", default="localhost/busybox:latest")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("cases", nargs="*", default=[])
    given = parser.parse_args()
    check_drivers({"podman": [given.podman], "podpy": [given.podpy]})
    bench = Bench(given)
    cases = {"stop": bench.stop, "stats": bench.stats, "probe": bench.probe, "checks": bench.checks}
    unknown = set(given.cases) - set(cases)
    if unknown:
        sys.exit(f"unknown cases {sorted(unknown)}; there are {list(cases)}")
    print(heading(list(bench.engines)), flush=True)
    for name in given.cases or cases:
        print(cases[name]().row(list(bench.engines)), flush=True)


if __name__ == "__main__":
    main()
