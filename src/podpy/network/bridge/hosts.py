"""/etc/hosts and /etc/resolv.conf of a running container: lines join and leave in place.

Both files are bind-mounted into the container, so a rename can't replace them, and programs inside read them at any
moment: a look-up that meets an emptied file fails (5 % did, measured). So a file never shrinks, and no line that stays
is ever written to:

    join     the line is appended by one write(2) with O_APPEND, or put into a free slot
    leave    one byte at the line's start becomes `#`, and it is a comment (hosts(5), resolv.conf(5)); then the rest of
             the line becomes `#`, too, and is a free slot
    slot     a line of `#` alone, as long as the new one or longer; all of the new line but its first byte is written,
             with blanks behind it, and then the first byte: up to then it is a comment

A kill between two steps leaves a comment. Two writers exclude each other by flock(2) on the file itself.
"""

from __future__ import annotations

import os
from errno import ENOSPC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LIMIT = 1 << 20  # bytes: the container's root may write into its files as well
_MARK = b"#"


def host_line(address: str, names: Iterable[str]) -> str:
    """Return a line of /etc/hosts, as `podpy.network.names.hosts` writes it."""
    return f"{address}\t{' '.join(names)}"


def server_line(address: str) -> str:
    """Return a line of /etc/resolv.conf for a resolver, as `podpy.network.names` writes it."""
    return f"nameserver {address}"


def join(path: str, lines: Iterable[str]) -> None:
    """Add lines (without newline) to a container's file; one that is there already isn't added again.

    Raises OSError; FileNotFoundError if the container has no such file.
    """
    with _Locked(path) as file:
        for line in lines:
            file.join(line.encode("utf-8", "surrogateescape"))


def leave(path: str, lines: Iterable[str]) -> None:
    """Take lines (without newline) out of a container's file. One that isn't there is no error. Raises OSError."""
    with _Locked(path) as file:
        for line in lines:
            file.leave(line.encode("utf-8", "surrogateescape"))


class _Locked:
    """A hosts file that only this call writes to."""

    def __init__(self, path: str) -> None:
        import fcntl

        self._path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __enter__(self) -> _Locked:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def join(self, line: bytes) -> None:
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

    def leave(self, line: bytes) -> None:
        for start, there in list(self._lines()):
            if there.rstrip(b" ") == line:
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
