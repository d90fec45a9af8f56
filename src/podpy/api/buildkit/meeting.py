"""Where a session's connection passes from the worker that accepted it to the one that builds.

A client opens POST /session, and names the session in a call on another connection. So the worker of /session listens
on a socket beside the service's, named by the session's id, and hands the connection on (unix(7), SCM_RIGHTS) to the
first one that asks; it ends then, or when its client goes.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import stat
from hashlib import sha256

_PIECE = 64 << 10
_PATIENCE = 15.0  # seconds that a build waits for a session to arrive
_STEP = 0.02


def _name(session: str) -> str:
    return f"session-{sha256(session.encode('utf-8', 'surrogateescape')).hexdigest()[:24]}"


def hand_on(connection: socket.socket, early: bytes, directory: str, session: str) -> None:
    """Wait for the one that wants a session's connection, and give it; or for the client's end. Raises OSError."""
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    name = _name(session)
    path = f"/proc/self/fd/{place}/{name}"  # a socket's path has at most 108 bytes
    try:
        _remove(path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as listening:
            listening.bind(path)
            try:
                listening.listen(1)
                _give(listening, connection, early)
            finally:
                _remove(path)
    finally:
        os.close(place)


def _remove(path: str) -> None:
    try:
        if stat.S_ISSOCK(os.lstat(path).st_mode):
            os.unlink(path)
    except FileNotFoundError:
        pass


def _give(listening: socket.socket, connection: socket.socket, early: bytes) -> None:
    poll = select.poll()
    poll.register(listening, select.POLLIN)
    poll.register(connection, select.POLLRDHUP)
    ready = {descriptor for descriptor, _ in poll.poll()}
    if listening.fileno() not in ready:
        return
    taker, _ = listening.accept()
    with taker:
        socket.send_fds(taker, [b"s" + early], [connection.fileno()])


async def take(directory: str, session: str) -> tuple[socket.socket, bytes] | None:
    """Return a session's connection, and what has arrived on it; None if it doesn't come."""
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        path = f"/proc/self/fd/{place}/{_name(session)}"
        loop = asyncio.get_running_loop()
        end = loop.time() + _PATIENCE
        while loop.time() < end:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as asking:
                asking.setblocking(False)
                try:
                    asking.connect(path)
                    return await asyncio.wait_for(_received(asking), end - loop.time())
                except OSError:  # it isn't there yet, or its holder has just ended
                    await asyncio.sleep(_STEP)
        return None
    finally:
        os.close(place)


async def _received(asking: socket.socket) -> tuple[socket.socket, bytes]:
    """Return a connection that is handed on, and what has arrived on it. Raises OSError."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(asking, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(asking)
    data, descriptors, _, _ = socket.recv_fds(asking, _PIECE, 1, socket.MSG_CMSG_CLOEXEC)
    if not descriptors:
        raise ConnectionAbortedError("the session's holder has ended")
    connection = socket.socket(fileno=descriptors[0])
    try:
        while piece := await loop.sock_recv(asking, _PIECE):
            data += piece
    except BaseException:
        connection.close()
        raise
    return connection, data[1:]
