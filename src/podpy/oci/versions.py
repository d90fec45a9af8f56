"""Defects of old versions of crun, runc and the kernel: shown by `system doctor` and `info`, never by a start.

Distributions backport fixes without changing the version number, so no version is refused. What podpy can guard
against, it guards against in every version (oci.root.inside, oci.document.mounts). Source: the projects' release notes
and advisories.
"""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import RuntimeFailedError
from podpy.record import Record
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Version: TypeAlias = tuple[int, ...]

BACKPORTED = "unless your distribution has backported it"


class Lack(Record):
    """A defect: `what` is missing, `since` are the first versions without the defect, one for each release line."""

    what: str
    since: list[tuple[int, ...]]


_DEVICES = "follows an image's link at /dev (CVE-2026-{}); podpy refuses such images"
_LACKS: dict[str, list[Lack]] = {
    "crun": [
        Lack(what=_DEVICES.format("47766"), since=[(1, 28)]),
        Lack(what="follows links at console and null of a /dev that a user mounts (CVE-2026-88264)", since=[(1, 30)]),
    ],
    "runc": [
        Lack(
            what="masked paths and the console can be redirected by links and races in shared volumes (CVE-2025-31133,"
            " CVE-2025-52565, CVE-2025-52881)",
            since=[(1, 2, 8), (1, 3, 3), (1, 4)],
        ),
        Lack(what=_DEVICES.format("41579"), since=[(1, 3, 6), (1, 4, 3)]),
    ],
    "kernel": [
        Lack(what="no openat2(2), by which podpy opens what images and containers can change", since=[(5, 6)]),
        Lack(what="no overlay in user namespaces: fuse-overlayfs puts layers together", since=[(5, 11)]),
    ],
}


def found() -> dict[str, str]:
    """Return the versions of crun, runc, pasta (if installed) and the kernel."""
    programs = {name: which(name) for name in ("crun", "runc", "pasta")}
    said = {name: _first_line(path) for name, path in programs.items() if path}
    return {**{name: text or "unknown" for name, text in said.items()}, "kernel": os.uname().release}


def offered(name: str) -> str:
    """Return the version of a program that Debian's package manager would install, or "" if unknown.

    apt-cache(8) reads only what is on this machine.
    """
    apt = which("apt-cache")
    if not apt:
        return ""
    try:
        done = process.run([apt, "policy", name], environment={"LC_ALL": "C", "PATH": process.SEARCH_PATH}, timeout=10)
    except (OSError, RuntimeFailedError):
        return ""
    for line in done.stdout.decode(errors="replace").splitlines():
        label, _, version = line.strip().partition(": ")
        if label == "Candidate":
            return version
    return ""


def lacks(name: str, version: str) -> list[str]:
    """Return a sentence for each defect of this version of crun, runc or the kernel."""
    number = parse(version)
    missing = [lack for lack in _LACKS.get(name, ()) if number and not _has(lack.since, number)]
    return [f"{lack.what}, mended in {_text(lack.since)}" for lack in missing]


def parse(text: str) -> Version:
    """Return the first version number in a text: (1, 8, 1) of "crun version 1.8.1"; () if there is none."""
    for word in text.replace("-", " ").replace("+", " ").split():
        parts = word.split(".")
        if len(parts) > 1 and all(part.isascii() and part.isdigit() for part in parts[:2]):
            return tuple(int(part) for part in parts if part.isascii() and part.isdigit())
    return ()


def _has(since: list[Version], number: Version) -> bool:
    """Return whether a version is in a release line of `since` and not older, or in a line newer than all of them."""
    return number >= since[-1] or any(number[:2] == first[:2] and number >= first for first in since)


def _text(since: list[Version]) -> str:
    return " and ".join(".".join(map(str, first)) for first in since)


def _first_line(path: str) -> str:
    try:
        done = process.run([path, "--version"], timeout=10)
    except (OSError, RuntimeFailedError):
        return ""
    lines = done.stdout.decode(errors="replace").splitlines()
    said = lines[0].rpartition("version ")[2].strip() if lines and not done.code else ""
    return said if any(character.isdigit() for character in said) else ""
