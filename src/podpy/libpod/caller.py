"""Caller: who calls podpy; its environment, directory, streams and notices.

A process has one environment, one working directory and three standard streams, but it may serve many callers. So
libpod and the rooms below never read those of the process: the command line passes its own, a library what it likes.
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

# Variables that a service manager sets for its service's process alone (sd_notify(3), sd_listen_fds(3)).
_SOCKETS = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_OF_THE_SERVICE = ("NOTIFY_SOCKET", *_SOCKETS, "WATCHDOG_PID", "WATCHDOG_USEC", "PODMAN_SYSTEMD_UNIT")
_MOST_SOCKETS = 1024


class Streams:
    """Descriptors for a command's or a container's standard streams; -1: none."""

    def __init__(self, stdin: Stream = None, stdout: Stream = None, stderr: Stream = None) -> None:
        """Take descriptors or open files. Only a file's descriptor is used, not its buffer."""
        self.stdin = _descriptor(stdin)
        self.stdout = _descriptor(stdout)
        self.stderr = _descriptor(stderr)

    @property
    def terminal(self) -> int:
        """The first of them that is a terminal, or -1; the container gets its size."""
        for descriptor in (self.stdin, self.stdout, self.stderr):
            if descriptor >= 0 and os.isatty(descriptor):
                return descriptor
        return -1


class Caller:
    """Who calls.

    `environ`: the environment variables that podpy may pass on (proxies, a service manager's sockets). `directory`: the
    base of relative paths in a ContainerSpec. `streams`: the default streams of attached containers and commands.
    `notice` gets each warning's text; None: see podpy.notice.
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
        """Return the same caller without a notice: its warnings go where the process's go."""
        return Caller(self.environ, self.directory, self.streams)


def without_service(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that a service manager set for its service alone."""
    return {name: value for name, value in environ.items() if name not in _OF_THE_SERVICE}


def without_sockets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables about a service manager's sockets."""
    return {name: value for name, value in environ.items() if name not in _SOCKETS}


def listening(environ: Mapping[str, str]) -> int:
    """Return how many sockets a service manager has passed, from descriptor 3 on (sd_listen_fds(3))."""
    told = environ.get("LISTEN_FDS", "")
    if not told:
        return 0
    from podpy.numbers import whole

    return whole(told, _MOST_SOCKETS) or 0


def _descriptor(stream: Stream) -> int:
    if stream is None:
        return -1
    return stream if isinstance(stream, int) else stream.fileno()
