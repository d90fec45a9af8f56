"""Digests of files of the host, so that a build needn't read a file again that hasn't changed since the last one.

    graphroot/digests/HASH      HASH is of the directory's path; one record for each file in it:
                                device, inode, size, mtime and ctime in nanoseconds → SHA-256

A program can set a file's mtime, but not its ctime. A change within the clock's tick of a read would have the same
ctime (git calls that "racily clean"), and one by a mapping gets a ctime only when its page was clean before, which the
kernel makes it within half a minute. So a digest is only kept if the file had been left alone for a minute when it was
read. Network file systems and FUSE have other clocks, and tmpfs doesn't see mappings: nothing is kept there.

Only the store's owner can write there. A record that is missing costs a read, no more: a file of records is replaced at
once, isn't synced, and is left out if it isn't whole. There are at most MOST_FILES records for one directory, and
MOST_BYTES in all; those of the directory that wasn't built for the longest time go first.
"""

from __future__ import annotations

import os
import struct
from hashlib import sha256

from podpy import files
from podpy.storage.layers import filesystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_FILES = 100_000
MOST_BYTES = 64 << 20
_MAGIC = b"podpy digests 1\n"
_STAMP = struct.Struct("=QQQqq")
_DIGEST = 32
_SHA256 = 32
_RECORD = _STAMP.size + _DIGEST
_INODE = 16  # a stamp's device and inode
_ALONE = 60_000_000_000  # nanoseconds without a change before the read
_FEW = 1000


class FileDigests:
    """The digests of the files beneath one directory; read at the first question. For one thread."""

    def __init__(self, graphroot: str, root: str) -> None:
        name = sha256(os.path.realpath(root).encode("utf-8", "surrogateescape")).hexdigest()
        self._path = os.path.join(graphroot, "digests", name)
        self._root = root
        self._device = -1  # of the files that are kept: others may lie on a network
        self._known: dict[bytes, bytes] | None = None
        self._used: dict[bytes, bytes] = {}  # device and inode → record, of files that are there
        self._new = 0

    def known(self, status: os.stat_result) -> bytes | None:
        """Return the digest of a file that hasn't changed since it was read; None: read it."""
        if self._known is None:
            self._open()
        if self._known is None or status.st_dev != self._device:
            return None
        stamp = _stamp(status)
        inode = stamp[:_INODE]
        if inode in self._known:  # each is in one of the two only, to save memory
            self._used[inode] = self._known.pop(inode)
        record = self._used.get(inode)
        if record is None or record[: _STAMP.size] != stamp:
            return None
        return record[_STAMP.size :]

    def _open(self) -> None:
        if not (filesystem.is_network(self._root) or filesystem.is_in_memory(self._root)):
            self._device = os.stat(self._root).st_dev
        self._known = dict(_read(self._path)) if self._device >= 0 else {}

    def put(self, status: os.stat_result, digest: bytes, *, before: int) -> None:
        """Keep the digest of a file that had this status before and after it was read. `before`: when that was,
        nanoseconds since 1970.
        """
        is_young = max(status.st_ctime_ns, status.st_mtime_ns) > before - _ALONE
        if is_young or status.st_dev != self._device or len(self._used) >= MOST_FILES:
            return
        stamp = _stamp(status)
        self._used[stamp[:_INODE]] = stamp + digest  # in place of an older one
        self._new += 1

    def save(self) -> None:
        """Write down what is new. What can't be written isn't kept: a full disk ends no build."""
        if not self._new:
            return
        self._new = 0
        try:
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            there = dict(_read(self._path))  # another build has added to it meanwhile
            whole = {**there, **self._used}
            if len(whole) > min(2 * len(self._used) + _FEW, MOST_FILES):  # most of those are gone
                whole = self._used
            body = b"".join(whole.values())
            files.replace(self._path, _MAGIC + sha256(body).digest() + body)
            _bound(os.path.dirname(self._path), self._path)
        except OSError:
            pass


def remove(graphroot: str, *, dry_run: bool = False) -> int:
    """Forget all digests; return their bytes."""
    found = _sizes(os.path.join(graphroot, "digests"))
    for _, path, _ in found if not dry_run else ():
        files.unlink(path)
    return sum(size for _, _, size in found)


def size(graphroot: str) -> int:
    """Return the bytes of all digests."""
    return remove(graphroot, dry_run=True)


def _stamp(status: os.stat_result) -> bytes:
    return _STAMP.pack(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _read(path: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield the records of a file, by device and inode; nothing if it isn't there, or isn't whole."""
    try:
        with open(path, "rb") as file:
            data = file.read(MOST_BYTES)
    except OSError:
        return
    begin = len(_MAGIC) + _SHA256
    body = data[begin:]
    if data[: len(_MAGIC)] != _MAGIC or len(body) % _RECORD or sha256(body).digest() != data[len(_MAGIC) : begin]:
        return
    for at in range(0, len(body), _RECORD):
        yield body[at : at + _INODE], body[at : at + _RECORD]


def _sizes(directory: str) -> list[tuple[int, str, int]]:
    """Return time, path and size of each file of records, the oldest first."""
    try:
        with os.scandir(directory) as entries:
            found = [(entry.stat().st_mtime_ns, entry.path, entry.stat().st_size) for entry in entries]
    except FileNotFoundError:
        return []
    return sorted(found)


def _bound(directory: str, own: str) -> None:
    found = _sizes(directory)
    total = sum(size for _, _, size in found)
    for _, path, size in found:
        if total <= MOST_BYTES:
            return
        if path != own:
            files.unlink(path)
            total -= size
