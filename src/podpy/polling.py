"""Waiting for descriptors, for as long as somebody reads what this process writes (poll(2))."""

from __future__ import annotations

import os
from errno import EPIPE
from select import POLLIN, poll

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def wait_readable(descriptors: Iterable[int], seconds: float | None = None, *, output: int = -1) -> list[int]:
    """Return those of these descriptors that can be read or have ended, as soon as there is one; none when `seconds`
    (None: no limit) are over. Negative ones don't count.

    Raises BrokenPipeError when nobody reads any more from `output`, a descriptor that this process writes to.
    """
    watched = poll()
    for descriptor in descriptors:
        if descriptor >= 0:
            watched.register(descriptor, POLLIN)
    if output >= 0:
        watched.register(output, 0)  # POLLERR and POLLHUP are told anyway
    ready = [descriptor for descriptor, _ in watched.poll(None if seconds is None else max(0.0, seconds) * 1000)]
    if output in ready:
        raise BrokenPipeError(EPIPE, os.strerror(EPIPE))
    return ready
