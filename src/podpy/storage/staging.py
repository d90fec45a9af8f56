"""graphroot/tmp: everything that isn't committed yet, and which calls are still at it.

    tmp/blobs/HEX.partial     a blob that is being received, or whose transfer was cut off: it goes on from there
    tmp/blobs/HEX.done        received and verified; the commit of an image renames it into blobs/sha256
    tmp/PID-RANDOM/           one call's staging directory: layers being unpacked, and what is being removed

A staging directory is locked (flock on the directory itself) by its maker for as long as that process lives, so if
the lock is free, the maker is gone, whatever the pid says. Making one takes the lock of tmp/ shared, sweeping takes it
exclusively: a directory that was made but not yet locked is never swept.
"""

from __future__ import annotations

import errno
import fcntl
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLOBS = "blobs"
_OPEN_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Staging:
    """This process's staging directory, made when it is first needed.

    `before_first` is called before that: a call that stages something also removes what killed calls have left.
    `reserve`: whether the graph root's reserve is made at the end.
    """

    def __init__(self, graphroot: str, *, reserve: bool = True) -> None:
        self.before_first: Callable[[], object] | None = None
        self._keeps_reserve = reserve
        self.root = os.path.join(graphroot, "tmp")
        self.name = ""
        self._lock = -1
        self._count = 0

    def path(self) -> str:
        """Return this process's staging directory."""
        if not self.name:
            self._clear_up()
            self._make()
        return os.path.join(self.root, self.name)

    def new_path(self, kind: str) -> str:
        """Return a path in it that nothing has yet. Not for two threads at once: the counter is the name."""
        path = self.path()
        self._count += 1
        return os.path.join(path, f"{kind}-{self._count}")

    def nameless_file(self) -> int:
        """Return a descriptor of a new file without a name: nothing is left of it, however this process ends."""
        directory = self.path()
        try:
            return os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # a file system, a kernel without it: open(2)
                raise
        path = os.path.join(directory, f"nameless-{os.urandom(4).hex()}")
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        os.unlink(path)
        return descriptor

    def discard(self, path: str) -> None:
        """Remove a directory tree or file: renamed in here first, so that a kill leaves nothing half-removed in
        place.
        """
        from podpy.storage.layers import filesystem

        aside = self.set_aside(path)
        if aside:
            filesystem.remove_tree(aside)

    def set_aside(self, path: str) -> str:
        """Rename a directory tree or file in here: it is removed with the staging directory, at the latest. Return
        its path; an empty text if there was none.
        """
        aside = self.new_path("removed")
        try:
            os.rename(path, aside)
        except FileNotFoundError:
            return ""
        return aside

    def close(self) -> None:
        """Remove the staging directory and give up its lock."""
        from podpy.storage.layers import filesystem

        if self.name:
            if self._keeps_reserve:
                from podpy.storage.database import reserve

                reserve.make(os.path.dirname(self.root), self.new_path("reserve"))
            filesystem.remove_tree(os.path.join(self.root, self.name))
            os.close(self._lock)
            self.name, self._lock = "", -1

    def _clear_up(self) -> None:
        before, self.before_first = self.before_first, None  # what it does may stage something itself
        if before is not None:
            before()

    def _make(self) -> None:
        if self.name:
            return
        os.makedirs(self.root, mode=0o700, exist_ok=True)
        outer = os.open(self.root, _OPEN_DIRECTORY)
        try:
            fcntl.flock(outer, fcntl.LOCK_SH)
            name = f"{os.getpid()}-{os.urandom(4).hex()}"
            path = os.path.join(self.root, name)
            os.mkdir(path, 0o700)
            self._lock = os.open(path, _OPEN_DIRECTORY)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self.name = name
        finally:
            os.close(outer)


def names(graphroot: str) -> list[str]:
    """Return the names of all staging directories, of living calls and of killed ones."""
    try:
        return [name for name in os.listdir(os.path.join(graphroot, "tmp")) if name != BLOBS]
    except FileNotFoundError:
        return []


def of_killed_calls(graphroot: str) -> dict[str, int]:
    """Return the staging directories whose makers are gone, each with a descriptor that has its lock: so no other call
    clears it up at the same time. The caller closes them.
    """
    found = names(graphroot)
    if not found:
        return {}
    root = os.path.join(graphroot, "tmp")
    outer = os.open(root, _OPEN_DIRECTORY)
    try:
        locks = {name: _lock_of_dead_maker(outer, root, name) for name in found}
    finally:
        os.close(outer)
    return {name: lock for name, lock in locks.items() if lock >= 0}


def _lock_of_dead_maker(outer: int, root: str, name: str) -> int:
    fcntl.flock(outer, fcntl.LOCK_EX)
    try:
        lock = os.open(os.path.join(root, name), _OPEN_DIRECTORY)
    except FileNotFoundError:
        return -1
    finally:
        fcntl.flock(outer, fcntl.LOCK_UN)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return -1
    return lock
