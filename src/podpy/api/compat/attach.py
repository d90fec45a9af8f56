"""`POST /containers/{id}/attach`: a container's streams on a hijacked connection.

A client attaches before it starts the container (docker run), so an attachment may wait for a start: it listens on a
socket of its own in the run directory. The start prepares the container, tells each of those sockets, waits until they
are connected to the monitor, and only then lets the container run: no byte of output is lost, and a container that
nobody is attached to is started in one step.
"""

from __future__ import annotations

import os
import select
import socket

from podpy.api.compat.logs import read, texts
from podpy.api.errors import message_of, status_of
from podpy.api.frames import content_type, frame
from podpy.api.pump import DETACHED, Input, Pump
from podpy.errors import InUseError, NoSuchContainerError, PodpyError
from podpy.libpod.containers.table import ALIVE, INITIALIZED
from podpy.libpod.io.attach import connect, parse_detach_keys, shut_down, wanted_detach_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.libpod.containers.container import Container
    from podpy.libpod.engine import Engine

_STDERR = 3  # conmon's name of the stream
_TICK = 1000  # milliseconds between two looks at a container that others may start or remove
_PATIENCE = 10.0  # seconds that a start waits for an attachment to connect


def attach(call: Call) -> None:
    """Attach to a container."""
    upgrade = call.request.wants_upgrade
    try:
        container = call.runtime.container(call.path["id"].removeprefix("/"))
        keys = _keys(call)
        row = container.refresh()
        if row.status == "paused":
            raise InUseError(f"container {call.name} is paused, unpause the container before attach")
    except PodpyError as error:
        message = message_of(error, "container", call.name)
        call.connection.refuse_hijacked(status_of(error), message)
        return
    tty = container.spec.tty
    kind = content_type(call.version if upgrade else (1, 0), tty=tty)
    if not call.query["stream"] or row.status in (*ALIVE, INITIALIZED):
        client, early = call.connection.hijack(kind, upgrade=upgrade)
        monitor = _connected(container) if call.query["stream"] else -1
    else:
        with _Waiting(container.engine, container.id) as waiting:
            client, early = call.connection.hijack(kind, upgrade=upgrade)
            monitor = waiting.wait(container, client)
    _send_log(call, container, client, tty=tty)
    if monitor >= 0:
        _pump(call, container, monitor, early, keys if tty else b"")


def _keys(call: Call) -> bytes:
    given = call.query["detachKeys"]
    return wanted_detach_keys(parse_detach_keys(given) if given else None, call.runtime.conf)


def _send_log(call: Call, container: Container, client: int, *, tty: bool) -> None:
    if not call.query["logs"]:
        return
    with socket.socket(fileno=os.dup(client)) as out:
        for piece in texts(read(call, container, follow=False), _wanted(call), tty=tty):
            out.sendall(piece)


def _wanted(call: Call) -> set[int]:
    return {number for number, name in ((1, "stdout"), (2, "stderr")) if call.query[name]}


def _pump(call: Call, container: Container, monitor: int, early: bytes, keys: bytes) -> None:
    wanted, tty = _wanted(call), container.spec.tty

    def decode(packet: bytes) -> bytes:
        stream = 2 if packet[0] == _STDERR else 1
        if stream not in wanted:
            return b""
        return packet[1:] if tty else frame(stream, packet[1:])

    stdin = Input(monitor, lambda: shut_down(monitor, read=False)) if call.query["stdin"] else None
    container.engine.table.tell(container.id, "attach")
    client = call.connection.socket.fileno()
    if Pump(client, {monitor: decode}, stdin, early=early, keys=keys).run() == DETACHED:
        container.engine.table.tell(container.id, "detach")


def _connected(container: Container) -> int:
    """Return a connection to the monitor of a container that has one; -1 if it has just ended."""
    try:
        return connect(os.path.join(container.engine.run_directory(container.id), "bundle", "attach"))
    except OSError:
        return -1


def _directory(engine: Engine, container_id: str) -> str:
    return os.path.join(engine.paths.runroot, "attaching", container_id)


class _Waiting:
    """A context of an attachment that waits for its container's start: its socket, removed at the end."""

    def __init__(self, engine: Engine, container_id: str) -> None:
        _forget_gone(engine)
        directory = _directory(engine, container_id)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._path = os.path.join(directory, os.urandom(8).hex())
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        _at(self._path, self._socket.bind)
        self._socket.listen()

    def __enter__(self) -> _Waiting:
        return self

    def __exit__(self, *_error: object) -> None:
        self._socket.close()
        os.unlink(self._path)
        try:
            os.rmdir(os.path.dirname(self._path))
        except OSError:
            pass  # others wait, too

    def wait(self, container: Container, client: int) -> int:
        """Return a connection to the container's monitor when a start asks for it, or when a call that isn't the API's
        has started it; -1 if the client goes before, or the container.
        """
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(client, 0)  # its end is told anyway
        while True:
            ready = dict(poll.poll(_TICK))
            if client in ready:
                return -1
            if not ready:
                try:
                    if container.refresh().status in ALIVE:
                        return _connected(container)
                except NoSuchContainerError:
                    return -1
                continue
            starter, _ = self._socket.accept()
            with starter:
                if not starter.recv(1):  # that start has failed
                    continue
                monitor = _connected(container)
                starter.sendall(b"\n")
            return monitor


def start(container: Container) -> None:
    """Start a container, with all those attached that wait for it. Raises as Container.start."""
    waiting = _all_waiting(container.engine, container.id)
    try:
        if waiting and container.status not in (*ALIVE, INITIALIZED):
            container.init()
        for each in waiting:
            _let_connect(each)
    finally:
        for each in waiting:
            each.close()
    container.start()


def _let_connect(attaching: socket.socket) -> None:
    attaching.settimeout(_PATIENCE)
    try:
        attaching.sendall(b"\n")
        attaching.recv(1)
    except OSError:
        pass  # it was killed, or is stopped: the container doesn't wait for it


def _all_waiting(engine: Engine, container_id: str) -> list[socket.socket]:
    """Return a connection to each attachment that waits; remove what killed ones have left."""
    directory = _directory(engine, container_id)
    found = []
    for name in os.listdir(directory) if os.path.isdir(directory) else ():
        path = os.path.join(directory, name)
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _at(path, client.connect)
        except ConnectionRefusedError:
            client.close()
            _unlink(path)
        except OSError:
            client.close()
        else:
            found.append(client)
    return found


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _at(path: str, do: object) -> None:
    """Call bind or connect with a path that may be longer than the 107 bytes that an address holds (unix(7))."""
    assert callable(do)
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        do(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    finally:
        os.close(directory)


def _forget_gone(engine: Engine) -> None:
    """Remove what killed attachments have left of containers that are gone."""
    above = os.path.dirname(_directory(engine, "x"))
    names = os.listdir(above) if os.path.isdir(above) else []
    gone = {*names}.difference(row.id for row in engine.table.summaries()) if names else ()
    for name in gone:
        for each in _all_waiting(engine, name):
            each.close()
        try:
            os.rmdir(os.path.join(above, name))
        except OSError:
            pass  # its attachment is about to end
