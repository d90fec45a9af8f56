#!/usr/bin/env python3
"""Files of containers, podpy beside Podman, in turns: cp in, commit, export, cp out.

    bench/contents.py --image ARCHIVE --base DIR [--podman CMD] [--podpy CMD] [--count N] [--size BYTES] [--rounds N]

Run it as the unprivileged user whose stores are compared; DIR, where files are copied from and to, lies on the stores'
file system, which should have a journal (a loop-mounted ext4 will do). It loads the image into both, makes a container
`bench-contents` of it in both, that never runs, and copies N files of so many bytes into it. What it has made, it
removes. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
from pathlib import Path

from interleave import Case, check_drivers, heading, measure

NAME = "bench-contents"
IMAGE = "localhost/bench-contents:made"


def make_files(top: Path, count: int, size: int) -> None:
    """Make files of half random bytes, a hundred in a directory."""
    source = random.Random(1)
    for number in range(count):
        path = top / f"d{number // 100}" / f"f{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.randbytes(size // 2) + bytes(size - size // 2))


def quiet(command: list[str]) -> None:
    """Run a command, whatever comes of it."""
    subprocess.run(command, check=False, capture_output=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--podman", default="podman")
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    sides = {"Podman": options.podman.split(), "podpy": options.podpy.split()}
    check_drivers(sides)
    files, out, archive = options.base / "in", options.base / "out", options.base / "c.tar"
    make_files(files, options.count, options.size)
    for command in sides.values():
        loaded = subprocess.run([*command, "load", "-q", "-i", options.image], check=True, stdout=subprocess.PIPE)
        image = loaded.stdout.decode().split()[-1]
        subprocess.run([*command, "create", "--name", NAME, image, "true"], check=True, stdout=subprocess.PIPE)
    print(heading([*sides]), flush=True)

    def case(name: str, *words: str, clear: list[str]) -> None:
        prepare = {side: (lambda command=command: quiet([*command, *clear])) for side, command in sides.items()}
        both = {side: (lambda one=one: (one(), remove(out, archive), os.sync())) for side, one in prepare.items()}
        commands = {side: [*command, *words] for side, command in sides.items()}
        print(measure(Case(name, commands, prepare=both, rounds=options.rounds, warm_up=1)).row([*sides]), flush=True)

    what = f"{options.count:,} files of {options.size:,} bytes"
    case(f"cp of {what} into a container", "cp", str(files), f"{NAME}:/files", clear=["version"])
    case("commit of it", "commit", "-q", NAME, IMAGE, clear=["rmi", "-f", IMAGE])
    case("export -o of it", "export", "-o", str(archive), NAME, clear=["rmi", "-f", IMAGE])
    case("cp of them out of it", "cp", f"{NAME}:/files", str(out), clear=["version"])
    for command in sides.values():
        quiet([*command, "rm", "-f", NAME])
    remove(files, out, archive)


def remove(*paths: Path) -> None:
    """Remove files and directories, if they are there."""
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
