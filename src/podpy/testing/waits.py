"""Waits until a container is ready: for its health, for a port that it listens on, for a line of its log."""

from __future__ import annotations

import re
import threading
from time import monotonic, sleep

from podpy.errors import PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.library.container import Container

_STEP = 0.02  # seconds between two looks
_LISTENS = "0A"  # TCP_LISTEN, include/net/tcp_states.h


class NotReadyError(Exception):
    """The container isn't ready in time, or never will be."""


def until_healthy(container: Container, timeout: float) -> None:
    """Wait until the health check says healthy. Raises NotReadyError, at once if it is unhealthy or has ended."""
    if container.spec.health is None:
        raise NotReadyError("it has no health check")
    deadline = monotonic() + timeout
    while (health := container.health) != "healthy":
        if health == "unhealthy":
            raise NotReadyError("it is unhealthy")
        _go_on(container, deadline, f"it isn't healthy after {timeout:g} seconds")


def until_port(container: Container, port: int, timeout: float) -> None:
    """Wait until something in the container listens on a TCP port. Raises NotReadyError."""
    deadline = monotonic() + timeout
    while not _is_listening(container.row.pid, port):
        _go_on(container, deadline, f"nothing listens on port {port} after {timeout:g} seconds")


def until_log(container: Container, pattern: str, timeout: float) -> None:
    """Wait until a line of its output has the regular expression `pattern`. Raises NotReadyError."""
    wanted = re.compile(pattern)
    with container.logs(stream=True) as lines:
        clock = threading.Timer(timeout, lines.close)
        clock.daemon = True
        clock.start()
        try:
            for line in lines:
                if wanted.search(line.text.decode(errors="replace")):
                    return
        finally:
            clock.cancel()
    _go_on(container, float("-inf"), f"no line of its log has {pattern!r} after {timeout:g} seconds")


def _go_on(container: Container, deadline: float, reason: str) -> None:
    """Wait a moment. Raises NotReadyError if the time is over, or the container has ended."""
    try:
        row = container.refresh()
    except PodpyError as error:
        raise NotReadyError(error.message) from None
    if row.status not in ("running", "paused", "created", "starting"):
        raise NotReadyError(f"it has ended with exit code {row.exit_code}")
    if monotonic() > deadline:
        raise NotReadyError(reason)
    sleep(_STEP)


def _is_listening(pid: int, port: int) -> bool:
    """Whether a socket of the process's network namespace listens on a port (proc_net(5): tcp, tcp6)."""
    for name in ("tcp", "tcp6"):
        try:
            with open(f"/proc/{pid}/net/{name}", encoding="ascii") as file:
                lines = file.read().splitlines()[1:]
        except OSError:
            continue  # it has just ended, or the kernel has no IPv6
        for line in lines:
            words = line.split()
            if words[3] == _LISTENS and int(words[1].rpartition(":")[2], 16) == port:
                return True
    return False
