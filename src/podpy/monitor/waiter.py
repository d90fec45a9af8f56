"""The side of a call that waits for a container's end, and cleans up after it (docs/conmon.md, "Waiter protocol")."""

from __future__ import annotations

import os
from _socket import AF_UNIX, MSG_NOSIGNAL, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM, socket

from podpy.polling import wait_readable

_LINE = 256  # bytes; the monitor sends the whole line at once


class Waiter:
    """A connection to a container's monitor, which says when the exit record is there, and then waits for an answer.

    As long as it is open, the monitor doesn't run its exit command; if it ends without an answer, it does.
    """

    def __init__(self, run_directory: str) -> None:
        """Connect; without effect if nobody listens: the monitor has ended, or is another conmon."""
        self._socket = _connected(f"{run_directory}/bundle", "waiters")

    def is_told(self, seconds: float) -> bool:
        """Wait for the exit record, at most so long; return False if it isn't there, or if nobody can tell."""
        if self._socket is None or not wait_readable([self._socket.fileno()], seconds):
            return False
        try:
            return bool(self._socket.recv(_LINE))
        except OSError:  # the monitor was killed
            return False

    def acknowledge(self) -> None:
        """Say that all is cleaned up, and leave."""
        if self._socket is not None:
            try:
                self._socket.send(b"\n", MSG_NOSIGNAL)
            except OSError:
                pass  # the monitor has ended, because another caller was faster
        self.close()

    def close(self) -> None:
        """Leave, without an answer if there was none."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _connected(directory: str, name: str) -> socket | None:
    # Non-blocking: a monitor that was stopped by a signal accepts nobody.
    client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)
    try:
        descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # unix(7): a path has 107 bytes at most; this one is short wherever the directory is.
            client.connect(f"/proc/self/fd/{descriptor}/{name}")
        finally:
            os.close(descriptor)
    except OSError:
        client.close()
        return None
    return client
