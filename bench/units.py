#!/usr/bin/env python3
"""Units of systemd: Quadlet containers started and stopped, and the generators, of Podman and an installed podpy.

    bench/units.py [--rounds N] [--image IMAGE] PODMAN_GENERATOR PODPY_GENERATOR

Run it as a user with a systemd of their own, in turns it asks both. PODMAN_GENERATOR is what
/usr/lib/systemd/user-generators/podman-user-generator points to, PODPY_GENERATOR is VENV/bin/podpy-system-generator.
IMAGE must be in both stores. Prints a Markdown table: minimum / **median** / maximum in ms.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from interleave import Case, heading, measure

UNIT = """\
[Unit]
StartLimitIntervalSec=0
[Container]
Image={image}
Exec=sh -c 'trap "exit 0" TERM; sleep 1000 & wait'
{more}
[Service]
Restart=no
"""
TRUE = "[Unit]\nStartLimitIntervalSec=0\n[Service]\nType=oneshot\nExecStart=true\n"
ENGINES = ("podman", "podpy")


class Units:
    """A Quadlet file, made into a service by each engine's generator, in the user's own systemd."""

    def __init__(self, generators: dict[str, list[str]], base: Path, text: str) -> None:
        self._directory = Path(os.environ["XDG_RUNTIME_DIR"]) / "systemd/user"
        self._directory.mkdir(parents=True, exist_ok=True)
        self.names = {engine: f"bench-{engine}.service" for engine in ENGINES}
        for engine, name in self.names.items():
            source, made = base / engine, base / f"{engine}.made"
            shutil.rmtree(source, ignore_errors=True)
            source.mkdir()
            (source / Path(name).with_suffix(".container").name).write_text(text)
            generate(generators[engine], source, made)
            shutil.copy(made / name, self._directory / name)
        systemctl("daemon-reload")

    def close(self) -> None:
        """Forget the services."""
        for name in self.names.values():
            systemctl("stop", name)
            (self._directory / name).unlink()
        systemctl("daemon-reload")


def systemctl(*words: str) -> None:
    subprocess.run(["systemctl", "--user", *words], check=True, stdout=subprocess.DEVNULL)


def generate(generator: list[str], source: Path, target: Path) -> None:
    target.mkdir(exist_ok=True)
    environment = {**os.environ, "QUADLET_UNIT_DIRS": os.fspath(source)}
    subprocess.run([*generator, target], env=environment, check=True, stderr=subprocess.DEVNULL)


def life(generators: dict[str, list[str]], base: Path, text: str, what: str, rounds: int) -> Iterator[Case]:
    """Yield the cases of one Quadlet file; the services are there meanwhile."""
    units = Units(generators, base, text)

    def doing(verb: str) -> dict[str, Callable[[], object]]:
        return {engine: lambda name=name: systemctl(verb, name) for engine, name in units.names.items()}

    try:
        for verb, other in (("start", "stop"), ("stop", "start")):
            commands = {engine: ["systemctl", "--user", verb, name] for engine, name in units.names.items()}
            yield Case(
                f"`systemctl start`, {what}".replace("start", verb), commands, prepare=doing(other), rounds=rounds
            )
    finally:
        units.close()


def least(rounds: int) -> None:
    """Print what systemd takes for a unit that does nothing."""
    name = "bench-true.service"
    path = Path(os.environ["XDG_RUNTIME_DIR"]) / "systemd/user" / name
    path.write_text(TRUE)
    systemctl("daemon-reload")
    command = ["systemctl", "--user", "start", name]
    case = Case("`systemctl start` of `true`", dict.fromkeys(ENGINES, command), rounds=rounds)
    print(measure(case).row(list(ENGINES)), flush=True)
    path.unlink()
    systemctl("daemon-reload")


def files(generators: dict[str, list[str]], base: Path, text: str, count: int, rounds: int) -> Case:
    """Return the case of generating so many services."""
    source = base / f"{count}"
    source.mkdir()
    for number in range(count):
        (source / f"c{number}.container").write_text(text)
    commands = {}
    for engine, generator in generators.items():
        (base / f"{count}.{engine}").mkdir()
        words = [*generator, os.fspath(base / f"{count}.{engine}")]
        commands[engine] = ["env", f"QUADLET_UNIT_DIRS={source}", *words]
    return Case(f"generator, {count} files", commands, rounds=rounds)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--image", default="localhost/busybox:latest")
    parser.add_argument("podman")
    parser.add_argument("podpy")
    given = parser.parse_args()
    generators = {"podman": [given.podman, "-user"], "podpy": [given.podpy, "--user"]}
    print(heading(list(ENGINES)))
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        for count in (1, 50, 500):
            text = UNIT.format(image=given.image, more="PublishPort=8080:80\nVolume=data:/data\nEnvironment=A=b")
            print(measure(files(generators, base, text, count, given.rounds)).row(list(ENGINES)), flush=True)
        for what, more in (("no network", "Network=none"), ("pasta", "")):
            for case in life(generators, base, UNIT.format(image=given.image, more=more), what, given.rounds):
                print(measure(case).row(list(ENGINES)), flush=True)
        least(given.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
