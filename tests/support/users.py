"""The unprivileged user that the rootless tests run as."""

from __future__ import annotations

import fcntl
import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEFAULT_NAME = "podpy-test"
RANGE = 65536
SUBID_FILES = (Path("/etc/subuid"), Path("/etc/subgid"))


@dataclass(frozen=True)
class User:
    """A user of this machine, and the first of its 65536 subordinate ids (None: it has none)."""

    name: str
    uid: int
    gid: int
    subuid: int | None

    def as_popen_arguments(self) -> dict[str, object]:
        """What subprocess.Popen needs to run something as this user (nothing, if the caller is this user)."""
        if os.geteuid() == self.uid:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": os.getgrouplist(self.name, self.gid)}

    @contextmanager
    def impersonated(self) -> Iterator[None]:
        """Be this user to the kernel: whom a unix socket's other side sees is who connects (SO_PEERCRED)."""
        before = os.geteuid()
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(before)


def read_ranges(path: Path) -> list[tuple[str, int, int]]:
    """Return (owner, first, count) of each line of /etc/subuid or /etc/subgid."""
    if not path.exists():
        return []
    lines = [line.split(":") for line in path.read_text().split()]
    return [(owner, int(first), int(count)) for owner, first, count in lines]


def _give_ranges(name: str) -> None:
    lacking = [path for path in SUBID_FILES if all(owner != name for owner, _, _ in read_ranges(path))]
    if not lacking:
        return
    ends = [first + count for path in SUBID_FILES for _, first, count in read_ranges(path)]
    first = max([100000, *ends])
    last = first + RANGE - 1
    for path in lacking:
        flag = f"--add-{path.name}s"
        subprocess.run(["usermod", flag, f"{first}-{last}", name], check=True, capture_output=True)


def _make(name: str) -> None:
    with open("/etc/passwd") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # one of the workers makes the user
        try:
            pwd.getpwnam(name)
        except KeyError:
            subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", name], check=True, capture_output=True)
        _give_ranges(name)


def unprivileged_user() -> User:
    """Return the caller, or (for root) $PODPY_TEST_USER or `podpy-test`, which is made if it isn't there."""
    if os.geteuid() == 0:
        name = os.environ.get("PODPY_TEST_USER", DEFAULT_NAME)
        _make(name)
    else:
        name = pwd.getpwuid(os.geteuid()).pw_name
    entry = pwd.getpwnam(name)
    own = [first for owner, first, _ in read_ranges(SUBID_FILES[0]) if owner in (name, str(entry.pw_uid))]
    return User(name=name, uid=entry.pw_uid, gid=entry.pw_gid, subuid=own[0] if own else None)


def root_user() -> User:
    """Return root."""
    return User(name="root", uid=0, gid=0, subuid=None)
