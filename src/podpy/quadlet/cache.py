"""Keeps what files mean, by the digests of their texts, so that a file that hasn't changed isn't read anew.

    DIRECTORY/quadlet-CACHETAG      32 bytes: digest of what all drafts depend on; then the drafts, marshalled

It is replaced whole, holds the drafts of the last call alone, and is ignored if it is torn, another podpy's or another
Python's. Only a directory that is this user's alone is used.
"""

from __future__ import annotations

import marshal
import os
import sys

from podpy import files
from podpy.config.paths import is_private
from podpy.digests import raw_sha256
from podpy.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_LARGEST = 1 << 26  # bytes


class Kept:
    """The drafts of the last call, and those of this one."""

    def __init__(self, path: str, what: Sequence[str]) -> None:
        """Read what is kept in a file; `what`: what all drafts depend on beside their files."""
        self.path = path
        self.head = raw_sha256("\0".join([VERSION, _code_time(), *what]).encode("utf-8", "surrogateescape"))
        self.before: dict[bytes, tuple[Any, ...]] = {}
        self.now: dict[bytes, tuple[Any, ...]] = {}
        try:
            with open(path, "rb", buffering=0) as file:
                raw = file.read(_LARGEST)
            if raw is not None and raw.startswith(self.head):
                self.before = marshal.loads(memoryview(raw)[len(self.head) :])
        except (OSError, EOFError, ValueError, TypeError):
            pass

    def key(self, paths: list[str], raws: list[bytes]) -> bytes:
        """Return the digest of files, their paths too."""
        parts = [os.fsencode(path) for path in paths]
        parts += [b"%d" % len(raw) for raw in raws]
        return raw_sha256(b"\0".join([*parts, *raws]))

    def get(self, key: bytes) -> tuple[Any, ...] | None:
        """Return a draft of the last call."""
        found = self.before.get(key)
        if found is not None:
            self.now[key] = found
        return found

    def put(self, key: bytes, draft: tuple[Any, ...]) -> None:
        """Note a draft."""
        self.now[key] = draft

    def store(self) -> None:
        """Keep this call's drafts for the next one; where that can't be, it reads all anew."""
        if self.now.keys() == self.before.keys():
            return
        try:
            files.replace(self.path, self.head + marshal.dumps(self.now))
        except OSError:
            pass


def load(directory: str, what: Sequence[str]) -> Kept | None:
    """Return what is kept in a directory, which is made (its parent must be private); None if that can't be."""
    try:
        parent = os.path.dirname(directory)
        for path in (parent, directory):
            if not os.path.isdir(path):
                os.mkdir(path, 0o700)
    except OSError:
        return None
    if not is_private(directory):
        return None
    return Kept(f"{directory}/quadlet-{sys.implementation.cache_tag}", what)


def _code_time() -> str:
    """Return when this room's code was written: a checkout's changes without podpy's version."""
    try:
        with os.scandir(os.path.dirname(__file__)) as found:
            return str(max((entry.stat().st_mtime_ns for entry in found if entry.name.endswith(".py")), default=0))
    except OSError:
        return ""
