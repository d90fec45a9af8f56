"""A long request ends when its client goes: as by Ctrl-C, so that what is half done is undone."""

from __future__ import annotations

import fcntl
import os
import select
import signal

from podpy.interrupts import interrupt_on

TYPE_CHECKING = False
if TYPE_CHECKING:
    from socket import socket

_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


def end_with(client: socket) -> None:
    """Raise KeyboardInterrupt in this process when the client closes its side, by a signal of the kernel (fcntl(2),
    F_SETOWN): no thread may watch, since a build forks.
    """
    interrupt_on(signal.SIGIO, lambda: has_gone(client))
    fcntl.fcntl(client, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(client, fcntl.F_SETFL, fcntl.fcntl(client, fcntl.F_GETFL) | os.O_ASYNC)
    if has_gone(client):
        raise KeyboardInterrupt


def has_gone(client: socket) -> bool:
    """Return whether the other side has closed."""
    poll = select.poll()
    poll.register(client, _GONE)
    return any(events & _GONE for _, events in poll.poll(0))
