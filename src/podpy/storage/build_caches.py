"""Directories that RUN --mount=type=cache keeps between builds: graphroot/caches/HASH, where HASH is of the cache's id.

A name of a Dockerfile is never a path. What is in them isn't needed by any image: `podpy image prune --build-cache`
removes those that no build uses now (a flock on the directory tells).
"""

from __future__ import annotations

import fcntl
import os
from hashlib import sha256

from podpy import linux
from podpy.storage.layers.size import tree_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.storage.shelves import Shelves

_OPEN = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES = 5


class CacheUse:
    """A context: a cache's directory, `path`, which stays until its end. To be used in the user's namespaces.

    `sharing`: shared (others may use it, too), locked (one after the other), private (another one if it is in use).
    """

    def __init__(
        self,
        store: Shelves,
        name: str,
        *,
        sharing: str,
        mode: int,
        owner: tuple[int, int],
        begun: Callable[[str], object] | None = None,
    ) -> None:
        """`begun` fills a new cache's directory, whose mode and owner are its own business then."""
        self._store = store
        self._begun = begun
        self._directory = os.path.join(store.graphroot, "caches")
        self._name = sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        self._sharing = sharing
        self._mode = mode
        self._owner = owner
        self._descriptor = -1
        self.path = ""

    def __enter__(self) -> CacheUse:
        os.makedirs(self._directory, mode=0o700, exist_ok=True)
        number = 0
        while not self._take(self._name + (f"-{number}" if number else "")):
            number += 1
        return self

    def _take(self, name: str) -> bool:
        path = os.path.join(self._directory, name)
        for _ in range(_TRIES):
            try:
                self._make(path)
            except FileExistsError:
                pass
            descriptor = os.open(path, _OPEN)
            kind = fcntl.LOCK_SH if self._sharing == "shared" else fcntl.LOCK_EX
            try:
                fcntl.flock(descriptor, kind | (fcntl.LOCK_NB if self._sharing == "private" else 0))
            except BlockingIOError:
                os.close(descriptor)
                return False
            if os.path.isdir(path) and os.path.samestat(os.stat(path), os.fstat(descriptor)):
                self._descriptor, self.path = descriptor, path
                return True
            os.close(descriptor)  # a prune has removed it meanwhile
        return False

    def _make(self, path: str) -> None:
        """Make the directory. Raises FileExistsError, and what filling it raises: then there is none."""
        if self._begun is None:
            os.mkdir(path, 0o700)
            os.chown(path, *self._owner)
            os.chmod(path, self._mode)
            return
        if os.path.lexists(path):
            raise FileExistsError(path)
        aside = self._store.staging.new_path("cache")
        os.mkdir(aside, 0o700)
        try:
            self._begun(aside)
            linux.renameat2(aside, path, linux.RENAME_NOREPLACE)
        except BaseException:
            self._store.staging.discard(aside)
            raise

    def __exit__(self, *_error: object) -> None:
        os.close(self._descriptor)


def remove(store: Shelves, *, dry_run: bool = False) -> int:
    """Remove the caches that nobody uses; return their bytes."""
    directory = os.path.join(store.graphroot, "caches")
    size = 0
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        path = os.path.join(directory, name)
        descriptor = os.open(path, _OPEN)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            size += tree_size(path)
            if not dry_run:
                store.staging.discard(path)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
    return size


def size(store: Shelves) -> int:
    """Return the bytes of all caches."""
    directory = os.path.join(store.graphroot, "caches")
    return tree_size(directory) if os.path.isdir(directory) else 0
