#!/usr/bin/env python3
"""Files of containers, podpy beside Podman, in turns: cp in, commit, export, cp out; wall, CPU and peak memory.

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
import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

from interleave import Run, check_drivers, timed

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


def timed_into_pipe(command: list[str]) -> Run:
    """Run a command whose output another process reads, and throws away."""
    reading, writing = os.pipe()
    reader = os.fork()
    if reader == 0:
        os.close(writing)
        while os.read(reading, 1 << 20):
            pass
        os._exit(0)
    os.close(reading)
    try:
        return timed(command, writing)
    finally:
        os.close(writing)
        os.waitpid(reader, 0)


def row(what: str, runs: dict[str, list[Run]]) -> str:
    """Return a line of the table in docs/performance.md."""
    cells = [what]
    for side in runs.values():
        walls = [run.wall for run in side]
        cells.append(f"{min(walls):.1f} / **{statistics.median(walls):.1f}** / {max(walls):.1f}")
    wall, cpu = (
        [statistics.median(getattr(run, of) for run in side) for side in runs.values()] for of in ("wall", "cpu")
    )
    memory = [max(run.memory for run in side) for side in runs.values()]
    cells.append(f"{wall[-1] / wall[0]:.2f}")
    cells.append(f"{cpu[0]:.1f} → {cpu[-1]:.1f} ({cpu[-1] / cpu[0]:.2f})")
    cells.append(f"{memory[0]:.0f} → {memory[-1]:.0f}")
    return "| " + " | ".join(cells) + " |"


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
    images = {}
    for command in sides.values():
        loaded = subprocess.run([*command, "load", "-q", "-i", options.image], check=True, stdout=subprocess.PIPE)
        images[command[0]] = loaded.stdout.decode().split()[-1]
    print("| what | " + " | ".join(f"{side}: min / median / max, s" for side in sides) + " | wall | CPU, s | MB |")
    print("|" + "---|" * (len(sides) + 4), flush=True)

    def case(name: str, *words: str, before: Callable[[list[str]], None] = lambda _: None, pipe: bool = False) -> None:
        runs: dict[str, list[Run]] = {side: [] for side in sides}
        for number in range(-1, options.rounds):
            for side, command in sides.items():
                before(command)
                remove(out, archive)
                os.sync()
                run = timed_into_pipe([*command, *words]) if pipe else timed([*command, *words])
                if number >= 0:
                    runs[side].append(run)
        print(row(name, runs), flush=True)

    def new_container(command: list[str]) -> None:
        quiet([*command, "rm", "-f", NAME])
        quiet([*command, "create", "--name", NAME, images[command[0]], "true"])

    case("`cp` into a new container", "cp", str(files), f"{NAME}:/files", before=new_container)
    case("`commit` of it", "commit", "-q", NAME, IMAGE, before=lambda command: quiet([*command, "rmi", "-f", IMAGE]))
    case("`export -o FILE`", "export", "-o", str(archive), NAME)
    case("`export` to a pipe", "export", NAME, pipe=True)
    case("`cp` to standard output", "cp", f"{NAME}:/files", "-", pipe=True)
    case("`cp` out to a directory", "cp", f"{NAME}:/files", str(out))
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
