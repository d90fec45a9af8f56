"""graphroot/reserve: 2 MiB that nobody uses, so that on a full disk something can still be removed.

Every removal begins with a write: a row that goes, a staging directory for what is renamed away. So a call that is
going to free something calls `Database.make_room` first, which gives the reserve up if the file system is full; each
call that has staged something makes it again at its end (`Staging.close`). What only notes something (`ps`, `stop`,
`kill`) goes without: libpod.containers.table.ContainerTable.note.

Trying first and repeating doesn't work: SQLite rolls the whole transaction back if its commit finds no space.
"""

from __future__ import annotations

import os

from podpy import files

NAME = "reserve"
_SIZE = 2 << 20
_PART = 32 << 10  # what SQLite's shared memory takes, and no more: what is free, a start would fill
# The reserve is made from what a removal has left of the last one, too, or a second removal would find none: but not
# the last byte of it.
_SHARE = 7 / 8


def make(graphroot: str, aside: str) -> None:
    """Make the reserve if it isn't there, or is smaller than there is room for now. `aside` is a path in a staging
    directory, where it is made. Without it everything works, but on a full disk.
    """
    path = os.path.join(graphroot, NAME)
    try:
        room = os.statvfs(graphroot)
        size = min(_SIZE, int(room.f_bavail * room.f_frsize * _SHARE))
        if size <= _size(path):
            return
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(descriptor, 0, size)
        finally:
            os.close(descriptor)
        os.rename(aside, path)
    except OSError:  # a quota, say: the call that writes there will say so
        pass


def give_up(graphroot: str) -> None:
    """Give the reserve's blocks back to the file system. Nothing happens if there is none."""
    files.unlink(os.path.join(graphroot, NAME))


def give_up_some(graphroot: str) -> bool:
    """Give a small part of the reserve back to the file system; return whether there was one. Raises OSError."""
    path = os.path.join(graphroot, NAME)
    size = _size(path)
    if size:
        os.truncate(path, max(0, size - _PART))
    return size > 0


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0
