"""File locks, one per container: flock(2) on runroot/locks/ID.

The kernel releases a flock when its holder dies, so a lock can't be left behind, and there are no numbers to run out.
The file is removed with its container. A call that locked a file which was removed meanwhile tries again.
"""

from __future__ import annotations

import fcntl
import os

from podpy import files
from podpy.errors import NoSuchContainerError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from podpy.libpod.containers.table import ContainerRow


class BusyError(Exception):
    """Another call holds the lock, and wait=False."""


class FileLock:
    """An exclusive lock on a file, which is created if missing; a context manager, reentrant within its object."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._descriptor = -1
        self._depth = 0

    def acquire(self, *, wait: bool = True) -> bool:
        """Take the lock and return True; with wait=False return False at once if another call has it."""
        if self._depth:
            self._depth += 1
            return True
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
                is_still = _is_still(descriptor, self.path)
            except BaseException as error:  # Ctrl-C, too: who undoes its work takes the lock again
                os.close(descriptor)
                if isinstance(error, BlockingIOError):
                    return False
                raise
            if is_still:
                self._descriptor, self._depth = descriptor, 1
                return True
            os.close(descriptor)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._depth > 0

    def release(self) -> None:
        """Release the lock (the outermost release counts)."""
        self._depth -= 1
        if self._depth == 0:
            # Closing isn't enough: a helper forked by another thread meanwhile has a copy of the descriptor.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Remove the lock's file; only its holder may."""
        files.unlink(self.path)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


class Locked:
    """A context that holds a container's lock and gives its row."""

    def __init__(self, lock: FileLock, look: Callable[[], ContainerRow], *, wait: bool = True) -> None:
        """`look` returns the row. With wait=False, entering raises BusyError if another call has the lock."""
        self._lock = lock
        self._look = look
        self._wait = wait

    def __enter__(self) -> ContainerRow:
        """Take the lock. Raises NoSuchContainerError; then a lock file that `acquire` has created is removed again."""
        if not self._lock.acquire(wait=self._wait):
            raise BusyError
        try:
            return self._look()
        except BaseException as error:
            if isinstance(error, NoSuchContainerError):
                self._lock.remove()
            self._lock.release()
            raise

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lock.release()


def _is_still(descriptor: int, path: str) -> bool:
    ours = os.fstat(descriptor)
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)
