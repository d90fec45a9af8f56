#!/usr/bin/env python3
"""Builds by podpy and by Podman, in turns: ten commands cached and anew, a copy of many files cached and anew.

    bench/build.py [--rounds N] [--files N] [--image IMAGE] PODPY PODMAN

PODPY and PODMAN are commands (VENV/bin/podpy, podman); run it as an unprivileged user, whose stores both have IMAGE.
The files are made in a temporary directory. Prints a Markdown table of wall clock times.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from interleave import Case, check_drivers, heading, measure


def contexts(base: Path, image: str, files: int) -> tuple[Path, Path]:
    """Make the two contexts: ten commands, and a copy of many small files."""
    commands, copies = base / "commands", base / "copies"
    for directory in (commands, copies / "tree"):
        directory.mkdir(parents=True)
    steps = "".join(f"RUN echo {number} > /file{number}\n" for number in range(10))
    (commands / "Dockerfile").write_text(f"FROM {image}\n{steps}")
    (copies / "Dockerfile").write_text(f"FROM {image}\nCOPY tree /tree\n")
    for number in range(files):
        directory = copies / "tree" / str(number % 100)
        directory.mkdir(exist_ok=True)
        (directory / str(number)).write_text(f"{number}\n" * 100)
    return commands, copies


def main() -> None:
    """Read the options, run the cases, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--image", default="localhost/busybox:latest")
    parser.add_argument("podpy")
    parser.add_argument("podman")
    given = parser.parse_args()
    sides = {"podman": [given.podman], "podpy": [given.podpy]}
    check_drivers(sides)
    print(heading([*sides]), flush=True)
    with tempfile.TemporaryDirectory() as base:
        commands, copies = contexts(Path(base), given.image, given.files)
        for name, context, anew in (
            ("ten RUN, cached", commands, False),
            ("ten RUN, anew", commands, True),
            (f"COPY of {given.files} files, cached", copies, False),
            (f"COPY of {given.files} files, anew", copies, True),
        ):
            words = ["build", "-q", "-t", "bench-build", *(["--no-cache"] if anew else []), str(context)]
            every = {side: [*command, *words] for side, command in sides.items()}
            case = Case(name, every, rounds=max(given.rounds // 3, 3) if anew else given.rounds, warm_up=1)
            print(measure(case).row([*sides]), flush=True)


if __name__ == "__main__":
    main()
