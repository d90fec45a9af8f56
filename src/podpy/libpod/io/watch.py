"""Waits until a file in a directory changes (inotify(7)) or a process ends (pidfd), whichever comes first."""

from __future__ import annotations

import os
from sys import byteorder
from time import monotonic

from podpy import pids
from podpy.polling import wait_readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

IN_MODIFY = 0x2
IN_CREATE = 0x100
IN_MOVED_TO = 0x80
IN_Q_OVERFLOW = 0x4000
_EVENTS_BUFFER = 1 << 16
_EVENT_SIZE = 16  # without the name


class FileWatch:
    """A context that watches the files of one directory; no change after its beginning is missed."""

    def __init__(self, directory: str, *, written: str = "", moved_into: str = "") -> None:
        """With `written`, only writes to the file of this name, and files moved into `moved_into`, count."""
        self._directory = directory
        self._written = os.fsencode(written)
        self._moved_into = moved_into
        self._other = -1  # inotify's number of that directory
        self._descriptor = -1

    def __enter__(self) -> Self:
        from podpy._native import lib

        self._descriptor = _checked(lib.podpy_inotify_init(), "inotify_init1")
        mask = IN_MODIFY | IN_CREATE | IN_MOVED_TO
        watch = lib.podpy_inotify_add_watch(self._descriptor, os.fsencode(self._directory), mask)
        if watch < 0:
            os.close(self._descriptor)
            _checked(watch, self._directory)
        if self._moved_into:
            self._other = lib.podpy_inotify_add_watch(self._descriptor, os.fsencode(self._moved_into), IN_MOVED_TO)
        return self

    def wait(
        self, pid: int = 0, started: int = 0, timeout: float | None = None, *, bell: int = -1, output: int = -1
    ) -> None:
        """Return when a file has changed, or this process has ended, or `timeout` seconds are over, or the descriptor
        `bell` is readable. Raises BrokenPipeError when nobody reads from `output` any more.
        """
        process = pids.open_pidfd(pid, started)
        if process < 0 and pid > 0:
            return
        deadline = None if timeout is None else monotonic() + timeout
        try:
            while True:
                wait_readable((self._descriptor, process, bell), deadline and deadline - monotonic(), output=output)
                if self._concerns_us(os.read(self._descriptor, _EVENTS_BUFFER)):
                    return
        except BlockingIOError:
            pass  # it was the process, the bell, or the timeout
        finally:
            if process >= 0:
                os.close(process)

    def _concerns_us(self, events: bytes) -> bool:
        """Return whether one of these events (inotify(7), struct inotify_event) is a watched one."""
        if not self._written:
            return True
        at = 0
        while at < len(events):
            watch, mask, length = (int.from_bytes(events[at + n : at + n + 4], byteorder) for n in (0, 4, 12))
            name = events[at + _EVENT_SIZE : at + _EVENT_SIZE + length].rstrip(b"\0")
            if (mask & IN_MODIFY and name == self._written) or mask & IN_Q_OVERFLOW or watch == self._other:
                return True
            at += _EVENT_SIZE + length
        return False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)


def _checked(result: int, where: str) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result), where)
    return result
