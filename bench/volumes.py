"""Export and import of a volume, podpy beside Podman, in turns.

    bench/volumes.py [--rounds N] [--podpy CMD] [--podman CMD]

The volume has 8 files of 110 MB and 5,000 of 24 kB, of random bytes: about 1 GB. The archive goes to a pipe that
throws it away, to a file, and comes in from that file into an empty volume; the disk is synced before each run. Needs
2.5 GB for each side. Peak memory is that of the largest process of a run.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import tempfile
from pathlib import Path

from interleave import Run, timed

_LARGE, _LARGE_SIZE = 8, 110_000_000
_SMALL, _SMALL_SIZE = 5000, 24_000
_NAME = "bench-volume"


def fill(command: list[str]) -> None:
    """Make the volume."""
    subprocess.run([*command, "volume", "rm", "-f", _NAME], check=False, capture_output=True)
    subprocess.run([*command, "volume", "create", _NAME], check=True, capture_output=True)
    question = [*command, "volume", "inspect", "--format", "{{.Mountpoint}}", _NAME]
    place = Path(subprocess.run(question, check=True, capture_output=True, text=True).stdout.strip())
    for number in range(_LARGE):
        (place / f"large{number}").write_bytes(os.urandom(_LARGE_SIZE))
    for number in range(_SMALL):
        directory = place / f"small{number % 10}"
        directory.mkdir(exist_ok=True)
        (directory / str(number)).write_bytes(os.urandom(_SMALL_SIZE))


def run_once(command: list[str], what: str, archive: Path) -> Run:
    """Run one case of one side."""
    target = f"{_NAME}-new"
    if what == "export to a pipe":
        subprocess.run(["sync"], check=True)
        return timed([*command, "volume", "export", _NAME])
    if what == "export to a file":
        archive.unlink(missing_ok=True)
        subprocess.run(["sync"], check=True)
        return timed([*command, "volume", "export", "-o", str(archive), _NAME])
    subprocess.run([*command, "volume", "rm", "-f", target], check=False, capture_output=True)
    subprocess.run([*command, "volume", "create", target], check=True, capture_output=True)
    subprocess.run(["sync"], check=True)
    return timed([*command, "volume", "import", target, str(archive)])


def row(what: str, runs: dict[str, list[Run]]) -> str:
    """Return a line of the table in docs/performance.md."""
    cells = [what]
    for kind, digits in (("wall", 2), ("cpu", 2), ("memory", 0)):
        medians = [statistics.median(getattr(run, kind) for run in side) for side in runs.values()]
        cells += [f"{median:.{digits}f}" for median in medians] + [f"{medians[1] / medians[0]:.2f}"]
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Measure and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--podpy", default="podpy")
    parser.add_argument("--podman", default="podman")
    given = parser.parse_args()
    sides = {"podman": shlex.split(given.podman), "podpy": shlex.split(given.podpy)}
    for command in sides.values():
        fill(command)
    print("| median | podman, s | podpy, s | ratio | podman, CPU s | podpy, CPU s | ratio | podman, MB | podpy, MB | |")
    print("|" + "---|" * 10)
    with tempfile.TemporaryDirectory(dir=".") as place:
        archive = Path(place).resolve() / "volume.tar"
        for what in ("export to a pipe", "export to a file", "import"):
            runs: dict[str, list[Run]] = {side: [] for side in sides}
            for number in range(-1, given.rounds):
                for side, command in sides.items():
                    run = run_once(command, what, archive)
                    if number >= 0:
                        runs[side].append(run)
            print(row(what, runs), flush=True)
    for command in sides.values():
        subprocess.run([*command, "volume", "rm", "-f", _NAME, f"{_NAME}-new"], check=False, capture_output=True)


if __name__ == "__main__":
    main()
