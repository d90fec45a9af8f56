"""Changing a configuration file: one podpy at a time, and the file is whole at every moment."""

from __future__ import annotations

import fcntl
import os


class Rewriting:
    """A context in which no other podpy changes the file: what is read in it is what `replace` replaces.

    The lock is that of the file's directory. What a kill leaves is one file aside, which the next change overwrites.
    """

    def __init__(self, path: str, *, directory_mode: int = 0o777) -> None:
        """A missing directory is made, with `directory_mode`; of a link it is the file that the link names."""
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
        """Write the file aside, with these permissions, and rename it. Raises OSError."""
        aside = f"{self.path}.new"
        try:
            os.unlink(aside)
        except FileNotFoundError:
            pass
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with open(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.rename(aside, self.path)
        os.fsync(self._directory)
