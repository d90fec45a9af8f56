"""Blobs: compressed layers as they came, so that save and push give the same bytes back.

    blobs/sha256/HEX          committed: a row in `blobs`, used by images through `image_blobs`
    tmp/blobs/HEX.partial     being received by the process that holds its flock, or cut off; goes on from its length
    tmp/blobs/HEX.done        verified, not committed yet; anybody may read it, nobody keeps a lock on it

Two pulls of the same blob share the work: the second waits for the first's lock and then finds HEX.done (or goes on
where the first stopped). A lock is held only while its own transfer runs and is given up by `finish`, so waiting can't
be circular: who holds one waits for a network, never for another lock.
"""

from __future__ import annotations

import fcntl
import os

from podpy.errors import DigestMismatchError, StorageError
from podpy.storage import staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import _Hash

_CHUNK = 1 << 20
_KEPT_SECONDS = 7 * 24 * 3600


def digest_hex(digest: str) -> str:
    """Return the 64 hex digits of a "sha256:HEX". Raises StorageError for anything else (a digest becomes a file
    name).
    """
    algorithm, _, text = digest.partition(":")
    if algorithm != "sha256" or len(text) != 64 or not all(c in "0123456789abcdef" for c in text):
        raise StorageError(f"{digest!r} isn't a sha256 digest", hint="podpy knows only sha256:HEX")
    return text


class BlobWriter:
    """Receives one blob. `offset` bytes are here already; `complete` means that nothing need be written."""

    def __init__(self, graphroot: str, digest: str) -> None:
        """Wait for another process that receives the same blob, then open it. Raises StorageError, OSError."""
        self.digest = digest
        name = digest_hex(digest)
        directory = os.path.join(graphroot, "tmp", staging.BLOBS)
        self._stored = os.path.join(graphroot, "blobs", "sha256", name)
        self._partial = os.path.join(directory, name + ".partial")
        self._done = os.path.join(directory, name + ".done")
        self._descriptor = -1
        self._hash: _Hash | None = None
        self.offset = 0
        self.complete = False
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._open()

    @property
    def path(self) -> str:
        """Where the bytes can be read: complete after `finish` or if `complete`, else as far as `offset`."""
        for path in (self._done, self._stored):
            if os.path.exists(path):
                return path
        return self._partial

    def write(self, data: bytes | memoryview) -> None:
        """Append bytes. Raises OSError (disk full)."""
        assert self._hash is not None
        self._hash.update(data)
        view = memoryview(data)
        while view:
            count = os.write(self._descriptor, view)
            view = view[count:]
        self.offset += len(data)

    def restart(self) -> None:
        """Forget what is here: the server can't go on from `offset`."""
        import hashlib

        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hash = hashlib.sha256()
        self.offset = 0

    def finish(self) -> None:
        """Check the digest and give up the lock. Raises DigestMismatchError: what arrived is then removed."""
        if self.complete:
            return
        assert self._hash is not None
        actual = "sha256:" + self._hash.hexdigest()
        if actual != self.digest:
            os.unlink(self._partial)
            self._close()
            raise DigestMismatchError(
                f"blob {self.digest} arrived with the digest {actual} ({self.offset} bytes)",
                hint="Try again; if it happens again, the image is damaged where it comes from",
            )
        os.rename(self._partial, self._done)
        self.complete = True
        self._close()

    def abort(self) -> None:
        """Stop here. What has arrived stays for the next try."""
        self._close()

    def store(self) -> int:
        """Rename the verified blob into blobs/sha256, within a commit. Return its size. Raises OSError."""
        try:
            os.rename(self._done, self._stored)
            os.unlink(self._done)  # it is still there if both are one file: rename(2) does nothing then
        except FileNotFoundError:
            pass  # another image's commit has done it: then the next line finds it
        return os.stat(self._stored).st_size

    def _open(self) -> None:
        while not self._find_complete():
            descriptor = os.open(self._partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # While this call waited, the file may have become HEX.done or been removed: then the lock is of a file that
            # has no name, and the next round looks again.
            if _is_still(descriptor, self._partial):
                self._descriptor = descriptor
                self._read_present()
                return
            os.close(descriptor)

    def _find_complete(self) -> bool:
        # One that is stored may have lost its row just now, and go. Its second name keeps it for this writer's commit.
        try:
            os.link(self._stored, self._done)
        except (FileNotFoundError, FileExistsError):
            pass
        for path in (self._done, self._stored):
            size = self._use(path)
            if size >= 0:
                self.offset, self.complete = size, True
                return True
        return False

    def _use(self, path: str) -> int:
        """Return a complete blob's size, -1 if it isn't there. `remove_old` takes it for new from now on.

        What wasn't committed wasn't synced: after a power cut HEX.done may be empty, so it is read again; a wrong one
        is removed.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return -1
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            if not _is_still(descriptor, path):
                return -1
            if not _is_still(descriptor, self._stored) and _digest_of(descriptor) != self.digest:
                os.unlink(path)
                return -1
            os.utime(descriptor)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def _read_present(self) -> None:
        import hashlib

        self._hash = hashlib.sha256()
        while chunk := os.read(self._descriptor, _CHUNK):
            self._hash.update(chunk)
            self.offset += len(chunk)

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def remove_old(graphroot: str) -> int:
    """Remove blobs in the making that nobody has touched for a week and nobody receives now. Return how many."""
    import time

    directory = os.path.join(graphroot, "tmp", staging.BLOBS)
    removed = 0
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        path = os.path.join(directory, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if time.time() - os.fstat(descriptor).st_mtime > _KEPT_SECONDS:
                os.unlink(path)
                removed += 1
        except (BlockingIOError, FileNotFoundError):
            continue
        finally:
            os.close(descriptor)
    return removed


def _digest_of(descriptor: int) -> str:
    import hashlib

    digest = hashlib.sha256()
    offset = 0
    while chunk := os.pread(descriptor, _CHUNK, offset):
        digest.update(chunk)
        offset += len(chunk)
    return "sha256:" + digest.hexdigest()


def _is_still(descriptor: int, path: str) -> bool:
    try:
        named = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    opened = os.fstat(descriptor)
    return (opened.st_dev, opened.st_ino) == (named.st_dev, named.st_ino)
