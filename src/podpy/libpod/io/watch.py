"""Wait until something in a directory changes (inotify(7)) or a process ends (pidfd), whichever comes first."""

from __future__ import annotations

import os
import select

from podpy import pids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

IN_MODIFY = 0x2
IN_CREATE = 0x100
IN_MOVED_TO = 0x80
_EVENTS_BUFFER = 1 << 16


class FileWatch:
    """Watches the files of one directory; what happens from the context's beginning on isn't missed."""

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._descriptor = -1

    def __enter__(self) -> Self:
        from podpy._native import lib

        self._descriptor = _checked(lib.podpy_inotify_init(), "inotify_init1")
        mask = IN_MODIFY | IN_CREATE | IN_MOVED_TO
        watch = lib.podpy_inotify_add_watch(self._descriptor, os.fsencode(self._directory), mask)
        if watch < 0:
            os.close(self._descriptor)
            _checked(watch, self._directory)
        return self

    def wait(self, pid: int, started: int, timeout: float | None = None) -> None:
        """Return when a file has changed, or this process has ended (or had before), or after `timeout` seconds."""
        process = pids.open_pidfd(pid, started)
        if process < 0 and pid > 0:
            return
        poll = select.poll()
        poll.register(self._descriptor, select.POLLIN)
        if process >= 0:
            poll.register(process, select.POLLIN)
        try:
            poll.poll(None if timeout is None else timeout * 1000)
            os.read(self._descriptor, _EVENTS_BUFFER)
        except BlockingIOError:
            pass  # it was the process, or the time
        finally:
            if process >= 0:
                os.close(process)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)


def _checked(result: int, where: str) -> int:
    if result < 0:
        raise OSError(-result, os.strerror(-result), where)
    return result
