"""Descriptors that stay in this process: a helper that is forked meanwhile, for whatever call, closes its copies.

Without that the end of a stream would be seen only after the end of the last helper, which may run as long as a
container does.
"""

from __future__ import annotations

import os

from podpy.process import fork_lock

_open: dict[int, bool] = {}
"""Those that were made here, and whether they are this process's alone. In a forked process there are none: an object
that is forgotten there must not close what has got the same number.
"""
_asked: list[bool] = []


def private_pipe(*, reading: bool) -> tuple[int, int]:
    """Return a pipe's two ends; one of them, the `reading` one or the other, is this process's alone."""
    if not _asked:
        _asked.append(True)
        os.register_at_fork(after_in_child=_close_all)
    with fork_lock:  # a fork of another thread comes before both, or after both
        ends = os.pipe()
        _open.update({ends[0]: reading, ends[1]: not reading})
    return ends


def given(data: bytes) -> int:
    """Return a descriptor that `data` can be read from. Raises OSError."""
    descriptor = os.memfd_create("podpy-stdin")
    _open[descriptor] = False
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError:
        close(descriptor)
        raise
    return descriptor


def close(descriptor: int) -> None:
    """Close one of these; nothing if it isn't open any more."""
    if _open.pop(descriptor, None) is not None:
        os.close(descriptor)


def _close_all() -> None:
    for descriptor, is_private in _open.items():
        if is_private:
            try:
                os.close(descriptor)
            except OSError:
                pass  # another thread was closing it
    _open.clear()
