"""Time whole processes, A and B in turns, so that whatever else the machine does hits both alike."""

from __future__ import annotations

import os
import resource
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Case:
    """One thing to time: the command of each side, and what must be done before each run of it (not timed)."""

    name: str
    commands: dict[str, list[str]]
    prepare: dict[str, Callable[[], object]] = field(default_factory=dict)
    after: dict[str, Callable[[], object]] = field(default_factory=dict)
    rounds: int = 20
    warm_up: int = 2


@dataclass
class Result:
    """The seconds that each side took, in order."""

    name: str
    seconds: dict[str, list[float]]

    def row(self, sides: list[str]) -> str:
        """Return a line of a Markdown table: min/median/max of each side in ms, and the ratio of the medians."""
        cells = [self.name]
        for side in sides:
            times = [1000 * t for t in self.seconds[side]]
            cells.append(f"{min(times):.1f} / **{statistics.median(times):.1f}** / {max(times):.1f}")
        first, last = (statistics.median(self.seconds[side]) for side in (sides[0], sides[-1]))
        cells.append(f"{last / first:.2f}")
        return "| " + " | ".join(cells) + " |"


def check_drivers(sides: dict[str, list[str]], environment: dict[str, str] | None = None) -> None:
    """Exit unless all sides keep their layers alike: Podman may choose vfs by itself, which copies every layer."""
    question = ["info", "--format", "{{.Store.GraphDriverName}}"]
    drivers = {
        side: subprocess.run(
            [*command, *question], env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout.strip()
        for side, command in sides.items()
    }
    if len(set(drivers.values())) > 1:
        sys.exit(f"different storage drivers: {drivers}; set driver in ~/.config/containers/storage.conf")


def time_command(command: list[str]) -> float:
    """Return the seconds that a command took, wall clock, start to exit. Raises RuntimeError if it fails."""
    began = time.perf_counter()
    process = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    took = time.perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError(f"{command}: exit {process.returncode}: {process.stderr.decode()}")
    return took


def measure(case: Case) -> Result:
    """Run a case, its sides in turns."""
    seconds: dict[str, list[float]] = {side: [] for side in case.commands}
    for round_number in range(-case.warm_up, case.rounds):
        for side, command in case.commands.items():
            if side in case.prepare:
                case.prepare[side]()
            took = time_command(command)
            if side in case.after:
                case.after[side]()
            if round_number >= 0:
                seconds[side].append(took)
    return Result(case.name, seconds)


def heading(sides: list[str]) -> str:
    """Return the Markdown table's first two lines."""
    names = ["what", *(f"{side}: min / median / max, ms" for side in sides), f"{sides[-1]} / {sides[0]}"]
    return "| " + " | ".join(names) + " |\n|" + "---|" * len(names)


@dataclass
class Run:
    """One run: seconds of wall clock and of CPU, and the peak memory in MB."""

    wall: float
    cpu: float
    memory: float


def timed(command: list[str], output: int = subprocess.DEVNULL) -> Run:
    """Run a command to its end, in a process of its own for its own peak of memory."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        began = time.perf_counter()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, check=False)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = time.perf_counter() - began
        os.write(writing, f"{wall} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}".encode())
        os._exit(min(done.returncode, 255))
    os.close(writing)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{shlex.join(command)} failed")
    with open(reading, encoding="ascii") as file:
        return Run(*(float(field) for field in file.read().split()))
