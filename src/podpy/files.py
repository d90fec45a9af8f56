"""Whole files: read at once, and replaced so that no reader ever meets half of one."""

from __future__ import annotations

import errno
import os
from stat import S_ISREG

SMALL = 1 << 20  # bytes: more than any file of /proc that podpy reads, and than any file that it writes at once
_PART = 1 << 16
_RECORD = 1 << 13
_IN_THE_WAY = (errno.EPERM, errno.ELOOP, errno.ENXIO)  # another's file, a symbolic link, a fifo


def read(path: str, limit: int = SMALL) -> str:
    """Return a file's text, at most `limit` bytes; what isn't UTF-8 is kept as surrogates. Raises OSError.

    A quarter of what `open` costs.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    parts = []
    try:
        while limit > 0:
            part = os.read(descriptor, min(limit, _PART))
            if not part:
                break
            parts.append(part)
            limit -= len(part)
    finally:
        os.close(descriptor)
    return b"".join(parts).decode("utf-8", "surrogateescape")


def read_small(path: str, limit: int = SMALL) -> str:
    """Return a file's text like `read`, or an empty text if it isn't there or can't be read."""
    try:
        return read(path, limit)
    except OSError:
        return ""


def read_record(path: str) -> str:
    """Return the text of a file of /proc or of a cgroup that the kernel writes as one piece, such as /proc/PID/stat; an
    empty text if it can't be read. One read(2): the piece is whole, if no longer than 8 KiB (seq_file.rst).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return ""
    try:
        return os.read(descriptor, _RECORD).decode("utf-8", "surrogateescape")
    except OSError:  # the process has just ended
        return ""
    finally:
        os.close(descriptor)


def replace(path: str, data: bytes | str, mode: int = 0o600, *, lasting: bool = False) -> None:
    """Make `path` a file with this content (text as UTF-8) and these permissions, whatever the umask.

    It is written to `path`.new and renamed. `lasting`: it is on the disk before it gets its name, and so is the name
    when this returns; without, a power cut may bring back the old file, or leave an empty one. Two calls at once follow
    one another. A kill leaves `path`.new at most, which the next call takes. Raises OSError, which names `path`, or
    what somebody else has put in the way: `path`.new.
    """
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    aside = f"{path}.new"
    try:
        _write_aside(aside, path, raw, mode, lasting=lasting)
    except OSError as error:
        if error.filename in (aside, None) and error.errno not in _IN_THE_WAY:
            error.filename = path  # the caller knows of no other
            del error.filename2
        raise
    if lasting:
        fsync_directory(os.path.dirname(path) or ".")


def _write_aside(aside: str, path: str, raw: bytes, mode: int, *, lasting: bool) -> None:
    descriptor = _open_aside(aside, mode)
    try:
        view = memoryview(raw)
        while view:
            view = view[os.write(descriptor, view) :]
        if lasting:
            os.fsync(descriptor)
        os.rename(aside, path)
    except BaseException:
        os.unlink(aside)
        raise
    finally:
        os.close(descriptor)


def unlink(path: str) -> bool:
    """Remove a file; nothing there is no error. Return whether there was one. Raises OSError."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    return True


def whole_file(kind: int) -> bytes:
    """Return the struct flock (fcntl(2), of 64-bit Linux) of a lock on all of a file: F_RDLCK, F_WRLCK, F_UNLCK."""
    from _struct import pack  # struct itself is a file of its own, which nothing else on the way of a start reads

    return pack("hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def fsync_directory(path: str) -> None:
    """Make what was created, renamed or removed in a directory last. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_aside(aside: str, mode: int) -> int:
    """Return a descriptor of the empty file `aside`, locked: it is this call's until it is renamed and closed."""
    import fcntl

    while True:
        # O_NONBLOCK: nobody may read the fifo that somebody has put there.
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(aside, flags, mode)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or status.st_nlink > 1 or not S_ISREG(status.st_mode):
                raise PermissionError(errno.EPERM, "somebody else's file is in the way", aside)
            if _is_named(aside, status):
                if status.st_size:
                    os.ftruncate(descriptor, 0)
                if status.st_mode & 0o7777 != mode:
                    os.fchmod(descriptor, mode)
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # another call has just renamed it


def _is_named(path: str, status: os.stat_result) -> bool:
    try:
        there = os.lstat(path)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (status.st_dev, status.st_ino)
