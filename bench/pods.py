#!/usr/bin/env python3
"""Pods: podpy beside Podman, in turns.

    bench/pods.py [--podman COMMAND] [--podpy COMMAND] [--image IMAGE] [--rounds N] [--containers N] [--pods N] [CASE…]

Run it as the unprivileged user whose containers both make, in a login session of a machine with systemd and pure cgroup
v2, with both graph roots on the same disk; IMAGE must be in both stores and have a shell. The case `memory` needs root,
since pasta hides what it has, and commands that become that user (`--podman "runuser -u alice -- podman"`). Prints a
Markdown table; times are wall clock of whole commands.

play     `kube play` of a pod with CONTAINERS containers, on the default network
stop     `pod stop` of such a pod, whose containers all end on SIGTERM
rm       `pod rm -f` of such a pod, running
down     `kube down` of it
kill     `pod kill` of it
single   `stop` of a container without a pod, which ends on SIGTERM
ps       `pod ps` with PODS pods that don't run, each with its infra container
cpu      CPU that `pod stop` takes, with all that it sets off: of the user's whole slice, as bench/observe.py
memory   PSS of what a running pod needs besides its containers' processes: monitors, infra container, network helper
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from containers import quietly
from interleave import Case, Result, check_drivers, heading, measure
from network_engines import pss
from observe import slice_cpu

_STOPPABLE = "trap 'exit 0' TERM; echo ready; sleep 600 & wait"
_IN_CONTAINERS = ("sh", "sleep", "busybox")  # names of the containers' own processes
_NAME = "bench"
_SETTLED = 2  # seconds after which nothing of a command is at work any more


class Engine:
    """One of the two."""

    def __init__(self, command: str, options: argparse.Namespace) -> None:
        self.words = shlex.split(command)
        self.options = options

    def __call__(self, *words: str) -> str:
        """Run a command and return its output; raises if it fails."""
        return quietly([*self.words, *words])

    def play(self, path: str) -> None:
        """Make and start the pod, and wait until each container can be stopped."""
        self("kube", "play", path)
        for number in range(self.options.containers):
            self._wait_for(f"{_NAME}-c{number}")

    def run(self) -> None:
        """Start a container without a pod, and wait until it can be stopped."""
        self("run", "-d", f"--name={_NAME}", "--network=none", self.options.image, "sh", "-c", _STOPPABLE)
        self._wait_for(_NAME)

    def _wait_for(self, name: str) -> None:
        while "ready" not in self("logs", name):
            time.sleep(0.05)

    def remove(self) -> None:
        """Remove the pod, if it is there."""
        self("pod", "rm", "--force", "--ignore", "--time=0", _NAME)

    @contextmanager
    def pods(self) -> Iterator[None]:
        """Keep many pods that don't run."""
        names = [f"{_NAME}{number}" for number in range(self.options.pods)]
        try:
            for name in names:
                self("pod", "create", f"--name={name}")
            yield
        finally:
            self("pod", "rm", "--force", *names)


class Bench:
    """The cases, for two engines with the same command line."""

    def __init__(self, options: argparse.Namespace, path: str) -> None:
        self.options, self.path = options, path
        self.engines = {"podman": Engine(options.podman, options), "podpy": Engine(options.podpy, options)}

    def _each(self, work: Callable[[Engine], object]) -> dict[str, Callable[[], object]]:
        return {side: lambda e=engine: work(e) for side, engine in self.engines.items()}  # type: ignore[misc]

    def _measure(
        self,
        name: str,
        *words: str,
        before: Callable[[Engine], object] = lambda engine: None,
        after: Callable[[Engine], object] = Engine.remove,
    ) -> Result:
        commands = {side: [*engine.words, *words] for side, engine in self.engines.items()}
        rounds = self.options.rounds
        return measure(Case(name, commands, prepare=self._each(before), after=self._each(after), rounds=rounds))

    def _play(self, engine: Engine) -> None:
        engine.play(self.path)

    def play(self) -> Result:
        """`kube play`."""
        return self._measure(f"kube play, {self.options.containers} containers", "kube", "play", self.path)

    def stop(self) -> Result:
        """`pod stop`."""
        return self._measure("pod stop", "pod", "stop", _NAME, before=self._play)

    def rm(self) -> Result:
        """`pod rm -f`."""
        return self._measure("pod rm -f, running", "pod", "rm", "-f", _NAME, before=self._play)

    def down(self) -> Result:
        """`kube down`."""
        return self._measure("kube down", "kube", "down", self.path, before=self._play)

    def kill(self) -> Result:
        """`pod kill`."""
        return self._measure("pod kill", "pod", "kill", _NAME, before=self._play)

    def single(self) -> Result:
        """`stop` of one container."""
        return self._measure("stop", "stop", _NAME, before=Engine.run, after=lambda engine: engine("rm", _NAME))

    def ps(self) -> Result:
        """`pod ps`: both engines have their pods."""
        with self.engines["podman"].pods(), self.engines["podpy"].pods():
            return self._measure(f"pod ps, {self.options.pods} pods", "pod", "ps", after=lambda engine: None)

    def cpu(self) -> Result:
        """All the CPU of `pod stop`."""
        return self._taken("pod stop, CPU of all processes", self._stopping)

    def _stopping(self, engine: Engine) -> float:
        engine.play(self.path)
        time.sleep(_SETTLED)
        before = slice_cpu()
        engine("pod", "stop", _NAME)
        time.sleep(_SETTLED)
        return slice_cpu() - before

    def memory(self) -> Result:
        """PSS; the table's milliseconds are MB here."""
        return self._taken("memory of a running pod, MB", self._memory)

    def _memory(self, engine: Engine) -> float:
        there = {*_processes()}
        engine.play(self.path)
        time.sleep(_SETTLED)
        total: dict[str, list[float]] = {}
        for pid, name in _processes().items():
            if pid not in there and name not in _IN_CONTAINERS:
                total.setdefault(name, []).append(pss(pid))
        for name, found in total.items():
            print(f"{engine.words[-1]}: {len(found)} {name}, {sum(found):g} kB", file=sys.stderr)
        return sum(sum(found) for found in total.values()) / 1e6

    def _taken(self, name: str, work: Callable[[Engine], float]) -> Result:
        found: dict[str, list[float]] = {side: [] for side in self.engines}
        for _ in range(max(1, self.options.rounds // 4)):
            for side, engine in self.engines.items():
                try:
                    found[side].append(work(engine))
                finally:
                    engine.remove()
        return Result(name, found)


def _processes() -> dict[int, str]:
    """Return the names of all processes with memory of their own, by pid."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if os.readlink(path.with_name("exe")):
                found[int(path.parent.name)] = path.read_text().strip()
        except OSError:
            continue
    return found


def _yaml(options: argparse.Namespace) -> str:
    """Return a pod whose containers end on SIGTERM."""
    how = f'image: "{options.image}", imagePullPolicy: Never, command: [sh, -c, "{_STOPPABLE}"]'
    containers = "".join(f"  - {{name: c{number}, {how}}}\n" for number in range(options.containers))
    return f"apiVersion: v1\nkind: Pod\nmetadata: {{name: {_NAME}}}\nspec:\n  containers:\n{containers}"


def main() -> None:
    """Read the options, run the cases, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--podman", default="podman")
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--image", default="localhost/busybox:latest")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--containers", type=int, default=10)
    parser.add_argument("--pods", type=int, default=100)
    parser.add_argument("cases", nargs="*", default=[])
    given = parser.parse_args()
    check_drivers({"podman": shlex.split(given.podman), "podpy": shlex.split(given.podpy)})
    with tempfile.NamedTemporaryFile("w", prefix="pods", suffix=".yaml") as file:
        os.chmod(file.name, 0o644)
        file.write(_yaml(given))
        file.flush()
        bench = Bench(given, file.name)
        names = ("play", "stop", "rm", "down", "kill", "single", "ps", "cpu", "memory")
        unknown = {*given.cases}.difference(names)
        if unknown:
            sys.exit(f"unknown cases {sorted(unknown)}; there are {names}")
        print(heading([*bench.engines]), flush=True)
        for name in given.cases or names[: None if os.geteuid() == 0 else -1]:
            print(getattr(bench, name)().row([*bench.engines]), flush=True)


if __name__ == "__main__":
    main()
