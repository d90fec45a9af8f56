"""Save, podpy beside Podman, in turns.

    bench/save.py --images DIR --base DIR [--rounds N] [--podpy CMD] [--only NAME]

As bench/pull.py, without a registry: each image comes in from an oci-archive (podpy keeps its blobs), then from a
docker-archive (it keeps recipes), and goes out as both. What is written is removed, and the disk synced, before each
run.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from pull import Bench, Run, copy, print_heading, row, timed

SOURCES = ("oci-archive", "docker-archive")


def bring_in(layout: Path, kind: str, sides: dict[str, list[str]], environment: dict[str, str], base: Path) -> None:
    """Load an image into each side's empty store."""
    archive = base / f"{layout.name}.{kind}.tar"
    archive.unlink(missing_ok=True)
    copy(f"oci:{layout}:latest", f"{kind}:{archive}:localhost/{layout.name}:latest")
    for command in sides.values():
        subprocess.run([*command, "rmi", "-af"], env=environment, check=False, capture_output=True)
        timed([*command, "load", "-q", "-i", str(archive)], environment)
    archive.unlink()


def measure(
    arguments: list[str], target: Path, sides: dict[str, list[str]], environment: dict[str, str], rounds: int
) -> dict[str, list[Run]]:
    """Save in turns; the first round isn't counted."""
    runs: dict[str, list[Run]] = {side: [] for side in sides}
    for number in range(-1, rounds):
        for side, command in sides.items():
            target.unlink(missing_ok=True)
            subprocess.run(["sync", "-f", target.parent], check=True)
            run = timed([*command, "save", "-q", "-o", str(target), *arguments], environment)
            if number >= 0:
                runs[side].append(run)
    target.unlink()
    return runs


def main() -> None:
    """Measure and print a Markdown table."""
    options = Bench.of_command_line(__doc__)
    sides, environment = options.sides, options.environment
    print_heading()
    for layout in options.layouts():
        for source in SOURCES:
            bring_in(layout, source, sides, environment, options.base)
            for format in ("docker-archive", "oci-archive"):
                arguments = ["--format", format, f"localhost/{layout.name}:latest"]
                runs = measure(arguments, options.base / "saved.tar", sides, environment, options.rounds)
                print(row(f"save {layout.name}, {format} (came as {source})", runs), flush=True)


if __name__ == "__main__":
    main()
