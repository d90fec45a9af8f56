"""/etc/hosts and /etc/resolv.conf of a running container: lines join and leave in place.

Both files are bind-mounted into the container, so a rename can't replace them, and programs inside read them at any
moment: a look-up that meets an emptied file fails (5 % did, measured). So a file never shrinks, and no line that stays
is ever written to:

    join     the line is appended by one write(2) with O_APPEND, or put into a free slot
    leave    one byte at the line's start becomes `#`, and it is a comment (hosts(5), resolv.conf(5)); then the rest of
             the line becomes `#`, too, and is a free slot
    slot     a line of `#` alone, as long as the new one or longer; all of the new line but its first byte is written,
             with blanks behind it, and then the first byte: up to then it is a comment

A kill between two steps leaves a comment. Two writers exclude each other by flock(2) on the file's directory: on the
file itself the container could hold that lock for ever, and by a lease (fcntl(2), F_SETLEASE) it can keep an open(2)
waiting for 45 s. A file under a lease stays as it is, and a missing one (`--no-hosts`) is no error.
"""

from __future__ import annotations

import os
from errno import ENOSPC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LIMIT = 1 << 20  # bytes: the container's root may write into its files as well
_MARK = b"#"


def join(path: str, lines: Iterable[str]) -> None:
    """Add lines (without newline) to a container's file; one that is there already isn't added again.

    Raises OSError.
    """
    _change(path, lambda file: file.join(map(_raw, lines)))


def leave(path: str, lines: Iterable[str]) -> None:
    """Take lines (without newline) out of a container's file. One that isn't there is no error. Raises OSError."""
    _change(path, lambda file: file.leave(map(_raw, lines)))


def forget(path: str, addresses: Iterable[str], names: Iterable[str]) -> None:
    """Take these addresses' lines out of a container's /etc/hosts that have no other names than these: a start gives
    none again that an earlier line has. Raises OSError.
    """
    gone, own = set(map(_raw, addresses)), set(map(_raw, names))
    _change(path, lambda file: file.forget(gone, own))


def correct(path: str, text: str) -> None:
    """Give names the addresses that a new text of /etc/hosts has for them; other lines, which the container may have
    added, stay. Raises OSError.
    """
    _change(path, lambda file: file.correct(_raw(text).splitlines()))


def rewrite(path: str, text: str) -> None:
    """Write the whole text at once, with empty lines behind it: the file is never shorter, and never empty. Raises
    OSError.
    """
    _change(path, lambda file: file.rewrite(_raw(text)))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _change(path: str, work: Callable[[_Locked], None]) -> None:
    try:
        file = _Locked(path)
    except (FileNotFoundError, BlockingIOError):
        return
    with file:
        work(file)


class _Locked:
    """A hosts file that only this call writes to."""

    def __init__(self, path: str) -> None:
        import fcntl

        self._path = path
        self._lock = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> _Locked:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)
        os.close(self._lock)

    def correct(self, wanted: list[bytes]) -> None:
        there = [line.rstrip(b" ") for _, line in self._lines()]
        new = [line for line in wanted if line not in there]
        moved = {line.partition(b"\t")[2] for line in new}
        self.join(new)
        self.leave(line for line in there if line not in wanted and line.partition(b"\t")[2] in moved)

    def rewrite(self, text: bytes) -> None:
        size = min(os.fstat(self._descriptor).st_size, _LIMIT)
        self._write(text.ljust(size, b"\n"), 0)

    def join(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._join(line)

    def _join(self, line: bytes) -> None:
        slot = None
        for start, there in self._lines():
            if there.rstrip(b" ") == line:
                return
            if slot is None and len(there) >= len(line) and not there.strip(_MARK):
                slot = start, len(there)
        if slot is None:
            self._append(line)
            return
        start, size = slot
        self._write(line[1:].ljust(size - 1), start + 1)
        self._write(line[:1], start)

    def leave(self, lines: Iterable[bytes]) -> None:
        gone = set(lines)
        self._blank(lambda there: there.rstrip(b" ") in gone)

    def forget(self, addresses: set[bytes], names: set[bytes]) -> None:
        def is_gone(there: bytes) -> bool:
            address, *found = there.split() or [b""]
            return address in addresses and names.issuperset(found)

        self._blank(is_gone)

    def _blank(self, is_gone: Callable[[bytes], bool]) -> None:
        for start, there in list(self._lines()):
            if is_gone(there):
                self._write(_MARK, start)
                self._write(_MARK * (len(there) - 1), start + 1)

    def _append(self, line: bytes) -> None:
        size = os.fstat(self._descriptor).st_size
        is_whole = size == 0 or os.pread(self._descriptor, 1, size - 1) == b"\n"
        text = (b"" if is_whole else b"\n") + line + b"\n"
        appender = os.open(f"/proc/self/fd/{self._descriptor}", os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            written = os.write(appender, text)
        finally:
            os.close(appender)
        if written < len(text):  # a part of a name is another one's
            self._write(_MARK, size + (not is_whole))
            raise OSError(ENOSPC, os.strerror(ENOSPC), self._path)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        start = 0
        for line in os.pread(self._descriptor, _LIMIT, 0).split(b"\n"):
            if line:
                yield start, line
            start += len(line) + 1

    def _write(self, data: bytes, offset: int) -> None:
        os.pwrite(self._descriptor, data, offset)
