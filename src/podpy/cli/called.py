"""The name by which podpy was called: programs that drive `podman` choose options by the version that it prints.

Ansible's collection takes 0.1.0 for a Podman of the year 2018 and leaves out half of what it can do. So through a link
`podman` (or `docker`, as Podman's own package `podman-docker` has it) the version is that of the Podman whose command
line this is, everywhere where a version is printed.
"""

from __future__ import annotations

import sys


def called() -> str:
    """Return the word by which podpy was called, a name or a path; the launcher tells it."""
    return str(sys._xoptions.get("podpy_called") or "podpy")


def is_podman() -> bool:
    """Return whether podpy was called by a link `podman` or `docker`."""
    return called().rpartition("/")[2] in ("podman", "docker")


def engine_and_version() -> tuple[str, str]:
    """Return the program's name and version to be printed."""
    if is_podman():
        from podpy.libpod.system.info import API_VERSION

        return "podman", API_VERSION
    from podpy.version import VERSION

    return "podpy", VERSION
