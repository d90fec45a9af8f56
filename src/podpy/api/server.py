"""The service's parent: listens, and forks a worker for each request. It has one thread and never waits for a client.

A connection without a request has no process: the parent watches it, and forks when something arrives. A worker tells
by its exit code whether the connection may have another request. So two hundred idle clients cost two hundred
descriptors, and a worker that is killed costs its client's connection.

The parent ends when nobody has asked anything for the idle time, or by SIGTERM or SIGINT, which it passes on to its
workers. Containers aren't its children: they run on.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import struct
from time import monotonic

from podpy import process
from podpy.api import work
from podpy.api.addresses import listen
from podpy.api.connection import Connection
from podpy.libpod.caller import without_service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import FrameType

    from podpy.api.addresses import Listener
    from podpy.libpod.runtime import Runtime

_MOST_CONNECTIONS = 800  # of a usual 1,024 descriptors
_GOES_ON = 10  # a worker's exit code: the connection may have another request
_ENDING = (signal.SIGTERM, signal.SIGINT)


def serve(runtime: Runtime, address: str, environ: Mapping[str, str], *, idle: float) -> None:
    """Serve the API at an address (podpy.api.addresses) until nobody has asked anything for `idle` seconds (0: for
    ever), or a signal ends it. `environ`: this process's environment.

    Raises UsageError, NotSupportedError, InUseError (the address), RootlessError.
    """
    listeners = listen(address, f"{runtime.paths.runroot}/podpy.sock", environ)
    Server(runtime, listeners, without_service(environ), idle=idle).run()


class Server:
    """A service on these sockets; it ends after `idle` seconds (0: never) without a request."""

    def __init__(
        self, runtime: Runtime, listeners: Sequence[Listener], environ: Mapping[str, str], *, idle: float = 0
    ) -> None:
        self._runtime = runtime
        self._listeners = {each.socket.fileno(): each for each in listeners}
        self._environ = environ
        self._idle = idle
        self._waiting: dict[int, socket.socket] = {}  # connections without a request, by descriptor
        self._workers: dict[int, tuple[int, socket.socket]] = {}  # (pid, its connection) by pidfd
        self._poll = select.poll()
        self._is_ending = False
        self._is_full = False
        self._last = monotonic()

    def run(self) -> None:
        """Serve until the end. Raises RootlessError."""
        reading, writing = process.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        for number in _ENDING:
            signal.signal(number, self._end)
        self._runtime.enter()
        work.load_handlers()
        gc.freeze()  # what is there now is shared with the workers: their collector needn't write to it
        self._poll.register(reading, select.POLLIN)
        for descriptor in self._listeners:
            self._poll.register(descriptor, select.POLLIN)
        try:
            while not self._is_ending and not self._is_over():
                for descriptor, _ in self._poll.poll(self._patience()):
                    self._see(descriptor)
        finally:
            self._close()

    def _end(self, number: int, frame: FrameType | None) -> None:
        self._is_ending = True

    def _is_over(self) -> bool:
        return bool(self._idle) and not self._workers and monotonic() - self._last >= self._idle

    def _patience(self) -> float | None:
        """Return the milliseconds until the service may be over; None: it goes on until something comes."""
        if not self._idle or self._workers:
            return None
        return max(0.0, self._last + self._idle - monotonic()) * 1000 + 1

    def _see(self, descriptor: int) -> None:
        if descriptor in self._listeners:
            self._accept(self._listeners[descriptor].socket)
        elif descriptor in self._workers:
            self._after(descriptor)
        elif descriptor in self._waiting:
            self._start(descriptor)

    def _accept(self, listening: socket.socket) -> None:
        try:
            client, _ = listening.accept()
        except OSError:  # the client has gone again, or there is no descriptor left for it
            return
        if not _is_allowed(client):
            client.close()
            return
        self._watch(client)

    def _watch(self, client: socket.socket) -> None:
        self._waiting[client.fileno()] = client
        self._poll.register(client.fileno(), select.POLLIN)
        self._limit()

    def _limit(self) -> None:
        """Take no more connections while there are too many: later ones wait in the sockets' queues."""
        is_full = len(self._waiting) + len(self._workers) >= _MOST_CONNECTIONS
        if is_full == self._is_full:
            return
        self._is_full = is_full
        for descriptor in self._listeners:
            self._poll.modify(descriptor, 0 if is_full else select.POLLIN)

    def _start(self, descriptor: int) -> None:
        """A request has arrived, or the client has closed: fork a worker, or forget the connection."""
        client = self._waiting.pop(descriptor)
        self._poll.unregister(descriptor)
        if _has_ended(client):
            client.close()
            self._limit()
            return
        self._last = monotonic()
        try:
            pid = process.fork()
        except OSError:  # too many processes: the client may try again
            client.close()
            return
        if pid == 0:
            self._work(client)
        pidfd = os.pidfd_open(pid)
        self._workers[pidfd] = pid, client
        self._poll.register(pidfd, select.POLLIN)

    def _work(self, client: socket.socket) -> None:
        """Be the worker: answer one request, and end."""
        code = 0
        try:
            signal.set_wakeup_fd(-1)
            for number in _ENDING:
                signal.signal(number, signal.SIG_DFL)
            self._forget_others()
            if work.serve(Connection(client), self._runtime, self._environ):
                code = _GOES_ON
        finally:
            os._exit(code)

    def _forget_others(self) -> None:
        """Close what is the parent's: a connection that it closes must not stay open here."""
        for listener in self._listeners.values():
            listener.socket.close()
        for other in self._waiting.values():
            other.close()
        for pidfd, (_, other) in self._workers.items():
            os.close(pidfd)
            other.close()

    def _after(self, pidfd: int) -> None:
        pid, client = self._workers.pop(pidfd)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        code = process.wait(pid)
        self._last = monotonic()
        if code == _GOES_ON and not self._is_ending:
            self._watch(client)
        else:
            client.close()
        self._limit()

    def _close(self) -> None:
        for pid, _ in self._workers.values():
            os.kill(pid, signal.SIGTERM)
        for listener in self._listeners.values():
            listener.close()


def _is_allowed(client: socket.socket) -> bool:
    """Return whether a client is this user (who is root inside the user's namespaces)."""
    _, uid, _ = struct.unpack("iII", client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return bool(uid == 0)


def _has_ended(client: socket.socket) -> bool:
    try:
        return not client.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
