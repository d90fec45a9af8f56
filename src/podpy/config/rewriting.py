"""Changing a configuration file: one podpy at a time, and the file is whole at every moment."""

from __future__ import annotations

import fcntl
import os

from podpy import files


class Rewriting:
    """A context in which no other podpy changes the file: between a read and `replace` it stays the same.

    The lock is that of the file's directory. A kill leaves one file aside, which the next change overwrites.
    """

    def __init__(self, path: str, *, directory_mode: int = 0o777) -> None:
        """Make a missing directory, with `directory_mode`. If the path is a link, the file that it names is changed."""
        self.path = os.path.realpath(path)
        self._mode = directory_mode
        self._directory = -1

    def __enter__(self) -> Rewriting:
        """Raises OSError."""
        parent = os.path.dirname(self.path)
        os.makedirs(parent, mode=self._mode, exist_ok=True)
        self._directory = os.open(parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._directory, fcntl.LOCK_EX)
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._directory)

    def replace(self, data: bytes, mode: int) -> None:
        """Give the file this content and these permissions, for good. Raises OSError."""
        files.replace(self.path, data, mode, lasting=True)
