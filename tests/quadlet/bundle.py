"""Unit files of a test in one text: `=== NAME`, then the file; `=== NAME -> TARGET` is a link. And units compared.

    PYTHONPATH=src python3 -m tests.quadlet.bundle GENERATOR VERSION

writes what Podman's own generator (its `quadlet` program) makes of cases.txt into podman-VERSION.json.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from podpy.quadlet.search import Root
from podpy.quadlet.units import Generated, Request, generate

HERE = Path(__file__).parent
PODPY = "/usr/bin/podpy"
DIRECTORY = "/DIR"
"""What stands for the files' directory in what is compared."""


def lay_out(text: str, directory: Path) -> Path:
    """Write the files of a bundle into a directory and return it."""
    for part in text.split("=== ")[1:]:
        head, _, content = part.partition("\n")
        name, _, target = head.strip().partition(" -> ")
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if target:
            path.symlink_to(target)
        else:
            path.write_text(content)
    return directory


def units_of(text: str, directory: Path, *, user: bool = True) -> Generated:
    """Return what podpy makes of a bundle."""
    lay_out(text, directory)
    return generate(Request(roots=[Root(path=str(directory))], podpy=PODPY, user=user, uid=os.geteuid()))


def texts(generated: Generated) -> dict[str, str]:
    """Return the units' texts by name."""
    return {unit.name: unit.text for unit in generated.units}


def complaints(generated: Generated, directory: Path) -> list[str]:
    """Return the problems, with the directory left out."""
    return [str(problem).replace(f"{directory}/", "") for problem in generated.problems]


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines of a unit's sections without comments, sorted."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith(("#", ";")):
            current.append(line)
    return {name: sorted(lines) for name, lines in found.items()}


def value(text: str, key: str) -> str:
    """Return the last value of a key in a unit."""
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{key}=")][-1]


def words(command: str) -> list[str]:
    """Return a command line's words, as systemd reads them; a shell doesn't know these escapes."""
    return shlex.split(command.replace("\\t", "\t").replace("\\x20", " "))


def recorded(text: str, generator: Path) -> dict[str, dict[str, list[str]]]:
    """Return the sections of the units that Podman's generator makes of a bundle."""
    with tempfile.TemporaryDirectory() as base:
        directory = lay_out(text, Path(base) / "units")
        environment = {**os.environ, "QUADLET_UNIT_DIRS": str(directory)}
        command = [os.fspath(generator), "-dryrun", "-user"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        lines = [line for line in done.stderr.splitlines() if "Loading source" not in line and "Warning" not in line]
        print("\n".join(lines), file=sys.stderr)
        found = {}
        for part in f"\n{done.stdout}".split("\n---")[1:]:
            name, _, unit = part.partition("---\n")
            found[name] = sections(unit.replace(str(directory), DIRECTORY))
    return found


if __name__ == "__main__":
    units = recorded((HERE / "cases.txt").read_text(), Path(sys.argv[1]))
    (HERE / f"podman-{sys.argv[2]}.json").write_text(json.dumps(units, indent=1, sort_keys=True) + "\n")
