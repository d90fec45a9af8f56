"""Blobs: compressed layers as they came, so that save and push give the same bytes back.

    blobs/sha256/HEX          committed: a row in `blobs`, used by images through `image_blobs`
    tmp/blobs/HEX.partial     being received by the process that holds its flock, or cut off; goes on from its length
    tmp/blobs/HEX.done        verified, not committed yet; anybody may read it; a call that relies on it has a lease

Two pulls of the same blob share the work: the second waits for the first's lock and then finds HEX.done (or goes on
where the first stopped). A call holds the lock only during its own transfer (`finish` releases it), and meanwhile waits
for the network, never for another lock: so waiting can't be circular.
"""

from __future__ import annotations

import fcntl
import os
from io import FileIO

from podpy.errors import DigestMismatchError, StorageError
from podpy.record import Record
from podpy.storage import staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from hashlib import _Hash

_CHUNK = 1 << 20
_BLOCK = 512  # the unit of st_blocks (stat(2))
KEPT_SECONDS = 7 * 24 * 3600  # how long the bytes of an interrupted pull are kept


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

    def open(self) -> FileIO:
        """Open the bytes to be read: complete after `finish` or if `complete`, else as far as `offset`. Raises OSError.

        `finish` and another call's commit rename the file: HEX.partial, HEX.done, blobs/sha256/HEX. A look-up in the
        opposite order can miss it only if it is renamed meanwhile, so a second look finds it.
        """
        for path in (self._done, self._stored, self._partial) * 2:
            try:
                return FileIO(path)
            except FileNotFoundError:
                continue
        return FileIO(self._stored)

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
        # A stored blob may have lost its row just now and be about to go. A second name keeps it for this writer's
        # commit.
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
        """Return a complete blob's size, -1 if it isn't there. For `unfinished` its age begins now.

        If it wasn't committed it wasn't synced: after a power cut HEX.done may be empty. So it is read again, and
        removed if it is wrong.
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


class Unfinished(Record):
    """A blob in the making: its path, what it takes on the disk, and the seconds since somebody touched it.

    `idle`: nobody receives it, and no living call relies on it.
    """

    path: str
    size: int
    age: float
    idle: bool


def unfinished(
    graphroot: str, is_leased: Callable[[str], bool], *, remove_after: float | None = None
) -> list[Unfinished]:
    """Return the blobs in the making. `is_leased` tells whether a living call relies on a digest.

    `remove_after` (seconds): idle blobs that nobody has touched for that long are removed, and returned too.
    """
    directory = os.path.join(graphroot, "tmp", staging.BLOBS)
    found = []
    for name in sorted(os.listdir(directory)) if os.path.isdir(directory) else ():
        path = os.path.join(directory, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        try:
            item = _look_at(descriptor, path, is_leased)
            if remove_after is not None and item.idle and item.age >= remove_after:
                os.unlink(path)
        finally:
            os.close(descriptor)
        found.append(item)
    return found


def _look_at(descriptor: int, path: str, is_leased: Callable[[str], bool]) -> Unfinished:
    """Lock the blob if nobody else has, and say what it is."""
    import time

    status = os.fstat(descriptor)
    name, _, kind = os.path.basename(path).partition(".")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # A receiver holds the blob's lock. A reader of a complete blob holds a lease instead, taken before it looked;
        # so leases are checked while this call holds the lock.
        idle = _is_still(descriptor, path) and (kind == "partial" or not is_leased(f"sha256:{name}"))
    except BlockingIOError:
        idle = False
    size = status.st_blocks * _BLOCK if status.st_nlink == 1 else 0  # else it is one with the stored blob
    return Unfinished(path=path, size=size, age=time.time() - status.st_mtime, idle=idle)


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
