"""How long services take after a boot: Quadlet's units, from the start of the user's systemd until all are active.

    bench/boot.py write [--count 20] [--image localhost/busybox]    the files, for the next boot
    bench/boot.py read ENGINE                                       after it: waits for the units, prints one line
    bench/boot.py table FILE                                        the medians of such lines, and their ratio
    bench/boot.py remove                                            the files

Which engine the units call is decided by the generator in place (docs/quadlet.md), so change the link, reboot, and
read, by turns. The user's systemd must run from boot on (`loginctl enable-linger`).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import time
from pathlib import Path

DIRECTORY = Path.home() / ".config/containers/systemd/bench-boot"
TIMEOUT = 600.0  # seconds
UNIT = """\
[Container]
Image={image}
Exec=sleep 86400
Pull=never

[Service]
TimeoutStartSec={timeout:.0f}

[Install]
WantedBy=default.target
"""


def names() -> list[str]:
    """Return the units' names."""
    return sorted(f"{path.stem}.service" for path in DIRECTORY.glob("*.container"))


def write(count: int, image: str) -> None:
    """Write the files of `count` units."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    for number in range(1, count + 1):
        (DIRECTORY / f"bench-boot-{number}.container").write_text(UNIT.format(image=image, timeout=TIMEOUT))


def remove() -> None:
    """Remove the files."""
    for path in DIRECTORY.glob("*.container"):
        path.unlink()
    DIRECTORY.rmdir()


def shown(key: str, *units: str) -> list[str]:
    """Return a property of units, or of the user's systemd itself."""
    command = ["systemctl", "--user", "show", "--value", "-p", key, *units]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def wait() -> None:
    """Return once all units are active. Raises SystemExit if one has failed, or after the timeout."""
    end = time.monotonic() + TIMEOUT
    while set(states := shown("ActiveState", *names())) != {"active"}:
        if "failed" in states or time.monotonic() > end:
            raise SystemExit(f"not all are active: {' '.join(states)}")
        time.sleep(0.5)


def read(engine: str) -> None:
    """Print the engine, the number of units, and the seconds until the first and until the last one was active."""
    wait()
    calls = {"podman" if "/podman " in each else "podpy" for each in _starts()}
    if calls != {engine}:
        raise SystemExit(f"the units call {' '.join(sorted(calls))}")
    begin = int(shown("UserspaceTimestampMonotonic")[0])
    times = sorted((int(each) - begin) / 1e6 for each in shown("ActiveEnterTimestampMonotonic", *names()))
    print(f"{engine} {len(times)} {times[0]:.2f} {times[-1]:.2f}")


def _starts() -> list[str]:
    command = ["systemctl", "--user", "cat", *names()]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [line for line in text.splitlines() if line.startswith("ExecStart=")]


def table(file: Path) -> None:
    """Print the smallest, the median and the largest time of each engine, and the ratio of the medians."""
    lines = [line.split() for line in file.read_text().splitlines() if line.strip()]
    medians = {}
    for engine in ("podman", "podpy"):
        last = sorted(float(line[3]) for line in lines if line[0] == engine)
        medians[engine] = statistics.median(last)
        print(f"{engine}: {last[0]:.1f} / {medians[engine]:.1f} / {last[-1]:.1f} s, {len(last)} boots")
    print(f"ratio {medians['podpy'] / medians['podman']:.2f}")


def main() -> None:
    """Do what the first word says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    writing = commands.add_parser("write")
    writing.add_argument("--count", type=int, default=20)
    writing.add_argument("--image", default="localhost/busybox")
    commands.add_parser("read").add_argument("engine", choices=("podman", "podpy"))
    commands.add_parser("table").add_argument("file", type=Path)
    commands.add_parser("remove")
    given = parser.parse_args()
    if given.command == "write":
        write(given.count, given.image)
    elif given.command == "read":
        read(given.engine)
    elif given.command == "table":
        table(given.file)
    else:
        remove()


if __name__ == "__main__":
    main()
