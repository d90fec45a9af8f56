"""Push, podpy beside Podman, in turns, to a registry on 127.0.0.1 that is empty, then to the same one again.

    bench/push.py --images DIR --base DIR [--rounds N] [--podpy CMD] [--only NAME]

DIR of images: see bench/pull.py. Each side pulls the image once; each push goes to a registry that has just started.
Needs docker-registry and skopeo.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from pull import Bench, Run, copy, print_heading, row, start_registry, timed


def fill(layout: Path, sides: dict[str, list[str]], environment: dict[str, str], base: Path) -> str:
    """Bring an image into both stores, from a registry; return its name there."""
    registry, address = start_registry(base)
    try:
        name = f"{address}/{layout.name}:latest"
        copy(f"oci:{layout}:latest", f"docker://{name}")
        for command in sides.values():
            timed([*command, "pull", "-q", "--tls-verify=false", name], environment)
    finally:
        registry.kill()
        registry.wait()
    return name


def measure(
    name: str, sides: dict[str, list[str]], environment: dict[str, str], rounds: int, base: Path
) -> dict[str, dict[str, list[Run]]]:
    """Push in turns; return the runs by case and side."""
    runs: dict[str, dict[str, list[Run]]] = {case: {side: [] for side in sides} for case in ("push", "push again")}
    for number in range(-1, rounds):
        for side, command in sides.items():
            registry, address = start_registry(base)
            try:
                arguments = [*command, "push", "-q", "--tls-verify=false", name, f"{address}/pushed:latest"]
                for case_runs in runs.values():
                    subprocess.run(["sync", "-f", base], check=True)
                    run = timed(arguments, environment)
                    if number >= 0:
                        case_runs[side].append(run)
            finally:
                registry.kill()
                registry.wait()
    return runs


def main() -> None:
    """Measure and print a Markdown table."""
    options = Bench.of_command_line(__doc__)
    sides, environment = options.sides, options.environment
    print_heading()
    for layout in options.layouts():
        name = fill(layout, sides, environment, options.base)
        for case, runs in measure(name, sides, environment, options.rounds, options.base).items():
            print(row(f"{case} {layout.name}", runs), flush=True)


if __name__ == "__main__":
    main()
