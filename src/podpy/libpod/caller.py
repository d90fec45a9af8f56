"""Caller: who calls podpy, and what a container or a message of podpy's may get from it.

A process has one environment, one working directory and three standard streams, but it may serve many callers. So
nothing in libpod and below it asks the process: the command line gives its own, and a library what it wants to.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol, TypeAlias

    from podpy.notice import Sink

    class HasDescriptor(Protocol):
        """An open file."""

        def fileno(self) -> int: ...

    Stream: TypeAlias = int | HasDescriptor | None

# What a service manager gives to the process that it has started, and to nobody else (sd_notify(3), sd_listen_fds(3)).
_SOCKETS = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_OF_THE_SERVICE = ("NOTIFY_SOCKET", *_SOCKETS, "WATCHDOG_PID", "WATCHDOG_USEC")
_MOST_SOCKETS = 1024


class Streams:
    """Descriptors for a command's or a container's standard streams; -1 where there is none."""

    def __init__(self, stdin: Stream = None, stdout: Stream = None, stderr: Stream = None) -> None:
        """Take descriptors or open files (written to by their descriptor: what they have buffered isn't theirs)."""
        self.stdin = _descriptor(stdin)
        self.stdout = _descriptor(stdout)
        self.stderr = _descriptor(stderr)

    @property
    def terminal(self) -> int:
        """The first of them that is a terminal: its size is the container's. -1 if there is none."""
        for descriptor in (self.stdin, self.stdout, self.stderr):
            if descriptor >= 0 and os.isatty(descriptor):
                return descriptor
        return -1


class Caller:
    """Who calls.

    `environ`: the environment variables that podpy may hand on (proxies, a service manager's sockets). `directory`:
    what relative paths in a ContainerSpec begin at. `streams`: what attached containers and commands read and write
    unless others are given. `notice`: gets each warning's text; None: see podpy.notice.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        directory: str = "/",
        streams: Streams | None = None,
        notice: Sink | None = None,
    ) -> None:
        self.environ = environ
        self.directory = directory
        self.streams = streams or Streams()
        self.notice = notice

    def without_notice(self) -> Caller:
        """Return the same caller, whose warnings go where the process's go."""
        return Caller(self.environ, self.directory, self.streams)


def without_service(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what a service manager has given to its service alone."""
    return {name: value for name, value in environ.items() if name not in _OF_THE_SERVICE}


def without_sockets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment that tells of no sockets of a service manager's."""
    return {name: value for name, value in environ.items() if name not in _SOCKETS}


def listening(environ: Mapping[str, str]) -> int:
    """Return how many sockets a service manager has opened for a container: from 3 on (sd_listen_fds(3))."""
    told = environ.get("LISTEN_FDS", "")
    if not told:
        return 0
    from podpy.numbers import whole

    return whole(told, _MOST_SOCKETS) or 0


def _descriptor(stream: Stream) -> int:
    if stream is None:
        return -1
    return stream if isinstance(stream, int) else stream.fileno()
